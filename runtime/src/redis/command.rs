//! A command with its keys, and a script that the server remembers by its hash.

use std::fmt;

use super::slots::{Slot, slot_of};

/// A command. Say which arguments are keys: a cluster finds its node by them.
#[derive(Clone)]
pub struct Command {
    name: &'static str,
    pub(super) cmd: redis::Cmd,
    slot: Option<Slot>,
    pub(super) crosses: bool,
    pub(super) is_repeatable: bool,
}

impl Command {
    /// A command by its name, one word.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let mut cmd = redis::Cmd::new();
        cmd.arg(name);
        Self {
            name,
            cmd,
            slot: None,
            crosses: false,
            is_repeatable: false,
        }
    }

    /// Adds a key.
    #[must_use]
    pub fn key(mut self, key: impl AsRef<[u8]>) -> Self {
        let key = key.as_ref();
        self.cmd.arg(key);
        let slot = slot_of(key);
        self.crosses |= self.slot.is_some_and(|first| first != slot);
        self.slot = self.slot.or(Some(slot));
        self
    }

    /// Adds an argument that is not a key.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<[u8]>) -> Self {
        self.cmd.arg(arg.as_ref());
        self
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, number: impl Into<i128>) -> Self {
        self.arg(number.into().to_string())
    }

    /// Running it twice does what running it once does: it is sent again when the connection ends before the answer.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    pub(super) fn slot(&self) -> Option<Slot> {
        self.slot
    }
}

/// The name alone: arguments may hold what is nobody's business.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Command").field(&self.name).finish()
    }
}

/// A Lua script. The server runs it as a whole: nobody sees a half of it. All its keys must lie in one slot.
pub struct Script {
    text: &'static str,
    sha: String,
    is_repeatable: bool,
}

impl Script {
    /// A script by its text.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self {
            text,
            sha: redis::Script::new(text).get_hash().to_owned(),
            is_repeatable: false,
        }
    }

    /// Running it twice does what running it once does.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    /// The command that runs it by its hash.
    pub(super) fn by_hash(&self, keys: &[&[u8]], args: &[&[u8]]) -> Command {
        self.command("EVALSHA", &self.sha, keys, args)
    }

    /// The command that brings the text too, after which the server knows it.
    pub(super) fn by_text(&self, keys: &[&[u8]], args: &[&[u8]]) -> Command {
        self.command("EVAL", self.text, keys, args)
    }

    fn command(&self, name: &'static str, what: &str, keys: &[&[u8]], args: &[&[u8]]) -> Command {
        let mut command = Command::new(name).arg(what).arg(keys.len().to_string());
        for key in keys {
            command = command.key(key);
        }
        for arg in args {
            command = command.arg(arg);
        }
        command.is_repeatable = self.is_repeatable;
        command
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&self.sha).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_decide_the_slot_and_must_agree() {
        let one = Command::new("MGET").key("{a}1").key("{a}2").arg("{b}");
        assert!(!one.crosses);
        assert_eq!(one.slot(), Some(slot_of(b"a")));
        assert!(Command::new("MGET").key("a").key("b").crosses);
        assert_eq!(Command::new("PING").slot(), None);
        let shown = format!("{:?}", Command::new("AUTH").arg("secret"));
        assert_eq!(shown, "Command(\"AUTH\")");
    }

    #[test]
    fn a_script_is_named_by_its_sha1() {
        // `printf 'return 1' | sha1sum`
        let script = Script::new("return 1");
        assert_eq!(script.sha, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }
}
