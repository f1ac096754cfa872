//! What the store and Discord answer, and how they fail.

use shardkeep_core::cache::{Input, Write, Written};

use crate::outside::{Later, chance};
use crate::run::Run;

impl Run {
    /// Something that was asked for is answered, in any order.
    pub(crate) fn answer_one(&mut self) {
        if self.later.is_empty() {
            return;
        }
        let at = self.rng.below(self.later.len() as u64) as usize;
        match self.later.swap_remove(at) {
            Later::Write(batch, writes) => {
                let outcomes: Vec<Written> = writes.iter().map(|write| self.write(write)).collect();
                if !chance(&mut self.rng, self.fault) {
                    self.input(Input::Written {
                        batch,
                        outcomes: &outcomes,
                    });
                }
            }
            Later::Read(keys) => {
                for (flight, key) in keys {
                    if chance(&mut self.rng, self.fault) {
                        if chance(&mut self.rng, 2) {
                            self.input(Input::ReadFailed { flight });
                        }
                        continue;
                    }
                    let held = self.store.records.get(&key).cloned();
                    let version = held.as_ref().map(|(version, _)| *version);
                    let json = held.and_then(|(_, json)| json);
                    self.input(Input::Held {
                        flight,
                        json: json.as_deref(),
                        version,
                    });
                }
            }
            Later::Ask(flight, json) => match json {
                _ if chance(&mut self.rng, self.fault) => self.input(Input::AskFailed { flight }),
                Some(json) => self.input(Input::Answered {
                    flight,
                    json: &json,
                }),
                None => self.input(Input::NotFound { flight }),
            },
        }
        self.drain();
    }

    /// A write, done or not, known or not.
    fn write(&mut self, write: &Write) -> Written {
        if !chance(&mut self.rng, self.fault) {
            return self.store.write(write);
        }
        if chance(&mut self.rng, 2) {
            self.store.write(write);
        }
        Written::Failed
    }
}
