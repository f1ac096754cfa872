//! What befalls a fleet.

use core::time::Duration;

use shardkeep_core::fleet::Input;
use shardkeep_core::fleet::reshard::across::Steer;
use shardkeep_core::wire::CloseCode;

use super::draw::{Mishap, Storm};
use super::happening::Happening;
use super::process::Slot;
use super::stage::Stage;
use crate::{Control, Fault, Target, WeightedFault};

impl Stage<'_> {
    pub(super) fn befall(&mut self, mishap: Mishap) {
        self.tell(|_| format!("{mishap:?}"));
        self.report.mishaps += 1;
        let now = self.now;
        match mishap {
            Mishap::Crash {
                member,
                back_after,
                with_machine,
                is_new_name,
            } => {
                if let Some(by) = self.pick(member) {
                    self.crash(by, with_machine);
                    self.come_back(by, back_after, is_new_name);
                }
            }
            Mishap::Leave { member, back_after } => {
                if let Some(by) = self.pick(member).filter(|&by| self.can_leave(by)) {
                    self.leave(by);
                    self.come_back(by, back_after, false);
                }
            }
            Mishap::Pause { member, lasts } => {
                if let Some(by) = self.pick(member) {
                    let known = self.processes[by].paused_until.unwrap_or(now);
                    self.processes[by].paused_until = Some(known.max(now + lasts));
                }
            }
            Mishap::RegisterCut { member, lasts } => {
                if let Some(by) = self.pick(member) {
                    self.processes[by].register_cut_until = now + lasts;
                }
            }
            Mishap::RegisterAway { lasts, is_lost } => {
                self.register_away_until = now + lasts;
                if is_lost {
                    self.register.lose();
                }
            }
            Mishap::DiscordCut { member, lasts } => {
                if let Some(by) = self.pick(member) {
                    self.processes[by].discord_cut_until = now + lasts;
                    self.silence(by);
                }
            }
            Mishap::StoreCut { member, lasts } => {
                if let Some(by) = self.pick(member) {
                    self.processes[by].store_cut_until = now + lasts;
                }
            }
            Mishap::StoreAway { lasts } => self.store.away_until = now + lasts,
            Mishap::StoreSlow { lasts } => self.store.slow_until = now + lasts,
            Mishap::Storm(storm) => self.storm(storm),
            Mishap::Outage { lasts, kind } => self.outage(lasts, kind),
            Mishap::Weather { every, lasts } => self.weather(every, lasts),
            Mishap::BusCut { member, lasts } => {
                if let Some(by) = self.pick(member) {
                    self.processes[by].bus_cut_until = now + lasts;
                }
            }
            operators => self.operate(operators),
        }
    }

    /// What the operator does.
    fn operate(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::Reshard { total } => {
                let is_asked_for = self.wanted.is_none() && self.has_asked;
                match self.scene.is_leased {
                    false => self.reshard_to(total),
                    // He tries again until it has begun, or cannot.
                    true if !is_asked_for => self.reshard_fleet(total),
                    true => {}
                }
            }
            Mishap::Abort => {
                self.abort_change();
                self.steer_fleet(Steer::Abort);
            }
            Mishap::Hold { lasts } => {
                self.steer_fleet(Steer::Pause);
                self.plan_in(lasts, Happening::Mishap(Mishap::Resume));
            }
            Mishap::Resume => self.steer_fleet(Steer::Resume),
            // The others befall the machines.
            _ => {}
        }
    }

    /// One of the processes that live.
    fn pick(&self, member: usize) -> Option<usize> {
        let alive = (0..self.processes.len()).filter(|&at| self.processes[at].is_alive);
        let alive: Vec<usize> = alive.collect();
        alive.get(member % alive.len().max(1)).copied()
    }

    fn can_leave(&self, by: usize) -> bool {
        let process = &self.processes[by];
        !process.is_leaving && !process.is_paused(self.now)
    }

    /// A process is gone, and all that it had not stored.
    fn crash(&mut self, by: usize, with_machine: bool) {
        self.tell(|_| format!("{by} is gone"));
        if with_machine {
            self.silence(by);
        }
        self.processes[by].is_alive = false;
        self.is_ledger_lost |= self.processes[by].change.is_some();
        self.truth.crashed(by);
        let slots = std::mem::take(&mut self.processes[by].slots);
        for slot in slots.into_values() {
            self.part_breaks_off(&slot);
            let connection = slot.shard.and_then(|shard| shard.connection);
            if let Some(connection) = connection {
                match with_machine {
                    true => self.network.forget(connection),
                    false => self.hang_up(connection, None),
                }
            }
        }
    }

    /// A side of a cutover ends with its process, or with its lease: it goes on elsewhere, from what is stored.
    pub(super) fn part_breaks_off(&mut self, slot: &Slot) {
        let there = slot.shard.as_ref();
        if let Some(switch) = there.and_then(|there| there.switch.as_ref()) {
            self.cutover_sum += switch.part.sum();
            self.is_part_broken = true;
            self.report.broken_off += u64::from(self.scene.is_leased);
        }
    }

    fn come_back(&mut self, by: usize, after: Option<Duration>, is_new_name: bool) {
        let process = &self.processes[by];
        let mut name = process.name.clone();
        if is_new_name {
            name.push('+');
        }
        let start = Happening::Start(name, process.capacity);
        if let Some(after) = after {
            self.plan_in(after, start);
        }
    }

    /// A process gets SIGTERM.
    fn leave(&mut self, by: usize) {
        let local = self.local(by);
        self.tell(|_| format!("{by} leaves"));
        self.processes[by].is_leaving = true;
        match &mut self.processes[by].holder {
            Some(holder) => holder.leave(local),
            None => self.tell_fleet(by, Input::Shutdown),
        }
        self.settle(by);
        self.wake_up(by);
    }

    /// Nothing is heard any more on the connections of a process, and neither side is told.
    fn silence(&mut self, by: usize) {
        let slots = self.processes[by].slots.values();
        let connections: Vec<_> = slots
            .filter_map(|slot| slot.shard.as_ref()?.connection)
            .collect();
        for connection in connections {
            self.network.lose(connection);
            self.cause(Target::Connection(connection), Fault::HalfOpen);
        }
    }

    fn cause(&mut self, target: Target, fault: Fault) {
        self.world
            .control(self.now, Control::Fault { target, fault });
    }

    fn storm(&mut self, storm: Storm) {
        let fault = match storm {
            Storm::Reconnect => Fault::Reconnect { count: 1 },
            Storm::Invalid => Fault::InvalidSession { resumable: true },
            Storm::Forgotten => Fault::InvalidSession { resumable: false },
            Storm::Drop => Fault::Drop,
        };
        self.cause(Target::All, fault);
    }

    fn outage(&mut self, lasts: Duration, kind: u64) {
        let for_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        let fault = match kind {
            0 => Fault::NoHello { for_ms },
            1 => Fault::NoReady { for_ms },
            _ => Fault::RefuseConnections { for_ms },
        };
        self.cause(Target::Any, fault);
        if kind == 2 {
            self.cause(Target::All, Fault::Drop);
        }
    }

    fn weather(&mut self, every: Duration, lasts: Duration) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let code = |code: CloseCode| Fault::Close { code: code.0 };
        let slow = Fault::Slow {
            delay_ms: 3_000,
            for_ms: Some(10_000),
        };
        let faults = [
            (6, Fault::Drop),
            (4, Fault::HalfOpen),
            (3, slow),
            (3, Fault::Zombie),
            (3, Fault::LostAck { count: 1 }),
            (6, Fault::Reconnect { count: 1 }),
            (2, Fault::InvalidSession { resumable: true }),
            (1, Fault::InvalidSession { resumable: false }),
            (2, code(CloseCode::UNKNOWN_ERROR)),
            (1, code(CloseCode::SESSION_TIMED_OUT)),
            (2, Fault::TruncatedFrame),
            (2, Fault::CorruptFrame),
            (1, Fault::SessionLoss),
            (2, Fault::RequestHeartbeat),
        ];
        let faults = faults.map(|(weight, fault)| WeightedFault { fault, weight });
        self.world.control(
            self.now,
            Control::Weather {
                every_ms: millis(every),
                faults: faults.to_vec(),
                for_ms: Some(millis(lasts)),
            },
        );
    }
}
