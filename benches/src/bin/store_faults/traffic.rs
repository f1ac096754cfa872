//! What the gateway tells of some guilds: each whole at first, then members who change and write, in small bursts.

use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::cache::Feed;
use shardkeep_benches::usage::wall_ns;
use shardkeep_core::Rng;
use shardkeep_core::wire::EventKind;
use shardkeep_sim::WholeGuilds;

use super::Outcome;

const GUILDS: u32 = 200;
const MEMBERS: u32 = 100;

/// Dispatches that come at once, and the time from one such burst to the next: 2,000 dispatches a second.
const BURST: usize = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// A guild as far as events need it.
struct Guild {
    id: Value,
    channels: Vec<Value>,
    members: Vec<Value>,
}

pub(crate) struct Traffic {
    feed: Feed,
    guilds: Vec<Guild>,
    rng: Rng,
    sequence: u64,
}

impl Traffic {
    /// Tells of all guilds.
    pub(crate) fn begin(mut feed: Feed) -> Outcome<Self> {
        let whole = WholeGuilds::new(7, GUILDS, MEMBERS);
        let (mut guilds, mut sequence) = (Vec::new(), 0);
        for index in 0..GUILDS {
            let d = whole.create(index, false);
            sequence += 1;
            feed.take(EventKind::GuildCreate, sequence, &d);
            let d: Value = serde_json::from_slice(&d)?;
            let of = |name: &str| d[name].as_array().cloned().unwrap_or_default();
            let users = of("members")
                .into_iter()
                .map(|member| member["user"].clone());
            guilds.push(Guild {
                id: d["id"].clone(),
                channels: of("channels")
                    .iter()
                    .map(|channel| channel["id"].clone())
                    .collect(),
                members: users.collect(),
            });
        }
        Ok(Self {
            feed,
            guilds,
            rng: Rng::new(7),
            sequence,
        })
    }

    /// Goes on for a while. What each dispatch took, in nanoseconds.
    pub(crate) fn go_on(&mut self, time: Duration) -> Vec<u64> {
        let begun = wall_ns();
        let end = begun + nanoseconds(time);
        let (mut next, mut took) = (begun, Vec::new());
        while next < end {
            let burst: Vec<_> = (0..BURST).map(|_| self.dispatch()).collect();
            next += nanoseconds(PAUSE);
            std::thread::sleep(Duration::from_nanos(next.saturating_sub(wall_ns())));
            for (kind, d) in burst {
                self.sequence += 1;
                let before = wall_ns();
                self.feed.take(kind, self.sequence, &d);
                took.push(wall_ns() - before);
            }
        }
        took
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.rng.below(most.max(1) as u64)).unwrap_or_default()
    }

    /// Seven of ten change a member, the others are messages.
    fn dispatch(&mut self) -> (EventKind, Vec<u8>) {
        let at = self.below(self.guilds.len());
        let who = self.below(self.guilds[at].members.len());
        let place = self.below(self.guilds[at].channels.len());
        let (number, is_change) = (self.rng.next_u64() >> 8, self.rng.below(10) < 7);
        let guild = &self.guilds[at];
        let (user, joined_at) = (&guild.members[who], "2021-03-04T05:06:07.890000+00:00");
        let (kind, d) = if is_change {
            let d = json!({
                "guild_id": guild.id,
                "user": user,
                "nick": format!("nick {number}"),
                "roles": [guild.id],
                "joined_at": joined_at,
            });
            (EventKind::GuildMemberUpdate, d)
        } else {
            let d = json!({
                "id": number.to_string(),
                "channel_id": guild.channels[place],
                "guild_id": guild.id,
                "author": user,
                "member": {"roles": [guild.id], "joined_at": joined_at},
                "content": format!("this is the message number {number}"),
                "timestamp": joined_at,
                "type": 0,
            });
            (EventKind::MessageCreate, d)
        };
        (kind, d.to_string().into_bytes())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
