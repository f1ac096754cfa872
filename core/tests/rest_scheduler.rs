//! What vectors cannot carry: explanations, counters, and how much is kept.

use std::time::Duration;

use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{
    Auth, Config, Explanation, Failure, Input, Output, Place, Priority, Refusal, RequestId, Retry,
    Scheduler, Sharing, Submit, Wait,
};
use shardkeep_core::wire::{RateLimit, Scope};
use shardkeep_core::{Instant, Machine as _, Snowflake};

const AUTH: Auth = Auth(1);

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

fn scheduler(change: impl FnOnce(&mut Config)) -> Scheduler {
    let mut config = Config::default();
    change(&mut config);
    Scheduler::new(config, Instant::ZERO)
}

fn submit(id: u64, path: &str) -> Submit<'_> {
    Submit::new(RequestId(id), AUTH, Method::Get, path)
}

fn feed(scheduler: &mut Scheduler, now: Instant, input: Input<'_>) -> Vec<Output> {
    scheduler
        .handle_input(now, input)
        .expect("within the rules");
    drain(scheduler)
}

fn drain(scheduler: &mut Scheduler) -> Vec<Output> {
    std::iter::from_fn(|| scheduler.poll_output()).collect()
}

fn ask(scheduler: &mut Scheduler, id: u64, path: &str) -> Vec<Output> {
    feed(scheduler, Instant::ZERO, Input::Submit(submit(id, path)))
}

fn bucket(limit: u32, remaining: u32) -> RateLimit<'static> {
    RateLimit {
        limit: Some(limit),
        remaining: Some(remaining),
        reset_after: Some(Duration::from_secs(5)),
        bucket: Some("a"),
        via: true,
        ..RateLimit::default()
    }
}

fn answer(id: u64, status: u16, limit: RateLimit<'static>, body: &'static [u8]) -> Input<'static> {
    Input::Response {
        id: RequestId(id),
        status,
        limit,
        body,
    }
}

fn free() -> RateLimit<'static> {
    RateLimit {
        via: true,
        ..RateLimit::default()
    }
}

fn explain(scheduler: &Scheduler, id: u64) -> Explanation {
    scheduler.explain(RequestId(id)).expect("it is known")
}

/// Why a request waits, until when, and how many go before it.
fn wait(scheduler: &Scheduler, id: u64) -> (Wait, Option<Instant>, u32) {
    match explain(scheduler, id).place {
        Place::Waiting { why, until, ahead } => (why, until, ahead),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_found_out_is_waited_for_one_at_a_time() {
    let mut scheduler = scheduler(|_| {});
    for id in 1..=3 {
        ask(&mut scheduler, id, "/channels/1");
    }
    let sent = explain(&scheduler, 1);
    assert_eq!(sent.place, Place::InFlight { since: ms(0) });
    assert_eq!((sent.attempts, sent.priority), (1, Some(Priority::Normal)));
    assert_eq!(wait(&scheduler, 2), (Wait::Discovery, None, 0));
    assert_eq!(wait(&scheduler, 3), (Wait::Discovery, None, 1));
}

#[test]
fn a_spent_bucket_is_waited_for_until_its_reset() {
    let mut scheduler = scheduler(|_| {});
    ask(&mut scheduler, 1, "/channels/1");
    feed(&mut scheduler, ms(0), answer(1, 200, bucket(2, 1), b""));
    ask(&mut scheduler, 2, "/channels/1");
    ask(&mut scheduler, 3, "/channels/1");
    assert_eq!(wait(&scheduler, 3), (Wait::Bucket, Some(ms(5_005)), 0));
}

#[test]
fn what_is_left_and_in_flight_is_waited_for_by_its_answers() {
    let mut scheduler = scheduler(|_| {});
    ask(&mut scheduler, 1, "/channels/1");
    feed(&mut scheduler, ms(0), answer(1, 200, bucket(2, 1), b""));
    scheduler.handle_timeout(ms(10_000));
    for id in 2..=4 {
        let input = Input::Submit(submit(id, "/channels/1"));
        feed(&mut scheduler, ms(10_000), input);
    }
    assert_eq!(wait(&scheduler, 4), (Wait::Answers, None, 0));
}

#[test]
fn the_global_limit_is_waited_for_until_the_first_has_left() {
    let mut scheduler = scheduler(|config| config.global_limit = 1);
    ask(&mut scheduler, 1, "/channels/1");
    feed(&mut scheduler, ms(40), answer(1, 200, free(), b""));
    feed(
        &mut scheduler,
        ms(40),
        Input::Submit(submit(2, "/channels/2")),
    );
    assert_eq!(wait(&scheduler, 2), (Wait::Global, Some(ms(1_040)), 0));
}

#[test]
fn a_hidden_limit_is_waited_for_by_its_route() {
    let mut scheduler = scheduler(|_| {});
    ask(&mut scheduler, 1, "/channels/1");
    let limit = RateLimit {
        scope: Some(Scope::Shared),
        ..free()
    };
    let body = br#"{"retry_after": 3, "global": false}"#;
    let outputs = feed(&mut scheduler, ms(0), answer(1, 429, limit, body));
    assert!(matches!(outputs[0], Output::Event(_)), "{outputs:?}");
    assert_eq!(wait(&scheduler, 1), (Wait::Sublimit, Some(ms(3_005)), 0));
    assert_eq!(explain(&scheduler, 1).last_retry, Some(Retry::RateLimited));
}

#[test]
fn places_and_turns_are_waited_for() {
    let mut scheduler = scheduler(|config| {
        config.max_in_flight = 1;
        config.reserved_in_flight = 0;
    });
    ask(&mut scheduler, 1, "/channels/1");
    ask(&mut scheduler, 2, "/channels/2");
    assert_eq!(wait(&scheduler, 2), (Wait::InFlight, None, 0));
    // Who goes is decided when outputs are asked for; until then it is nobody's turn.
    let mut fresh = self::scheduler(|_| {});
    let input = Input::Submit(submit(1, "/channels/1"));
    fresh.handle_input(ms(0), input).unwrap();
    assert_eq!(wait(&fresh, 1), (Wait::Turn, None, 0));
    assert_eq!(drain(&mut fresh).len(), 1);
}

#[test]
fn a_failed_request_waits_for_its_next_try() {
    let mut scheduler = scheduler(|_| {});
    ask(&mut scheduler, 1, "/channels/1");
    let input = Input::Failed {
        id: RequestId(1),
        failure: Failure::Unanswered,
    };
    let outputs = feed(&mut scheduler, ms(10), input);
    let [Output::Retry { at, why, .. }] = outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(wait(&scheduler, 1), (Wait::Backoff, Some(at), 0));
    let explanation = explain(&scheduler, 1);
    assert_eq!(why, Retry::Unanswered);
    assert_eq!(
        (explanation.attempts, explanation.last_retry),
        (1, Some(why))
    );
}

#[test]
fn bans_and_spent_budgets_are_waited_for() {
    let mut banned = scheduler(|_| {});
    ask(&mut banned, 1, "/channels/1");
    let limit = RateLimit {
        retry_after: Some(Duration::from_secs(60)),
        ..RateLimit::default()
    };
    feed(&mut banned, ms(0), answer(1, 429, limit, b""));
    assert_eq!(wait(&banned, 1), (Wait::Banned, Some(ms(60_000)), 0));

    let mut spent = scheduler(|config| {
        config.invalid_budget = 2;
        config.invalid_stop_percent = 50;
    });
    ask(&mut spent, 1, "/channels/1");
    ask(&mut spent, 2, "/channels/1");
    feed(&mut spent, ms(0), answer(1, 403, free(), b""));
    assert_eq!(wait(&spent, 2), (Wait::InvalidBudget, Some(ms(601_000)), 0));
}

#[test]
fn a_shared_read_names_its_leader_and_a_refusal_is_remembered() {
    let mut scheduler = scheduler(|_| {});
    for id in [1, 2] {
        let mut same = submit(id, "/channels/1");
        same.sharing = Sharing::Same;
        feed(&mut scheduler, ms(0), Input::Submit(same));
    }
    let leader = RequestId(1);
    assert_eq!(explain(&scheduler, 2).place, Place::Following { leader });
    feed(&mut scheduler, ms(0), Input::Cancel { id: RequestId(2) });
    let refused = Place::Refused {
        why: Refusal::Cancelled,
        until: None,
    };
    assert_eq!(explain(&scheduler, 2).place, refused);
    feed(&mut scheduler, ms(0), answer(1, 200, free(), b""));
    assert_eq!(scheduler.explain(leader), None, "delivered");
    assert_eq!(scheduler.explain(RequestId(9)), None, "never submitted");
}

#[test]
fn counters_tell_what_was_done() {
    let mut scheduler = scheduler(|_| {});
    ask(&mut scheduler, 1, "/channels/1");
    feed(&mut scheduler, ms(30), answer(1, 502, free(), b""));
    scheduler.handle_timeout(ms(1_000));
    drain(&mut scheduler);
    feed(&mut scheduler, ms(1_020), answer(1, 403, bucket(5, 4), b""));
    let stats = scheduler.stats();
    assert_eq!((stats.submitted, stats.sent, stats.answered), (1, 2, 2));
    assert_eq!(
        (stats.delivered, stats.invalid, stats.discovered),
        (1, 1, 1)
    );
    assert_eq!(stats.retried_for(Retry::ServerError), 1);
    assert_eq!((stats.queued_max, stats.in_flight_max), (1, 1));
    assert_eq!(scheduler.invalid(), (1, 10_000));
    let identity = scheduler.identities().next().unwrap();
    assert_eq!((identity.auth, identity.global_limit), (AUTH, 50));
    assert!(!identity.is_stopped);
}

/// What was learned comes back the same after a restart at once.
#[test]
fn a_snapshot_survives_json_and_a_restart() {
    let mut scheduler = scheduler(|_| {});
    for (id, path) in [(1, "/channels/1"), (2, "/guilds/7"), (3, "/gateway/bot")] {
        ask(&mut scheduler, id, path);
    }
    feed(&mut scheduler, ms(0), answer(1, 200, bucket(5, 2), b""));
    let other = RateLimit {
        bucket: Some("b"),
        ..bucket(9, 8)
    };
    feed(&mut scheduler, ms(0), answer(2, 200, other, b""));
    feed(&mut scheduler, ms(0), answer(3, 200, free(), b""));
    let snapshot = scheduler.snapshot();
    assert_eq!((snapshot.routes.len(), snapshot.limits.len()), (3, 2));
    let text = serde_json::to_string(&snapshot).unwrap();
    assert!(
        !text.contains("\"a\""),
        "names of buckets are hashed: {text}"
    );
    let read = serde_json::from_str(&text).unwrap();
    assert_eq!(snapshot, read);
    let config = scheduler.config().clone();
    let restored = Scheduler::restore(config, &read, ms(0), Duration::ZERO);
    assert_eq!(restored.snapshot(), snapshot);
}

/// After a rest, nothing is left but what routes have taught.
#[test]
fn unused_buckets_are_forgotten() {
    let mut scheduler = scheduler(|config| config.queue_size = 100_000);
    for id in 0..5_000 {
        let path = format!("/channels/{}/messages", 1_000 + id);
        ask(&mut scheduler, id, &path);
        feed(&mut scheduler, ms(0), answer(id, 200, bucket(5, 4), b""));
        scheduler.handle_timeout(ms(id * 100));
        drain(&mut scheduler);
    }
    assert!(scheduler.buckets() > 0);
    let mut calls = 0;
    while let Some(timeout) = scheduler.poll_timeout() {
        scheduler.handle_timeout(timeout.at);
        assert_eq!(drain(&mut scheduler), []);
        calls += 1;
        assert!(calls < 2_000, "sweeps without end");
    }
    assert_eq!(scheduler.buckets(), 0);
    // The route is still known: no request at a time finds out again.
    let now = ms(1_000_000);
    for id in 0..2 {
        let input = Input::Submit(submit(id, "/channels/1/messages"));
        assert_eq!(feed(&mut scheduler, now, input).len(), 1);
    }
}

/// A million requests, each to a channel of its own in the end.
#[test]
fn memory_is_bounded_by_what_is_in_use() {
    let mut scheduler = scheduler(|config| {
        config.global_limit = 1_000_000;
        config.forget_after = Duration::from_secs(1);
    });
    let mut most = 0;
    let mut path = String::new();
    for id in 0..1_000_000_u64 {
        let now = Instant::from_micros(id * 2_000);
        let channel = (id.wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 34;
        path.clear();
        path.push_str("/channels/");
        path.push_str(&(channel + 1).to_string());
        let mut submit = submit(id, &path);
        submit.guild = Some(Snowflake(channel / 16));
        let sent = feed(&mut scheduler, now, Input::Submit(submit));
        assert_eq!(sent.len(), 1, "{id}");
        feed(&mut scheduler, now, answer(id, 200, bucket(5, 4), b""));
        if scheduler
            .poll_timeout()
            .is_some_and(|timeout| timeout.at <= now)
        {
            scheduler.handle_timeout(now);
            drain(&mut scheduler);
        }
        most = most.max(scheduler.buckets());
    }
    // 500 a second, each remembered for its window of 5 s, and until sweeps of 32 s have come round to its lane and it.
    assert!(most < 500 * (5 + 2 * 32), "{most} buckets at once");
    assert_eq!(scheduler.stats().delivered, 1_000_000);
}
