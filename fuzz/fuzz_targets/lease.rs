//! Any answers, as bytes or nearly right, to a holder of leases at any times: no panic, no shard runs longer than the
//! register said, tokens only grow, and each lease is taken, asked back and lost once at most.

#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shardkeep_core::fleet::lease::{Holder, LeaseConfig, Step};
use shardkeep_core::fleet::{SessionStartLimit, Topology};
use shardkeep_core::{Instant, ShardId};

const SHARDS: u32 = 8;

#[derive(Arbitrary, Debug)]
enum Act<'a> {
    Wait(u16),
    Exchange,
    Silence,
    Raw(&'a [u8]),
    Answer(Answer<'a>),
    Freed(u8),
    Want(u8),
    Cancel(u8),
    Sent(u8),
    Unused(u8),
    Limits {
        ago: u16,
        remaining: u32,
        reset_after_ms: u64,
    },
    Retarget {
        expected: u8,
        total: u8,
    },
    View,
    Status(&'a str),
    Leave,
}

#[derive(Arbitrary, Debug)]
struct Answer<'a> {
    /// Which exchange it answers, counted back from the last.
    back: u8,
    is_late: bool,
    inc: u8,
    revision: u8,
    topology: Option<&'a str>,
    lost: Vec<u8>,
    take: Vec<(u8, u16)>,
    give: Vec<u8>,
    permits: Vec<(u8, u8, u16)>,
    flags: u8,
}

fn shard(number: u8) -> ShardId {
    ShardId::new(u32::from(number) % SHARDS, SHARDS).expect("below the total")
}

fn text(answer: &Answer<'_>, last: u64) -> String {
    let names =
        |list: &[u8]| -> Vec<String> { list.iter().map(|&n| shard(n).to_string()).collect() };
    let take: Vec<_> = answer
        .take
        .iter()
        .map(|&(n, token)| (shard(n).to_string(), token.to_string()))
        .collect();
    let permits: Vec<_> = answer
        .permits
        .iter()
        .map(|&(n, kind, value)| {
            let kind = ["granted", "wait", "spent"][usize::from(kind % 3)];
            (shard(n).to_string(), kind, value)
        })
        .collect();
    let bit = |at: u8| answer.flags >> at & 1 == 1;
    serde_json::json!({
        "seq": last.saturating_sub(u64::from(answer.back % 3)),
        "state": if answer.is_late { "late" } else { "ok" },
        "inc": (answer.inc % 3).to_string(),
        "serial": answer.revision,
        "now": u64::from(answer.revision) * 1_000_000,
        "revision": answer.revision,
        "topology": answer.topology,
        "retargeted": bit(0).then_some(bit(1)),
        "lost": names(&answer.lost),
        "take": take,
        "give": names(&answer.give),
        "permits": permits,
        "ask": bit(2),
        "hurry": bit(3),
        "view": null,
    })
    .to_string()
}

/// What the driver of a holder knows.
#[derive(Default)]
struct Driver {
    /// Leases that were taken and are not freed: whether they were asked back, and whether they were lost.
    open: BTreeMap<ShardId, (bool, bool)>,
    /// The token that each shard was taken with last.
    tokens: BTreeMap<ShardId, u64>,
    /// When the last exchange was sent, and whether it is to be answered.
    sent: Instant,
    exchanges: u64,
    /// No lease runs longer.
    good_until: Instant,
}

impl Driver {
    fn heed(&mut self, step: &Step) {
        match step {
            Step::Take { shard, token } => {
                let before = self.tokens.insert(*shard, *token);
                assert!(
                    before.is_none_or(|before| before < *token),
                    "tokens only grow"
                );
                assert!(
                    self.open.insert(*shard, (false, false)).is_none(),
                    "taken twice"
                );
            }
            Step::Release { shard } => {
                let lease = self.open.get_mut(shard).expect("it was taken");
                assert!(!lease.1 && !std::mem::replace(&mut lease.0, true));
            }
            Step::Lose { shard } => {
                let lease = self.open.get_mut(shard).expect("it was taken");
                assert!(!std::mem::replace(&mut lease.1, true), "lost twice");
            }
            _ => {}
        }
    }
}

fuzz_target!(|acts: Vec<Act<'_>>| {
    let mut config = LeaseConfig::new("bot".into(), 7, 8);
    config.propose = Topology::whole(SHARDS).ok();
    let good_for = config.term - config.margin;
    let mut holder = Holder::new(config);
    let mut driver = Driver::default();
    let mut now = Instant::ZERO;
    for act in acts {
        match act {
            Act::Wait(ms) => {
                now += Duration::from_millis(ms.into());
                holder.handle_timeout(now);
            }
            Act::Exchange => {
                if let Some(exchange) = holder.exchange(now) {
                    let said: serde_json::Value =
                        serde_json::from_str(&exchange.argument).expect("it is JSON");
                    driver.exchanges += 1;
                    assert_eq!(said["seq"], driver.exchanges);
                    driver.sent = now;
                    assert!(holder.exchange(now).is_none(), "one at a time");
                }
            }
            Act::Silence => assert!(holder.answered(now, None).is_ok()),
            Act::Raw(bytes) => {
                if holder.answered(now, Some(bytes)).is_ok() {
                    driver.good_until = driver.sent + good_for;
                }
            }
            Act::Answer(answer) => {
                let text = text(&answer, driver.exchanges);
                if holder.answered(now, Some(text.as_bytes())).is_ok() {
                    driver.good_until = driver.sent + good_for;
                }
            }
            Act::Freed(n) => {
                while let Some(step) = holder.poll_step() {
                    driver.heed(&step);
                }
                holder.freed(shard(n));
                driver.open.remove(&shard(n));
            }
            Act::Want(n) => holder.want_permit(shard(n)),
            Act::Cancel(n) => holder.cancel_permit(shard(n)),
            Act::Sent(n) => holder.permit_sent(shard(n)),
            Act::Unused(n) => holder.permit_unused(shard(n)),
            Act::Limits {
                ago,
                remaining,
                reset_after_ms,
            } => {
                let asked_at = Instant::ZERO + now.since(Instant::from_millis(ago.into()));
                let limit = SessionStartLimit {
                    total: 1_000,
                    remaining,
                    reset_after_ms,
                    max_concurrency: remaining % 17,
                };
                holder.limits(asked_at, limit);
            }
            Act::Retarget { expected, total } => {
                if let Ok(topology) = Topology::whole(total.into()) {
                    let course = (expected % 2 == 0).then(|| "{}".to_owned());
                    holder.retarget(expected.into(), &topology, course);
                }
            }
            Act::View => holder.ask_for_view(),
            Act::Status(text) => holder.set_status(text),
            Act::Leave => holder.leave(now),
        }
        while let Some(step) = holder.poll_step() {
            driver.heed(&step);
        }
        for n in 0..8 {
            let runs = holder.may_run(now, shard(n));
            assert!(!runs || now < driver.good_until, "it runs without a lease");
            assert!(!runs || driver.open.get(&shard(n)).is_some_and(|lease| !lease.1));
            assert!(runs || !holder.may_identify(now, shard(n)));
        }
        assert!(holder.has_left() || holder.poll_timeout().is_some());
    }
});
