//! What clients made over REST: enough of it to answer questions about it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// How many messages, webhooks, callbacks and commands are remembered of each; the oldest go first.
const KEPT: usize = 10_000;

/// A message that was posted over REST.
#[derive(Clone, Debug)]
pub(super) struct Posted {
    pub(super) id: u64,
    pub(super) channel: u64,
    /// The guild's index; `None` for a direct message.
    pub(super) guild: Option<u32>,
    /// The webhook that posted it, and the name it used.
    pub(super) webhook: Option<(u64, String)>,
    /// What the client sent: content, embeds and so on.
    pub(super) fields: Value,
    /// The attachments as JSON.
    pub(super) attachments: Value,
    pub(super) edited_ms: Option<u64>,
}

/// A webhook.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) id: u64,
    pub(super) guild: u32,
    pub(super) channel: u64,
    pub(super) name: String,
    pub(super) token: String,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    messages: BTreeMap<u64, Posted>,
    nonces: BTreeMap<(u64, String), u64>,
    hooks: BTreeMap<u64, Hook>,
    callbacks: BTreeSet<u64>,
    /// Application commands by guild (0 for global ones) and id.
    pub(super) commands: BTreeMap<(u64, u64), Value>,
}

impl Book {
    pub(super) fn post(&mut self, posted: Posted, nonce: Option<String>) {
        if let Some(nonce) = nonce {
            self.nonces.insert((posted.channel, nonce), posted.id);
        }
        self.messages.insert(posted.id, posted);
        if self.messages.len() > KEPT {
            self.messages.pop_first();
        }
        if self.nonces.len() > KEPT {
            let messages = &self.messages;
            self.nonces.retain(|_, id| messages.contains_key(id));
        }
    }

    /// The message that was posted with this nonce.
    pub(super) fn by_nonce(&self, channel: u64, nonce: &str) -> Option<&Posted> {
        let id = self.nonces.get(&(channel, nonce.to_owned()))?;
        self.messages.get(id)
    }

    pub(super) fn message(&self, channel: u64, id: u64) -> Option<&Posted> {
        self.messages
            .get(&id)
            .filter(|posted| posted.channel == channel)
    }

    pub(super) fn message_mut(&mut self, channel: u64, id: u64) -> Option<&mut Posted> {
        self.messages
            .get_mut(&id)
            .filter(|posted| posted.channel == channel)
    }

    pub(super) fn unpost(&mut self, id: u64) {
        self.messages.remove(&id);
    }

    /// The newest messages of a channel, newest first.
    pub(super) fn newest(&self, channel: u64) -> impl Iterator<Item = &Posted> {
        self.messages
            .values()
            .rev()
            .filter(move |posted| posted.channel == channel)
    }

    pub(super) fn hang(&mut self, hook: Hook) {
        self.hooks.insert(hook.id, hook);
        if self.hooks.len() > KEPT {
            self.hooks.pop_first();
        }
    }

    pub(super) fn hook(&self, id: u64) -> Option<&Hook> {
        self.hooks.get(&id)
    }

    pub(super) fn unhang(&mut self, id: u64) {
        self.hooks.remove(&id);
    }

    pub(super) fn hooks(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.values()
    }

    /// Whether an interaction is answered for the first time.
    pub(super) fn acknowledge(&mut self, interaction: u64) -> bool {
        if self.callbacks.len() >= KEPT {
            self.callbacks.pop_first();
        }
        self.callbacks.insert(interaction)
    }

    pub(super) fn command(&mut self, guild: u64, id: u64, command: Value) {
        self.commands.insert((guild, id), command);
        if self.commands.len() > KEPT {
            self.commands.pop_first();
        }
    }
}
