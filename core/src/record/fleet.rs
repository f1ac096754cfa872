//! The records of the fleet: what goes in, what comes out, what it waits for.

use core::time::Duration;

use serde::Deserialize;

use super::table::table;
use super::{Record, Status};
use crate::fleet::{Event, Fleet, Input, Output, Reason, SessionStartLimit};
use crate::id::ShardId;
use crate::machine::{Machine, Timeout};
use crate::time::Instant;

table! {
    /// What the fleet takes. Where `id` names a shard, it is [`shard_to_id`]'s number.
    FLEET_INPUTS {
        1 "limits" "`GET /gateway/bot` answered." { data: "the answer's JSON" }
        2 "limits_failed" "`GET /gateway/bot` failed." { value: "microseconds that Discord said to wait, 0 if it did not" }
        3 "resumable" "A session of this shard is known and can be resumed." { id: "the shard" }
        4 "want_identify" "The session asks for an identify slot." { id: "the shard" }
        5 "cancel_identify" "The slot is not wanted any more." { id: "the shard" }
        6 "identify_sent" "The identify went out." { id: "the shard" }
        7 "identify_unused" "A granted slot was not used." { id: "the shard" }
        8 "identify_rejected" "Discord answered the identify with op 9." { id: "the shard" }
        9 "ready" "A new session is established." { id: "the shard" }
        10 "resumed" "The session goes on." { id: "the shard" }
        11 "down" "The connection was lost, or could not be opened." { id: "the shard" }
        12 "closed" "The session ended for good." { id: "the shard", value: "1 if Discord refuses it" }
        13 "shutdown" "Stop every shard and start none." {}
        14 "run" "The shard runs here from now on." { id: "the shard", value: "1 if a session of it can be resumed" }
        15 "release" "The shard does not belong here any more." { id: "the shard" }
        16 "activity" "So many events came to the shard: after an outage the busiest identify first." { id: "the shard", value: "how many" }
    }
}

table! {
    /// What the fleet gives. Where `id` names a shard, it is [`shard_to_id`]'s number.
    FLEET_OUTPUTS {
        1 "fetch_limits" "`GET /gateway/bot`." {}
        2 "start" "Create the shard's session and let it connect." { id: "the shard" }
        3 "grant_identify" "The shard may identify now." { id: "the shard" }
        4 "stop" "Stop the shard's session." { id: "the shard" }
        20 "topology_resolved" "`auto` was resolved: every shard of a total." { value: "the total" }
        21 "session_foreign" "A shard said to be resumable is not part of the topology: drop its session." { id: "the shard" }
        22 "all_ready" "Every shard has a session, for the first time." {}
        23 "identify_waiting" "A shard asked for an identify slot and has to wait." { code: "the reason's number", id: "the shard", value: "when it gets its slot, 0 if that depends on an answer of Discord's", text: "the reason" }
        24 "budget_low" "Fewer identifies are left than one start of every shard would take." { code: "how many are never spent", value: "how many may still be spent" }
        25 "budget_exhausted" "Only the reserve is left: nothing is granted." { code: "how many are never spent", value: "when Discord's day ends" }
        26 "budget_restored" "There is allowance again." { value: "how many may be spent" }
        27 "damped" "A shard wasted identifies in a row: the next one is held back." { code: "how many", id: "the shard", value: "the earliest moment of the next" }
        28 "fleet_damped" "Most shards waste their identifies: the whole fleet slows down." { code: "how many shards waste", id: "how many have a session that lasts", value: "the earliest moment of the next identify" }
        29 "fleet_recovered" "The fleet runs at full speed again." {}
        30 "limits_unknown" "`GET /gateway/bot` failed." { code: "how many times in a row", value: "when it is asked again" }
        31 "start_abandoned" "Discord refused a shard before any session of its: shards that never had one are not started." { id: "the shard that was refused" }
        32 "stopped" "Every shard has ended." {}
        33 "released" "A shard that does not belong here any more has ended." { id: "the shard" }
    }
}

table! {
    /// Why the fleet waits.
    FLEET_TIMEOUTS {
        1 "identify" "A shard's identify slot opens." { value: "when" }
        2 "damped" "A shard that wasted identifies may join the queue again." { value: "when" }
        3 "proof" "A session has lived long enough to count as healthy." { value: "when" }
        4 "limits" "`GET /gateway/bot` is due again." { value: "when" }
        5 "start" "A started shard took long to ask for its slot: the next one may start." { value: "when" }
    }
}

/// A shard in the column `id`: its total times 2^32, plus its index. Totals stay below 2^16, so the number is exact in
/// a JavaScript number too.
///
/// ```
/// use shardkeep_core::ShardId;
/// use shardkeep_core::record::{shard_from_id, shard_to_id};
///
/// let shard = ShardId::new(3, 16).unwrap();
/// assert_eq!(shard_to_id(shard), 16 * (1 << 32) + 3);
/// assert_eq!(shard_from_id(shard_to_id(shard)), Some(shard));
/// ```
#[must_use]
pub const fn shard_to_id(shard: ShardId) -> u64 {
    ((shard.total() as u64) << 32) | shard.index() as u64
}

/// The shard that the column `id` names; `None` if it names none.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves of 64 bits are 32 bits each"
)]
pub const fn shard_from_id(id: u64) -> Option<ShardId> {
    ShardId::new(id as u32, (id >> 32) as u32)
}

/// What matters of the answer of `GET /gateway/bot`.
#[derive(Deserialize)]
struct GatewayBot {
    shards: u32,
    session_start_limit: SessionStartLimit,
}

/// Feeds a record to a fleet.
///
/// # Errors
///
/// A [`Status`] of 100 or above; the fleet is unchanged then.
pub fn handle_fleet_input(
    fleet: &mut Fleet,
    now: Instant,
    record: Record<'_>,
) -> Result<(), Status> {
    let shard = || shard_from_id(record.id).ok_or(Status::UnknownShard);
    let input = match record.kind {
        1 => {
            let answer: GatewayBot =
                serde_json::from_slice(record.data).map_err(|_| Status::BadLimits)?;
            Input::Limits {
                shards: answer.shards,
                limit: answer.session_start_limit,
            }
        }
        2 => Input::LimitsFailed {
            retry_after: Some(Duration::from_micros(record.value)).filter(|wait| !wait.is_zero()),
        },
        3 => Input::Resumable { shard: shard()? },
        4 => Input::WantIdentify { shard: shard()? },
        5 => Input::CancelIdentify { shard: shard()? },
        6 => Input::IdentifySent { shard: shard()? },
        7 => Input::IdentifyUnused { shard: shard()? },
        8 => Input::IdentifyRejected { shard: shard()? },
        9 => Input::Ready { shard: shard()? },
        10 => Input::Resumed { shard: shard()? },
        11 => Input::Down { shard: shard()? },
        12 => Input::Closed {
            shard: shard()?,
            fatal: record.value != 0,
        },
        13 => Input::Shutdown,
        14 => Input::Run {
            shard: shard()?,
            resumable: record.value != 0,
        },
        15 => Input::Release { shard: shard()? },
        16 => Input::Activity {
            shard: shard()?,
            events: record.value,
        },
        _ => return Err(Status::UnknownKind),
    };
    Ok(fleet.handle_input(now, input)?)
}

/// The record of a fleet's output.
#[must_use]
pub fn fleet_output(output: &Output<'_>) -> Record<'static> {
    match *output {
        Output::FetchLimits => Record::of(1),
        Output::Start { shard } => about(2, shard),
        Output::GrantIdentify { shard } => about(3, shard),
        Output::Stop { shard } => about(4, shard),
        Output::Event(event) => fleet_event(event),
    }
}

fn fleet_event(event: Event<'_>) -> Record<'static> {
    match event {
        Event::TopologyResolved { topology } => Record::of(20).value(topology.len()),
        Event::SessionForeign { shard } => about(21, shard),
        Event::AllReady => Record::of(22),
        Event::IdentifyWaiting { shard, until, why } => about(23, shard)
            .code(why.number().into())
            .value(until.map_or(0, Instant::as_micros))
            .text(why.explain()),
        Event::BudgetLow { remaining, reserve } => Record::of(24).code(reserve).value(remaining),
        Event::BudgetExhausted { until, reserve } => {
            Record::of(25).code(reserve).value(until.as_micros())
        }
        Event::BudgetRestored { remaining } => Record::of(26).value(remaining),
        Event::Damped {
            shard,
            until,
            wasted_in_a_row,
        } => about(27, shard)
            .code(wasted_in_a_row)
            .value(until.as_micros()),
        Event::FleetDamped {
            sick,
            proven,
            until,
        } => Record::of(28)
            .code(sick)
            .id(proven.into())
            .value(until.as_micros()),
        Event::FleetRecovered => Record::of(29),
        Event::LimitsUnknown { attempt, retry_at } => {
            Record::of(30).code(attempt).value(retry_at.as_micros())
        }
        Event::StartAbandoned { shard } => about(31, shard),
        Event::Stopped => Record::of(32),
        Event::Released { shard } => about(33, shard),
    }
}

fn about(kind: u32, shard: ShardId) -> Record<'static> {
    Record::of(kind).id(shard_to_id(shard))
}

/// The record of a fleet's deadline.
#[must_use]
pub fn fleet_timeout(timeout: Timeout<Reason>) -> Record<'static> {
    let kind = match timeout.reason {
        Reason::Identify => 1,
        Reason::Damped => 2,
        Reason::Proof => 3,
        Reason::Limits => 4,
        Reason::Start => 5,
    };
    Record::of(kind).value(timeout.at.as_micros())
}
