//! A session as it is stored and handed on: one line of JSON that says of itself whether it is whole.

use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::resume::Resumption;
use super::snapshot::Snapshot;
use crate::id::ShardId;

/// The layout that this version writes and reads.
const VERSION: u32 = 1;

/// No capsule is larger than this.
pub const CAPSULE_BYTES_MAX: usize = 1_024;

/// What stands between the session and the sum over it.
const CHECK: &str = ",\"check\":\"";

/// Everything that another process, on another host and in another language, needs in order to go on with a session,
/// as of some moment.
///
/// ```
/// use shardkeep_core::gateway::Capsule;
///
/// let capsule = Capsule {
///     shard_index: 3,
///     shard_total: 16,
///     session_id: "5c1fb0a1e0b8d0c4a1b2".into(),
///     received: 1_200,
///     acknowledged: 1_180,
///     ..Capsule::default()
/// };
/// let line = capsule.seal()?;
/// assert_eq!(Capsule::open(line.as_bytes())?, capsule);
/// // Resuming there brings what was not finished once more.
/// assert_eq!(capsule.snapshot().resumption.unwrap().sequence, 1_180);
/// # Ok::<(), shardkeep_core::gateway::CapsuleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capsule {
    /// The shard's index.
    pub shard_index: u32,
    /// How many shards the session's topology has.
    pub shard_total: u32,
    /// Discord's name for the session. Not a secret by itself: resuming takes the token too.
    pub session_id: String,
    /// The last sequence that was received.
    pub received: u64,
    /// The sequence up to which the application has finished: see [`Progress`](super::Progress).
    pub acknowledged: u64,
    /// Where to resume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_gateway_url: Option<String>,
    /// The encoding that the session was opened with.
    pub encoding: Encoding,
    /// How Discord compressed it, by the option's name. Compression belongs to a connection: the next one may differ.
    pub compression: String,
    /// How many guilds the session carries. A resume does not list them again.
    pub guilds: u32,
    /// Which session of its shard it is: each READY begins the next.
    pub epoch: u32,
    /// The fencing token of the lease under which it was written; 0 without leases. A store keeps the greatest.
    pub fencing: u64,
    /// When it was written, in milliseconds of Unix time.
    pub saved_at_ms: u64,
}

/// How payloads of a session are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Encoding {
    /// JSON, the only one that Shardkeep speaks.
    #[default]
    Json,
}

/// Why bytes are no capsule, or a session fits in none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapsuleError {
    /// More bytes than a capsule has.
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Not the JSON of a capsule, or cut short.
    Malformed,
    /// The sum does not fit: something changed on the way.
    Damaged,
    /// Written by another version.
    Version {
        /// Its layout.
        found: u32,
    },
    /// The shard's index is not below its total.
    NoShard {
        /// The index.
        index: u32,
        /// The total.
        total: u32,
    },
    /// More is acknowledged than was received.
    AheadOfItself {
        /// What is acknowledged.
        acknowledged: u64,
        /// What was received.
        received: u64,
    },
}

impl fmt::Display for CapsuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => write!(
                f,
                "a stored session of {bytes} bytes: none has more than {CAPSULE_BYTES_MAX}"
            ),
            Self::Malformed => f.write_str("not a stored session, or one that was cut short"),
            Self::Damaged => f.write_str("a stored session was changed since it was written"),
            Self::Version { found } => write!(
                f,
                "a stored session in layout {found}: this version reads {VERSION}; upgrade, or let the shard identify"
            ),
            Self::NoShard { index, total } => {
                write!(
                    f,
                    "a stored session of shard {index} of {total}: there is no such shard"
                )
            }
            Self::AheadOfItself {
                acknowledged,
                received,
            } => write!(
                f,
                "a stored session has finished {acknowledged} of {received} received"
            ),
        }
    }
}

impl core::error::Error for CapsuleError {}

/// What every layout has.
#[derive(Deserialize)]
struct Outer {
    version: u32,
}

/// How this one is written.
#[derive(Serialize)]
struct Sealed<'a> {
    version: u32,
    #[serde(flatten)]
    capsule: &'a Capsule,
}

impl Capsule {
    /// The session as it may be resumed elsewhere. `None` if there is no session.
    #[must_use]
    pub fn of(snapshot: &Snapshot, acknowledged: u64) -> Option<Self> {
        let resumption = snapshot.resumption.as_ref()?;
        Some(Self {
            shard_index: snapshot.shard_index,
            shard_total: snapshot.shard_total,
            session_id: resumption.session_id.clone(),
            received: resumption.sequence,
            acknowledged: acknowledged.min(resumption.sequence),
            resume_gateway_url: resumption.resume_gateway_url.clone(),
            guilds: snapshot.guilds,
            ..Self::default()
        })
    }

    /// What a session goes on from: it resumes at the acknowledged sequence.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            shard_index: self.shard_index,
            shard_total: self.shard_total,
            resumption: Some(Resumption {
                session_id: self.session_id.clone(),
                sequence: self.acknowledged,
                resume_gateway_url: self.resume_gateway_url.clone(),
            }),
            guilds: self.guilds,
        }
    }

    /// The shard that the session is of; `None` if the capsule was not [`open`](Self::open)ed and is of none.
    #[must_use]
    pub const fn shard(&self) -> Option<ShardId> {
        ShardId::new(self.shard_index, self.shard_total)
    }

    /// One line of JSON.
    ///
    /// # Errors
    ///
    /// [`CapsuleError`] if [`Capsule::open`] would refuse it: names that Discord made so long that they do not fit into
    /// [`CAPSULE_BYTES_MAX`], or numbers that cannot be.
    pub fn seal(&self) -> Result<String, CapsuleError> {
        self.check()?;
        let sealed = Sealed {
            version: VERSION,
            capsule: self,
        };
        let mut line = serde_json::to_string(&sealed).map_err(|_| CapsuleError::Malformed)?;
        line.pop();
        let sum = sum(line.as_bytes());
        line.push_str(&format!("{CHECK}{sum:016x}\"}}"));
        if line.len() > CAPSULE_BYTES_MAX {
            return Err(CapsuleError::TooLarge { bytes: line.len() });
        }
        Ok(line)
    }

    /// Reads what [`seal`](Self::seal) wrote.
    ///
    /// # Errors
    ///
    /// [`CapsuleError`] says what is wrong with it. Nothing of a capsule that is refused should be used: its shard
    /// identifies.
    pub fn open(line: &[u8]) -> Result<Self, CapsuleError> {
        if line.len() > CAPSULE_BYTES_MAX {
            return Err(CapsuleError::TooLarge { bytes: line.len() });
        }
        let line = line.trim_ascii();
        let outer: Outer = serde_json::from_slice(line).map_err(|_| CapsuleError::Malformed)?;
        if outer.version != VERSION {
            return Err(CapsuleError::Version {
                found: outer.version,
            });
        }
        let end = CHECK.len() + 16 + 2;
        let (body, seal) = line
            .len()
            .checked_sub(end)
            .map(|at| line.split_at(at))
            .ok_or(CapsuleError::Malformed)?;
        if seal != format!("{CHECK}{:016x}\"}}", sum(body)).as_bytes() {
            return Err(CapsuleError::Damaged);
        }
        let capsule: Self = serde_json::from_slice(line).map_err(|_| CapsuleError::Malformed)?;
        capsule.check()?;
        Ok(capsule)
    }

    fn check(&self) -> Result<(), CapsuleError> {
        if self.shard().is_none() {
            let (index, total) = (self.shard_index, self.shard_total);
            return Err(CapsuleError::NoShard { index, total });
        }
        if self.acknowledged > self.received {
            let (acknowledged, received) = (self.acknowledged, self.received);
            return Err(CapsuleError::AheadOfItself {
                acknowledged,
                received,
            });
        }
        Ok(())
    }
}

/// FNV-1a. It finds what a disk or a half-written file does; nobody is kept from forging one.
fn sum(bytes: &[u8]) -> u64 {
    let fold = |sum: u64, &byte: &u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capsule() -> Capsule {
        Capsule {
            shard_index: 3,
            shard_total: 16,
            session_id: "5c1fb0a1e0b8d0c4a1b25c1fb0a1e0b8".into(),
            received: 1_200_000,
            acknowledged: 1_180_000,
            resume_gateway_url: Some("wss://gateway-us-east1-d.discord.gg".into()),
            compression: "zlib-stream".into(),
            guilds: 1_000,
            epoch: 7,
            fencing: 41,
            saved_at_ms: 1_796_000_000_000,
            ..Capsule::default()
        }
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let line = capsule().seal().unwrap();
        assert!(line.len() < 512, "{}", line.len());
        assert_eq!(Capsule::open(line.as_bytes()).unwrap(), capsule());
        assert_eq!(
            Capsule::open(format!("{line}\n").as_bytes()).unwrap(),
            capsule()
        );
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let line = capsule().seal().unwrap().into_bytes();
        for at in 0..line.len() {
            for flip in [1, 0x20, 0x80] {
                let mut changed = line.clone();
                changed[at] ^= flip;
                assert!(Capsule::open(&changed).is_err(), "byte {at} ^ {flip}");
            }
            assert!(Capsule::open(&line[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_in_both_directions() {
        let wrong = Capsule {
            acknowledged: 9,
            received: 8,
            ..capsule()
        };
        let why = CapsuleError::AheadOfItself {
            acknowledged: 9,
            received: 8,
        };
        assert_eq!(wrong.seal(), Err(why));
        let nowhere = Capsule {
            shard_index: 16,
            ..capsule()
        };
        assert!(matches!(nowhere.seal(), Err(CapsuleError::NoShard { .. })));
        let long = Capsule {
            session_id: "x".repeat(2_000),
            ..capsule()
        };
        assert!(matches!(long.seal(), Err(CapsuleError::TooLarge { .. })));
        let newer = br#"{"version":2,"shards":"something else","check":"0000000000000000"}"#;
        assert_eq!(
            Capsule::open(newer),
            Err(CapsuleError::Version { found: 2 })
        );
    }
}
