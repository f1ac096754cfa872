//! Every order of events leads to an exact cover, and nothing stops before what replaces it is stored.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Input, Outcome, Output, Reshard, Stage};
use crate::fleet::{Facts, Plan, Serving, SessionStartLimit, Target, Topology};
use crate::id::{ShardId, Snowflake};

fn facts(overlays: &[ShardId]) -> Facts {
    let mut facts = Facts::new(SessionStartLimit {
        total: 1000,
        remaining: 1000,
        reset_after_ms: 1,
        max_concurrency: 1,
    });
    facts.overlays = overlays.to_vec();
    facts
}

fn shard(index: u32, total: u32) -> ShardId {
    ShardId::new(index, total).unwrap()
}

/// What a driver does, and what must hold meanwhile.
struct Drive {
    reshard: Reshard,
    /// Sessions that are open, and whether they had READY.
    open: BTreeMap<ShardId, bool>,
    stored: Serving,
    /// Sessions with a side that leaves, and with one that joins.
    leaving: BTreeSet<ShardId>,
    joining: BTreeSet<ShardId>,
    stopping: BTreeSet<ShardId>,
    commits: usize,
    may_ask: bool,
    outcome: Option<Outcome>,
}

impl Drive {
    fn new(plan: &Plan) -> Self {
        let before = plan.before();
        let base = before.topology().shards().iter();
        let open = base.chain(before.overlays()).map(|&shard| (shard, true));
        let mut drive = Self {
            reshard: Reshard::new(plan, 1),
            open: open.collect(),
            stored: before.clone(),
            leaving: BTreeSet::new(),
            joining: BTreeSet::new(),
            stopping: BTreeSet::new(),
            commits: 0,
            may_ask: false,
            outcome: None,
        };
        drive.drain();
        drive
    }

    fn drain(&mut self) {
        while let Some(output) = self.reshard.poll_output() {
            assert_eq!(self.outcome, None, "{output:?} after the end");
            match output {
                Output::Leave { shard, .. } => assert!(self.leaving.insert(shard)),
                Output::Start { shard, .. } => {
                    assert!(!self.leaving.is_empty(), "the old side comes first");
                    assert_eq!(self.open.insert(shard, false), None);
                    assert!(self.joining.insert(shard));
                }
                Output::Join { shard, .. } => {
                    assert_eq!(self.open.insert(shard, false), Some(true));
                    assert!(self.joining.insert(shard));
                }
                Output::Ask { is_on } => self.may_ask = is_on,
                Output::Commit => self.commits += 1,
                Output::Stay { shard } => {
                    let left = self.leaving.remove(&shard);
                    assert!(left || self.joining.remove(&shard));
                }
                Output::Stop { shard } => {
                    let serving = self.reshard.serving();
                    let base = serving.topology().shards().iter();
                    assert!(
                        base.chain(serving.overlays())
                            .all(|serves| *serves != shard)
                    );
                    assert_eq!(*serving, self.stored, "stored before anything stops");
                    self.leaving.remove(&shard);
                    self.stopping.insert(shard);
                }
                Output::Ended(outcome) => self.outcome = Some(outcome),
            }
        }
        // What serves is open, whatever happens.
        let serving = self.reshard.serving();
        for guild in 0..64_u64 {
            let serves = serving.shard_of(Snowflake(guild << 22));
            assert!(
                self.open.contains_key(&serves),
                "{serves} serves and is closed"
            );
        }
    }

    fn feed(&mut self, input: Input) {
        self.reshard.handle_input(input);
        self.drain();
    }

    fn pick(of: impl IntoIterator<Item = ShardId>, n: usize) -> Option<ShardId> {
        let all: Vec<_> = of.into_iter().collect();
        (!all.is_empty()).then(|| all[n % all.len()])
    }

    fn step(&mut self, kind: u8, n: usize) {
        match kind {
            0..=3 => {
                let young = self.open.iter().filter(|(_, ready)| !**ready);
                if let Some(shard) = Self::pick(young.map(|(shard, _)| *shard), n) {
                    self.open.insert(shard, true);
                    self.feed(Input::Ready { shard });
                }
            }
            4..=7 => {
                if self.may_ask
                    && self.reshard.progress().stage == Stage::Switching
                    && let Some(shard) = Self::pick(self.leaving.iter().copied(), n)
                {
                    self.feed(Input::Left { shard });
                }
            }
            8..=10 => {
                // A side that joins may be through before the other has said so.
                let may = self.may_ask && self.reshard.progress().stage == Stage::Switching;
                if let Some(shard) = Self::pick(self.joining.iter().copied(), n)
                    && (may || self.reshard.settling.contains(&shard))
                {
                    self.joining.remove(&shard);
                    self.feed(Input::Settled { shard });
                }
            }
            11 | 12 if self.commits > 0 => {
                self.commits -= 1;
                self.stored = self.reshard.serving().clone();
                self.feed(Input::Committed);
            }
            13..=15 => {
                if let Some(shard) = self.stopping.pop_first() {
                    self.open.remove(&shard);
                    self.joining.remove(&shard);
                    self.feed(Input::Ended { shard });
                }
            }
            16 => self.feed(Input::Pause),
            17 | 18 => self.feed(Input::Resume),
            // Nonsense.
            19 => self.feed(Input::Ended {
                shard: shard(3, 999),
            }),
            20 if self.commits == 0 => self.feed(Input::Committed),
            21 if n.is_multiple_of(40) => self.feed(Input::Abort),
            _ => {}
        }
    }

    /// Everything goes well from here on.
    fn finish(&mut self) {
        self.feed(Input::Resume);
        for round in 0..10_000 {
            if self.outcome.is_some() {
                return;
            }
            for kind in [0, 4, 8, 11, 13] {
                self.step(kind, round);
            }
        }
        panic!("it does not end: {:?}", self.reshard);
    }
}

fn plan(before: u32, target: Target, overlays: &[ShardId]) -> Plan {
    Plan::new(&Topology::whole(before).unwrap(), target, &facts(overlays)).unwrap()
}

fn plans() -> Vec<Plan> {
    vec![
        plan(4, Target::Shards(8), &[]),
        plan(8, Target::Shards(4), &[]),
        plan(4, Target::Shards(6), &[]),
        plan(3, Target::Generation(5), &[]),
        plan(4, Target::Isolate(Snowflake(13 << 22)), &[]),
        plan(4, Target::Rejoin(shard(13, 400)), &[shard(13, 400)]),
        plan(4, Target::Shards(5), &[shard(13, 400)]),
    ]
}

#[test]
fn every_kind_of_plan_ends_where_it_leads() {
    for plan in plans() {
        let mut drive = Drive::new(&plan);
        drive.finish();
        assert_eq!(drive.outcome, Some(Outcome::Done), "{plan}");
        assert_eq!(drive.reshard.serving(), plan.after(), "{plan}");
        let open: Vec<_> = drive.open.into_keys().collect();
        assert_eq!(open.len(), plan.after().sessions(), "{plan}");
        assert!(drive.leaving.is_empty() && drive.joining.is_empty());
    }
}

#[test]
fn a_refused_shard_undoes_its_step_and_leaves_the_steps_before() {
    let plan = plan(2, Target::Shards(4), &[]);
    let mut drive = Drive::new(&plan);
    while drive.reshard.progress().taken == 0 {
        for kind in [0, 4, 8, 11, 13] {
            drive.step(kind, 0);
        }
    }
    let refused = shard(1, 4);
    assert!(drive.open.contains_key(&refused));
    drive.feed(Input::Ended { shard: refused });
    drive.finish();
    assert_eq!(drive.outcome, Some(Outcome::Refused(refused)));
    assert_eq!(drive.reshard.serving().to_string(), "1/2;0,2/4");
    assert_eq!(drive.open.len(), 3);
}

#[test]
fn a_pause_asks_for_nothing_and_takes_no_step() {
    let plan = plan(1, Target::Shards(2), &[]);
    let mut drive = Drive::new(&plan);
    drive.feed(Input::Pause);
    drive.step(0, 0);
    drive.step(0, 0);
    assert_eq!(drive.reshard.progress().stage, Stage::Switching);
    assert!(!drive.may_ask);
    drive.feed(Input::Resume);
    assert!(drive.may_ask);
    drive.feed(Input::Pause);
    assert!(!drive.may_ask);
    drive.finish();
}

#[test]
fn messages_about_a_guild_find_the_other_side() {
    use super::Side::{Joining, Leaving};
    let plan = plan(3, Target::Generation(5), &[]);
    let reshard = Reshard::new(&plan, 1);
    let guild = Snowflake(11 << 22);
    assert_eq!(reshard.partner(guild, Leaving), Some(shard(2, 3)));
    assert_eq!(reshard.partner(guild, Joining), Some(shard(1, 5)));
    let shared = crate::fleet::cutover::SHARED;
    assert_eq!(reshard.partner(shared, Leaving), Some(shard(0, 3)));
}

proptest! {
    #[test]
    fn whatever_happens_what_serves_is_open_and_stored_first(
        which in 0..7_usize,
        steps in proptest::collection::vec((0..22_u8, 0..1_000_usize), 0..400),
    ) {
        let plan = &plans()[which];
        let mut drive = Drive::new(plan);
        for (kind, n) in steps {
            drive.step(kind, n);
        }
        drive.finish();
        let serving = drive.reshard.serving();
        prop_assert_eq!(drive.open.len(), serving.sessions());
        prop_assert!(drive.leaving.is_empty() && drive.stopping.is_empty());
        prop_assert!(matches!(drive.outcome, Some(Outcome::Done | Outcome::Aborted)));
    }
}
