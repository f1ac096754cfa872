//! What a session sends of its own accord: heartbeat, identify, resume.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::intents::Intents;
use super::json::{write_string, write_unsigned};
use super::opcode::Opcode;
use super::presence::Presence;
use crate::id::ShardId;
use crate::secret::Token;

/// What the client says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Properties {
    /// The operating system.
    pub os: String,
    /// The library.
    pub browser: String,
    /// The library again.
    pub device: String,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            os: String::from("linux"),
            browser: String::from("shardkeep"),
            device: String::from("shardkeep"),
        }
    }
}

/// Starts a session (op 2). It counts against the identify budget.
///
/// ```
/// use shardkeep_core::wire::{Identify, Intents, Properties};
/// use shardkeep_core::{ShardId, Token};
///
/// let identify = Identify {
///     token: &Token::new("abc.def.ghi").unwrap(),
///     intents: Intents::GUILDS,
///     properties: &Properties::default(),
///     compress: false,
///     large_threshold: None,
///     shard: ShardId::new(3, 16).unwrap(),
///     presence: None,
///     capabilities: 0,
/// };
/// let mut payload = Vec::new();
/// identify.write(&mut payload);
/// assert!(payload.starts_with(br#"{"op":2,"d":{"token":"abc.def.ghi","intents":1,"#));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Identify<'a> {
    /// Written bare, without `Bot `.
    pub token: &'a Token,
    /// Which events Discord sends.
    pub intents: Intents,
    /// What the client says it is.
    pub properties: &'a Properties,
    /// Payload compression ([`super::Compression::Payload`]); left out where false.
    pub compress: bool,
    /// Member count above which GUILD_CREATE leaves out offline members, from 50 to 250: other numbers are brought into
    /// that range. Discord's default is 50.
    pub large_threshold: Option<u8>,
    /// Which shard of how many.
    pub shard: ShardId,
    /// The presence to start with.
    pub presence: Option<&'a Presence>,
    /// Bits of `capabilities`; left out where 0.
    pub capabilities: u64,
}

#[derive(Serialize)]
struct IdentifyBody<'a> {
    token: &'a str,
    intents: u64,
    properties: &'a Properties,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    compress: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    large_threshold: Option<u8>,
    shard: [u32; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<&'a Presence>,
    #[serde(skip_serializing_if = "is_zero")]
    capabilities: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Identify<'_> {
    /// Appends the whole payload.
    pub fn write(&self, out: &mut Vec<u8>) {
        let body = IdentifyBody {
            token: self.token.expose(),
            intents: self.intents.bits(),
            properties: self.properties,
            compress: self.compress,
            large_threshold: self.large_threshold.map(|members| members.clamp(50, 250)),
            shard: [self.shard.index(), self.shard.total()],
            presence: self.presence,
            capabilities: self.capabilities,
        };
        write_payload(out, Opcode::Identify, &body);
    }
}

/// Appends `{"op":…,"d":…}`.
pub(super) fn write_payload<T: Serialize>(out: &mut Vec<u8>, op: Opcode, body: &T) {
    out.extend_from_slice(b"{\"op\":");
    write_unsigned(out, u64::from(op.number()));
    out.extend_from_slice(b",\"d\":");
    // Every body is a struct of strings, numbers and lists, with names for keys: there is nothing that JSON cannot say.
    let json = serde_json::to_vec(body).expect("a struct of plain values is always JSON");
    out.extend_from_slice(&json);
    out.push(b'}');
}

/// Appends a heartbeat (op 1) with the last sequence that was received in this session.
pub fn write_heartbeat(out: &mut Vec<u8>, sequence: Option<u64>) {
    out.extend_from_slice(b"{\"op\":1,\"d\":");
    match sequence {
        Some(sequence) => write_unsigned(out, sequence),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

/// Appends a resume (op 6): continues the session `session_id` after `sequence`.
pub fn write_resume(out: &mut Vec<u8>, token: &Token, session_id: &str, sequence: u64) {
    out.extend_from_slice(b"{\"op\":6,\"d\":{\"token\":");
    write_string(out, token.expose());
    out.extend_from_slice(b",\"session_id\":");
    write_string(out, session_id);
    out.extend_from_slice(b",\"seq\":");
    write_unsigned(out, sequence);
    out.extend_from_slice(b"}}");
}
