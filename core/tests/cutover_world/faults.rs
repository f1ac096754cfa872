//! What goes wrong: sessions that stall or are lost, processes that crash or die.

use shardkeep_core::Snowflake;
use shardkeep_core::fleet::cutover::{Joining, JoiningSnapshot, Leaving, LeavingSnapshot, SHARED};

use super::session::Item;
use super::{World, instant};

impl World {
    pub(crate) fn faults(&mut self) {
        if self.old.is_dead && self.now >= self.old.died_at + 20_000 {
            self.take_over();
        }
        if self.now < 5_000 || self.now > 140_000 {
            return;
        }
        let weather = self.weather;
        let rare = |world: &mut Self, one_in: u64| world.rng.below(one_in) == 0;
        if weather.resumes && rare(self, 2_500) {
            self.stall();
        }
        if weather.new_lost && rare(self, 4_000) {
            self.lose_new();
        }
        if weather.old_lost && rare(self, 6_000) && !self.old.session.is_down {
            self.lose_old();
        }
        if weather.crashes && rare(self, 4_000) {
            if rare(self, 2) {
                self.crash_old();
            } else {
                self.crash_new();
            }
        }
        if weather.old_dies && rare(self, 5_000) && !self.old.is_dead {
            self.kill_old();
        }
    }

    /// A connection is away for some seconds; the session is resumed, and what was missed comes late.
    fn stall(&mut self) {
        let until = self.now + 500 + self.rng.below(9_000);
        let which = self.rng.below(1 + self.new.len() as u64) as usize;
        let session = if which == 0 {
            &mut self.old.session
        } else {
            &mut self.new[which - 1].session
        };
        if session.is_open && !session.is_down {
            session.away_until = until;
            session.push(until, 1, &mut self.rng, Item::Resumed);
        }
    }

    /// Discord has forgotten a new session: another one begins, a while later.
    fn lose_new(&mut self) {
        let which = self.rng.below(self.new.len() as u64) as usize;
        let new = &mut self.new[which];
        if !new.session.is_open {
            return;
        }
        self.trouble.push(format!("{}: new {which} lost", self.now));
        new.session.is_open = false;
        new.session.queue.clear();
        new.to_create.clear();
        new.starts = self.now + 500 + self.rng.below(8_000);
    }

    /// Discord has forgotten the old session, and it is not begun anew.
    fn lose_old(&mut self) {
        if self.old.is_dead {
            return;
        }
        self.trouble.push(format!("{}: old lost", self.now));
        self.old.session.is_down = true;
        self.old.session.is_open = false;
        self.old.session.queue.clear();
        self.old.leaving.lost();
    }

    /// What a process that crashes has dispatched without finishing it, it has not dispatched.
    fn undo(&mut self, side: usize) {
        let session = if side == 0 {
            &self.old.session
        } else {
            &self.new[side - 1].session
        };
        let open: Vec<u64> = session.replay.iter().map(|item| item.0).collect();
        self.dispatched
            .retain(|(_, by, sequence)| *by != side || !open.contains(sequence));
    }

    fn crash_old(&mut self) {
        if self.old.is_dead || self.old.session.is_down {
            return;
        }
        self.trouble.push(format!("{}: old crashed", self.now));
        self.undo(0);
        let empty = LeavingSnapshot::default();
        let stored = self.old.stored.as_ref().unwrap_or(&empty);
        let (config, guilds) = (self.old.config.clone(), self.old.guilds.iter().copied());
        self.old.leaving = Leaving::restore(instant(self.now), config, guilds, stored);
        self.old.session.resume_elsewhere(self.now);
    }

    fn crash_new(&mut self) {
        let side = self.rng.below(self.new.len() as u64) as usize;
        if !self.new[side].session.is_open {
            return;
        }
        self.trouble
            .push(format!("{}: new {side} crashed", self.now));
        self.undo(side + 1);
        let new = &mut self.new[side];
        let empty = JoiningSnapshot::default();
        let stored = new.stored.as_ref().unwrap_or(&empty);
        let (config, guilds) = (new.config.clone(), new.guilds.iter().copied());
        let now = instant(self.now);
        let begun = new.session.delivered > 0;
        new.joining = Joining::restore(now, config, guilds, stored);
        if begun {
            let created = new
                .guilds
                .iter()
                .filter(|id| !new.to_create.contains(&id.0));
            let pending: Vec<u64> = new
                .session
                .queue
                .iter()
                .filter_map(|item| match item.2 {
                    Item::Create(guild) => Some(guild),
                    _ => None,
                })
                .chain(new.session.replay.iter().filter_map(|item| match item.1 {
                    Item::Create(guild) => Some(guild),
                    _ => None,
                }))
                .collect();
            for guild in created.filter(|id| !pending.contains(&id.0)) {
                new.joining.watch(now, *guild);
            }
            let will_be_ready = new.session.queue.iter().any(|item| item.2 == Item::Ready);
            if new.config.takes_shared && !will_be_ready {
                new.joining.watch(now, SHARED);
            }
        }
        new.session.resume_elsewhere(self.now);
    }

    /// The old process dies, and nobody goes on with its session.
    fn kill_old(&mut self) {
        self.trouble.push(format!("{}: old died", self.now));
        // What it had not finished of guilds that it had given away is its session's account, not the cutover's.
        let open: Vec<u64> = self.old.session.replay.iter().map(|item| item.0).collect();
        let (truths, leaving) = (&self.truths, &self.old.leaving);
        self.dispatched.retain(|(index, by, sequence)| {
            let is_cut = leaving.is_cut(Snowflake(truths[*index].guild));
            *by != 0 || is_cut || !open.contains(sequence)
        });
        self.old.is_dead = true;
        self.old.died_at = self.now;
        let session = &self.old.session;
        let replay = session.replay.iter().map(|item| item.1);
        let open = replay.chain(session.queue.iter().map(|item| item.2));
        let open = open.filter_map(|item| match item {
            Item::Truth(index) => Some(self.truths[index].at),
            _ => None,
        });
        self.old.finished_at = open.min().unwrap_or(self.now);
        self.old.session.is_open = false;
        self.old.session.is_down = true;
        self.old.session.queue.clear();
    }

    fn take_over(&mut self) {
        let sign = self.old.finished_at;
        for side in 0..self.new.len() {
            let new = &mut self.new[side];
            let mut guilds = new.guilds.clone();
            if new.config.takes_shared {
                guilds.push(SHARED);
            }
            for guild in guilds {
                new.joining
                    .take_over(instant(self.now), guild, instant(sign));
            }
            self.take_settled(side);
        }
    }
}
