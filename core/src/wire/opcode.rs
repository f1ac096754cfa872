//! Gateway opcodes.

/// A gateway opcode that bots send or receive. Others exist (5, 12 to 30, 32 to 42 belong to user clients): they are
/// passed by, and sending one closes the connection with 4001.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Opcode {
    /// Received: an event, with a sequence and a name.
    Dispatch = 0,
    /// Both ways: keep-alive; received, it asks for one at once.
    Heartbeat = 1,
    /// Sent: starts a session. Counts against the identify budget.
    Identify = 2,
    /// Sent: the bot's status and activities.
    PresenceUpdate = 3,
    /// Sent: join, move between or leave voice channels.
    VoiceStateUpdate = 4,
    /// Sent: continue a session. Free.
    Resume = 6,
    /// Received: reconnect and resume.
    Reconnect = 7,
    /// Sent: ask for members of one guild.
    RequestGuildMembers = 8,
    /// Received: the session could not start, could not resume, or ended.
    InvalidSession = 9,
    /// Received: the first message of a connection, with the heartbeat interval.
    Hello = 10,
    /// Received: a heartbeat arrived.
    HeartbeatAck = 11,
    /// Sent: ask for the soundboard sounds of guilds.
    RequestSoundboardSounds = 31,
    /// Sent: ask for a guild's ephemeral channel fields.
    RequestChannelInfo = 43,
}

impl Opcode {
    /// Every listed opcode, by number.
    pub const ALL: &'static [Self] = &[
        Self::Dispatch,
        Self::Heartbeat,
        Self::Identify,
        Self::PresenceUpdate,
        Self::VoiceStateUpdate,
        Self::Resume,
        Self::Reconnect,
        Self::RequestGuildMembers,
        Self::InvalidSession,
        Self::Hello,
        Self::HeartbeatAck,
        Self::RequestSoundboardSounds,
        Self::RequestChannelInfo,
    ];

    /// The opcode with this number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|&op| op as u64 == number)
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}
