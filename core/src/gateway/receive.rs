//! From messages to signals: scans envelopes, keeps the sequence, hands dispatches on.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::Deserialize;

use super::Session;
use super::context::Context;
use super::io::{Cause, Dispatch, Input, Misuse};
use super::outbox::{Item, Span};
use super::resume::{Order, Resumption};
use super::state::{Established, Signal, StateName};
use super::url;
use crate::id::Snowflake;
use crate::time::Instant;
use crate::wire::{Envelope, EnvelopeErrorKind, EventKind, Opcode, json, scan};

/// Who takes dispatches where they lie; `None` where they wait to be polled.
pub(super) type Taker<'a> = Option<&'a mut dyn FnMut(Dispatch<'_>)>;

impl Session {
    /// Like [`Machine::handle_input`](crate::Machine::handle_input), but hands dispatches to `each` at once, where they
    /// lie in the message or in the session's own buffer: nothing is copied or queued for them. Everything else still
    /// waits to be polled.
    ///
    /// A dispatch that comes behind an output that waits is queued behind it, so that the order stays: poll until
    /// `None` after every call.
    ///
    /// # Errors
    ///
    /// [`Misuse`] as for [`Machine::handle_input`](crate::Machine::handle_input).
    ///
    /// ```
    /// # use shardkeep_core::gateway::{Config, Input, Session};
    /// # use shardkeep_core::wire::{Intents, Miniz};
    /// # use shardkeep_core::{Instant, Machine, ShardId, Token};
    /// # let token = Token::new("not.a.token").unwrap();
    /// # let config = Config::new(ShardId::SINGLE, token, Intents::GUILDS, "wss://gateway.discord.gg");
    /// # let now = Instant::ZERO;
    /// # let mut session = Session::new(config, Box::new(Miniz::new()), now).unwrap();
    /// # session.handle_timeout(now);
    /// # session.handle_input(now, Input::Connected).unwrap();
    /// # session.handle_input(now, Input::Text(br#"{"op":10,"d":{"heartbeat_interval":41250}}"#)).unwrap();
    /// # session.handle_input(now, Input::IdentifyGranted).unwrap();
    /// # session.handle_input(now, Input::Text(br#"{"t":"READY","s":1,"op":0,"d":{"session_id":"x"}}"#)).unwrap();
    /// # while session.poll_output().is_some() {}
    /// let message = br#"{"t":"TYPING_START","s":2,"op":0,"d":{"user_id":"3"}}"#;
    /// let mut seen = Vec::new();
    /// session.handle_input_with(now, Input::Text(message), &mut |dispatch| seen.extend_from_slice(dispatch.data))?;
    /// assert_eq!(seen, br#"{"user_id":"3"}"#);
    /// assert_eq!(session.poll_output(), None);
    /// # Ok::<(), shardkeep_core::gateway::Misuse>(())
    /// ```
    pub fn handle_input_with(
        &mut self,
        now: Instant,
        input: Input<'_>,
        each: &mut dyn FnMut(Dispatch<'_>),
    ) -> Result<(), Misuse> {
        self.handle(now, input, &mut Some(each))
    }

    /// A text message holds whole documents, uncompressed, in bytes that the caller lends.
    pub(super) fn on_text(&mut self, now: Instant, message: &[u8], taker: &mut Taker<'_>) {
        if message.len() > self.context.config.message_bytes_max {
            return self.broken(now, Cause::MessageTooLarge);
        }
        match self.on_documents(now, message, None, taker) {
            Ok(end) if end == message.len() => {}
            Ok(_) => self.broken(now, Cause::BadEnvelope),
            Err(cause) => self.broken(now, cause),
        }
    }

    /// A binary message is part of the compressed stream, or a compressed payload.
    pub(super) fn on_binary(&mut self, now: Instant, message: &[u8], taker: &mut Taker<'_>) {
        match self
            .inbox
            .receive(message, self.context.config.message_bytes_max)
        {
            Ok(true) => {}
            Ok(false) if self.inbox.spans_frames() => return,
            Ok(false) => return self.broken(now, Cause::BadEnvelope),
            Err(cause) => return self.broken(now, cause),
        }
        let (buffer, start) = self.inbox.documents();
        let outcome = self.on_documents(now, &buffer.filled()[start..], Some(start), taker);
        let whole = buffer.len() - start;
        self.inbox
            .give_back(buffer, start + *outcome.as_ref().unwrap_or(&whole));
        match outcome {
            Ok(end) if end < whole && !self.inbox.spans_frames() => {
                self.broken(now, Cause::BadEnvelope)
            }
            Ok(_) => {}
            Err(cause) => self.broken(now, cause),
        }
    }

    /// Handles every whole document in `bytes` and says where the last one ends. `inflated_at` is where `bytes` begins
    /// in the inbox's buffer, if it is there.
    fn on_documents(
        &mut self,
        now: Instant,
        bytes: &[u8],
        inflated_at: Option<usize>,
        taker: &mut Taker<'_>,
    ) -> Result<usize, Cause> {
        let mut at = 0;
        while at < bytes.len() && self.is_listening() {
            let document = &bytes[at..];
            let envelope = match scan(document) {
                Ok(envelope) => envelope,
                Err(error) if error.kind == EnvelopeErrorKind::Incomplete => return Ok(at),
                Err(_) => return Err(Cause::BadEnvelope),
            };
            self.on_envelope(
                now,
                document,
                &envelope,
                inflated_at.map(|start| start + at),
                taker,
            )?;
            at += envelope.end;
        }
        // What comes after we hung up is not read: it will be replayed.
        Ok(if self.is_listening() { at } else { bytes.len() })
    }

    fn is_listening(&self) -> bool {
        !matches!(
            self.state(),
            StateName::Closing | StateName::Closed | StateName::Disconnected
        )
    }

    fn broken(&mut self, now: Instant, cause: Cause) {
        self.context.stats.bad_messages += 1;
        self.apply(now, Signal::Broken(cause));
    }

    fn on_envelope(
        &mut self,
        now: Instant,
        document: &[u8],
        envelope: &Envelope,
        inflated_at: Option<usize>,
        taker: &mut Taker<'_>,
    ) -> Result<(), Cause> {
        let data = envelope.data(document);
        match Opcode::from_number(envelope.op) {
            Some(Opcode::Dispatch) if self.takes_dispatches() => {
                return self.on_dispatch(now, document, envelope, inflated_at, taker);
            }
            Some(Opcode::HeartbeatAck) => self.context.beat_acknowledged(now),
            Some(Opcode::Heartbeat) => self.context.beat_on_request(now),
            Some(Opcode::Hello) if self.state() == StateName::Hello => {
                let interval = json::field(data, "heartbeat_interval").and_then(json::unsigned);
                let interval = interval.filter(|&ms| ms > 0).ok_or(Cause::BadPayload)?;
                self.apply(now, Signal::Hello(Duration::from_millis(interval)));
            }
            Some(Opcode::Reconnect) => self.apply(now, Signal::ReconnectAsked),
            Some(Opcode::InvalidSession) => {
                self.apply(
                    now,
                    Signal::SessionInvalid {
                        resumable: data.trim_ascii() == b"true",
                    },
                );
            }
            _ => {
                self.context.stats.ignored += 1;
                self.context.outbox.push(Item::Ignored {
                    opcode: envelope.op,
                });
            }
        }
        Ok(())
    }

    fn takes_dispatches(&self) -> bool {
        matches!(
            self.state(),
            StateName::Identifying | StateName::Resuming | StateName::Ready
        )
    }

    fn on_dispatch(
        &mut self,
        now: Instant,
        document: &[u8],
        envelope: &Envelope,
        inflated_at: Option<usize>,
        taker: &mut Taker<'_>,
    ) -> Result<(), Cause> {
        let sequence = envelope.sequence.ok_or(Cause::BadPayload)?;
        let kind = envelope.kind(document);
        let data = envelope.data(document);
        // RESUMED ends a replay, and READY says that there is none.
        let replayed = self.state() == StateName::Resuming
            && !matches!(kind, EventKind::Resumed | EventKind::Ready);
        self.context.stats.dispatches += 1;
        if kind == EventKind::Ready {
            let established = self.context.read_ready(data, sequence)?;
            self.apply(now, Signal::Ready(&established));
        } else {
            match self.context.resume.saw(sequence) {
                Order::Next => {}
                Order::Gap(missed) => self.context.stats.missed += missed,
                Order::NotAbove if replayed => {
                    self.context.stats.duplicates += 1;
                    return Ok(());
                }
                Order::NotAbove => self.context.stats.out_of_order += 1,
            }
            match kind {
                EventKind::Resumed => self.apply(now, Signal::Resumed),
                _ if replayed => {
                    self.context.stats.replayed += 1;
                    self.apply(now, Signal::Dispatched);
                }
                _ => {}
            }
            self.context.note_event(kind, data, now);
        }
        if !self.context.config.filter.lets_through(kind) {
            self.context.stats.filtered += 1;
            return Ok(());
        }
        self.context.stats.delivered += 1;
        match taker {
            // Whatever waits to be polled came first.
            Some(each) if self.context.outbox.is_empty() => each(Dispatch {
                sequence,
                kind,
                name: &name(document, envelope, kind),
                data,
                replayed,
            }),
            _ => self
                .context
                .queue(document, envelope, kind, sequence, replayed, inflated_at),
        }
        Ok(())
    }
}

/// Discord's name of a dispatch.
fn name<'a>(document: &'a [u8], envelope: &Envelope, kind: EventKind) -> Cow<'a, str> {
    match kind {
        EventKind::Unknown => envelope.name_text(document).unwrap_or_default(),
        known => Cow::Borrowed(known.name()),
    }
}

/// What matters of READY. Everything else in it is the user's business.
#[derive(Deserialize)]
struct ReadyPayload<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow, default)]
    resume_gateway_url: Option<Cow<'a, str>>,
    #[serde(default)]
    guilds: Vec<GuildStub>,
}

#[derive(Deserialize)]
struct GuildStub {
    id: Snowflake,
}

/// What matters of RATE_LIMITED.
#[derive(Deserialize)]
struct RateLimitedPayload<'a> {
    opcode: u64,
    retry_after: f64,
    #[serde(borrow, default)]
    meta: Option<RateLimitedMeta<'a>>,
}

#[derive(Deserialize, Default)]
struct RateLimitedMeta<'a> {
    #[serde(default)]
    guild_id: Option<Snowflake>,
    #[serde(borrow, default)]
    nonce: Option<Cow<'a, str>>,
}

impl Context {
    fn read_ready(&mut self, data: &[u8], sequence: u64) -> Result<Established, Cause> {
        let ready: ReadyPayload<'_> =
            serde_json::from_slice(data).map_err(|_| Cause::BadPayload)?;
        if ready.session_id.is_empty() {
            return Err(Cause::BadPayload);
        }
        let named = ready.resume_gateway_url.filter(|url| !url.is_empty());
        let allowed = named
            .as_deref()
            .filter(|url| url::check(url, self.config.custom_base).is_ok())
            .map(String::from);
        let url_refused = named.is_some() && allowed.is_none();
        self.guilds.reset(ready.guilds.iter().map(|guild| guild.id));
        let session = Resumption {
            session_id: ready.session_id.into_owned(),
            sequence,
            resume_gateway_url: allowed,
        };
        Ok(Established {
            session,
            url_refused,
            guilds: self.guilds.count(),
        })
    }

    /// What the session itself learns from an event, wanted by the user or not.
    fn note_event(&mut self, kind: EventKind, data: &[u8], now: Instant) {
        let id = || json::field(data, "id").and_then(json::snowflake);
        let unavailable = || json::field(data, "unavailable");
        match kind {
            EventKind::GuildCreate => {
                if let Some(id) = id() {
                    let unavailable = unavailable();
                    let available = unavailable != Some(b"true");
                    self.guilds.set(id, available, unavailable.is_none());
                }
            }
            EventKind::GuildDelete => match id() {
                Some(id) if unavailable() == Some(b"true") => self.guilds.set(id, false, false),
                Some(id) => self.guilds.remove(id),
                None => {}
            },
            EventKind::RateLimited => self.note_rate_limited(data, now),
            _ => {}
        }
    }

    fn note_rate_limited(&mut self, data: &[u8], now: Instant) {
        let Ok(limited) = serde_json::from_slice::<RateLimitedPayload<'_>>(data) else {
            return;
        };
        let retry_after =
            Duration::try_from_secs_f64(limited.retry_after).unwrap_or(Duration::ZERO);
        let meta = limited.meta.unwrap_or_default();
        let resent = limited.opcode == u64::from(Opcode::RequestGuildMembers.number())
            && self
                .commands
                .resend(meta.guild_id, meta.nonce.as_deref(), now + retry_after);
        let opcode = u8::try_from(limited.opcode).unwrap_or(u8::MAX);
        let guild_id = meta.guild_id;
        self.outbox.push(Item::RateLimited {
            opcode,
            retry_after,
            guild_id,
            resent,
        });
    }

    /// Queues a dispatch until it is polled.
    fn queue(
        &mut self,
        document: &[u8],
        envelope: &Envelope,
        kind: EventKind,
        sequence: u64,
        replayed: bool,
        inflated_at: Option<usize>,
    ) {
        let name = match kind {
            EventKind::Unknown => self.outbox.copy(name(document, envelope, kind).as_bytes()),
            _ => 0..0,
        };
        let data = match inflated_at {
            Some(at) => Span::Inflated(at + envelope.data.start..at + envelope.data.end),
            None => Span::Copied(self.outbox.copy(envelope.data(document))),
        };
        self.outbox.push(Item::Dispatch {
            sequence,
            kind,
            name,
            data,
            replayed,
        });
    }
}
