//! What a session is told before it starts.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use super::url;
use crate::id::ShardId;
use crate::secret::Token;
use crate::wire::{Compression, EventFilter, Intents, Presence, Properties};

/// What counts as a sign of life from Discord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZombieRule {
    /// Only the acknowledgement of a heartbeat, as Discord documents it.
    #[default]
    Acknowledged,
    /// Any message since the last heartbeat. Finds a dead session later, bears a lost acknowledgement.
    AnyMessage,
}

/// The settings of one session. Start from [`Config::new`] and change what differs.
///
/// ```
/// use shardkeep_core::gateway::Config;
/// use shardkeep_core::wire::{Compression, Intents};
/// use shardkeep_core::{ShardId, Token};
///
/// let token = Token::new("not.a.token").unwrap();
/// let mut config = Config::new(ShardId::SINGLE, token, Intents::GUILDS, "wss://gateway.discord.gg");
/// config.compression = Compression::ZlibStream;
/// config.seed = 7;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Which shard of how many.
    pub shard: ShardId,
    /// The bot's token.
    pub token: Token,
    /// Which events Discord sends.
    pub intents: Intents,
    /// The `url` of `/gateway/bot`, without query.
    pub gateway_url: String,
    /// Whether the user configured a base URL of their own. Only then may the token go to hosts that are not Discord's,
    /// and only then over plain `ws://`.
    pub custom_base: bool,
    /// Compression of what Discord sends. The session needs an inflater to match. Default: none.
    pub compression: Compression,
    /// Which events are handed on. Default: all.
    pub filter: EventFilter,
    /// The bot's status from the start. Default: Discord's own (online).
    pub presence: Option<Presence>,
    /// What Discord is told about the client.
    pub properties: Properties,
    /// Members above which a guild's offline members are left out, 50 to 250. Default: Discord's own (50).
    pub large_threshold: Option<u8>,
    /// Identify's `capabilities` bits. Default: 0.
    pub capabilities: u64,
    /// What counts as a sign of life. Default: the acknowledgement.
    pub zombie_rule: ZombieRule,
    /// How long opening the socket may take, TLS included. Default: 30 s.
    pub connect_timeout: Duration,
    /// How long Hello may take. Default: 60 s.
    pub hello_timeout: Duration,
    /// How long READY may take after identify, or the next event after resume. Default: 60 s: Discord takes long for
    /// large shards and in an outage, and a second identify costs more than patience.
    pub ready_timeout: Duration,
    /// How long the socket may take to close before it counts as gone. Default: 5 s.
    pub close_timeout: Duration,
    /// A session shorter than this does not reset the backoff. Default: 30 s.
    pub stable_after: Duration,
    /// The longest backoff between attempts. Default: 60 s.
    pub backoff_max: Duration,
    /// How many resumes in a row may fail without progress before the session is given up. Default: 3.
    pub resume_attempts_max: u32,
    /// How often in a row 4001, 4002 or 4008 may come before it is escalated. Default: 3.
    pub escalate_after: u32,
    /// The largest payload that may be sent, in bytes. Default: 4,096, Discord's documented limit.
    pub payload_bytes_max: usize,
    /// The largest message that may be received, in inflated bytes. Default: 64 MiB.
    pub message_bytes_max: usize,
    /// How many commands may wait. Default: 1,000.
    pub command_queue_max: usize,
    /// Where jitter comes from. Give every session another one.
    pub seed: u64,
}

impl Config {
    /// Settings with the defaults that the fields name.
    #[must_use]
    pub fn new(shard: ShardId, token: Token, intents: Intents, gateway_url: &str) -> Self {
        Self {
            shard,
            token,
            intents,
            gateway_url: String::from(gateway_url),
            custom_base: false,
            compression: Compression::None,
            filter: EventFilter::all(),
            presence: None,
            properties: Properties::default(),
            large_threshold: None,
            capabilities: 0,
            zombie_rule: ZombieRule::default(),
            connect_timeout: Duration::from_secs(30),
            hello_timeout: Duration::from_secs(60),
            ready_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(5),
            stable_after: Duration::from_secs(30),
            backoff_max: Duration::from_secs(60),
            resume_attempts_max: 3,
            escalate_after: 3,
            payload_bytes_max: 4_096,
            message_bytes_max: 64 << 20,
            command_queue_max: 1_000,
            seed: 0,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        url::check(&self.gateway_url, self.custom_base).map_err(ConfigError::GatewayUrl)?;
        if let Some(threshold) = self.large_threshold
            && !(50..=250).contains(&threshold)
        {
            return Err(ConfigError::LargeThreshold(threshold));
        }
        if !self.intents.without(Intents::ALL).is_empty() {
            return Err(ConfigError::Intents(self.intents));
        }
        if self.payload_bytes_max < 1_024 {
            return Err(ConfigError::PayloadBytesMax(self.payload_bytes_max));
        }
        if self.message_bytes_max < 64 << 10 {
            return Err(ConfigError::MessageBytesMax(self.message_bytes_max));
        }
        Ok(())
    }
}

/// What is wrong with a [`Config`], and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The gateway URL cannot be used.
    GatewayUrl(url::UrlError),
    /// `large_threshold` is out of range.
    LargeThreshold(u8),
    /// The intents hold a bit that Discord does not document.
    Intents(Intents),
    /// `payload_bytes_max` is too small to identify with.
    PayloadBytesMax(usize),
    /// `message_bytes_max` is too small for ordinary events.
    MessageBytesMax(usize),
    /// The snapshot belongs to another shard.
    SnapshotShard {
        /// The shard in the snapshot.
        found: ShardId,
        /// The shard in the configuration.
        expected: ShardId,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GatewayUrl(error) => write!(f, "gateway URL: {error}"),
            Self::LargeThreshold(value) => {
                write!(f, "large_threshold is {value}: Discord takes 50 to 250")
            }
            Self::Intents(intents) => {
                write!(
                    f,
                    "intents {intents}: an undocumented bit closes the session with 4013"
                )
            }
            Self::PayloadBytesMax(value) => {
                write!(
                    f,
                    "payload_bytes_max is {value}: identify needs at least 1,024"
                )
            }
            Self::MessageBytesMax(value) => {
                write!(
                    f,
                    "message_bytes_max is {value}: ordinary events need at least 65,536"
                )
            }
            Self::SnapshotShard { found, expected } => {
                write!(
                    f,
                    "the snapshot is of shard {found}, the session of shard {expected}"
                )
            }
        }
    }
}

impl core::error::Error for ConfigError {}
