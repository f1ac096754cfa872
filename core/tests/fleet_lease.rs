//! A holder of leases, answer by answer: what is heeded, what is not, and what it does by its own clock.

use core::time::Duration;

use serde_json::{Value, json};
use shardkeep_core::fleet::SessionStartLimit;
use shardkeep_core::fleet::Topology;
use shardkeep_core::fleet::lease::{BadAnswer, Held, Holder, LeaseConfig, Step};
use shardkeep_core::{Instant, ShardId};

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn shard(index: u32) -> ShardId {
    ShardId::new(index, 4).expect("below four")
}

fn holder() -> Holder {
    let mut config = LeaseConfig::new("bot-0".to_owned(), 7, 16);
    config.propose = Some(Topology::whole(4).expect("a total"));
    Holder::new(config)
}

fn answer(seq: u64, change: &Value) -> Vec<u8> {
    let mut answer = json!({
        "seq": seq, "state": "ok", "inc": "1", "serial": seq, "now": 1_000, "revision": 1, "topology": null,
        "retargeted": null, "lost": [], "take": [], "give": [], "permits": [], "ask": false, "hurry": false,
        "view": null,
    });
    for (key, value) in change.as_object().expect("changes") {
        answer[key] = value.clone();
    }
    answer.to_string().into_bytes()
}

fn steps(holder: &mut Holder) -> Vec<Step> {
    std::iter::from_fn(|| holder.poll_step()).collect()
}

/// What the next exchange says.
fn said(holder: &mut Holder, now: Instant) -> Value {
    let exchange = holder.exchange(now).expect("something to say");
    serde_json::from_str(&exchange.argument).expect("JSON")
}

/// A holder of shards 0 and 1, with tokens 10 and 11, from an exchange at 0.
fn with_two() -> Holder {
    let mut holder = holder();
    said(&mut holder, at(0));
    let taken = answer(
        1,
        &json!({"topology": "4", "take": [["0/4", "10"], ["1/4", "11"]]}),
    );
    assert_eq!(holder.answered(at(5), Some(&taken)), Ok(()));
    assert_eq!(steps(&mut holder).len(), 3);
    holder
}

#[test]
fn what_makes_no_sense_counts_as_no_answer() {
    for bad in [
        b"".to_vec(),
        b"\xff\xfe".to_vec(),
        b"null".to_vec(),
        b"[1]".to_vec(),
        br#"{"seq": 1, "state": "ok"}"#.to_vec(),
        br#"{"seq": 1, "state": "fine"}"#.to_vec(),
        br#"{"seq": -1, "state": "late"}"#.to_vec(),
        answer(1, &json!({"inc": ""})),
        answer(1, &json!({"take": [["4/4", "10"]]})),
        answer(1, &json!({"take": [["+1/4", "10"]]})),
        answer(1, &json!({"take": [["01/4", "10"]]})),
        answer(1, &json!({"take": [["0/99999", "10"]]})),
        answer(1, &json!({"take": [["0/4", "0"]]})),
        answer(1, &json!({"take": [["0/4", "9007199254740992"]]})),
        answer(1, &json!({"take": [["0/4", 10]]})),
        answer(1, &json!({"lost": ["everything"]})),
        answer(1, &json!({"permits": [["0/4", "granted", -1]]})),
        answer(1, &json!({"view": {"members": 3}})),
    ] {
        let mut holder = holder();
        said(&mut holder, at(0));
        assert_eq!(
            holder.answered(at(5), Some(&bad)),
            Err(BadAnswer::Unreadable),
            "{}",
            String::from_utf8_lossy(&bad)
        );
        assert_eq!(steps(&mut holder), []);
        assert_eq!(holder.stats().failed, 1);
        // The next one comes after a pause, under another number.
        assert_eq!(holder.exchange(at(6)), None);
        assert_eq!(said(&mut holder, at(60))["seq"], 2);
    }
}

#[test]
fn answers_to_earlier_exchanges_are_not_heeded() {
    let mut holder = holder();
    said(&mut holder, at(0));
    // Nobody answers for two seconds.
    holder.handle_timeout(at(2_000));
    said(&mut holder, at(2_100));
    let taken = |seq| answer(seq, &json!({"take": [["0/4", "10"]]}));
    assert_eq!(
        holder.answered(at(2_101), Some(&taken(1))),
        Err(BadAnswer::Old)
    );
    assert_eq!(
        holder.answered(at(2_101), Some(&taken(3))),
        Err(BadAnswer::Old)
    );
    assert_eq!(steps(&mut holder), []);
    assert_eq!(holder.answered(at(2_102), Some(&taken(2))), Ok(()));
    assert_eq!(
        holder.answered(at(2_103), Some(&taken(2))),
        Err(BadAnswer::Old)
    );
    assert_eq!(
        steps(&mut holder),
        [Step::Take {
            shard: shard(0),
            token: 10
        }]
    );
    let late = br#"{"seq":3,"state":"late"}"#;
    said(&mut holder, at(3_200));
    assert_eq!(holder.answered(at(3_201), Some(late)), Err(BadAnswer::Late));
}

#[test]
fn a_lease_ends_by_the_time_its_exchange_was_sent() {
    let mut holder = with_two();
    said(&mut holder, at(1_000));
    assert_eq!(
        holder.answered(at(2_500), Some(&answer(2, &json!({"lost": ["1/4"]})))),
        Ok(())
    );
    assert_eq!(steps(&mut holder), [Step::Lose { shard: shard(1) }]);
    assert!(!holder.may_run(at(2_500), shard(1)));
    assert_eq!(
        (holder.token(shard(0)), holder.token(shard(1))),
        (Some(10), None)
    );
    assert!(holder.may_run(at(9_499), shard(0)));
    assert!(!holder.may_run(at(9_500), shard(0)));
    // An answer that comes after the end renews nothing, whatever was stated.
    said(&mut holder, at(9_499));
    assert_eq!(
        holder.answered(at(9_500), Some(&answer(3, &json!({})))),
        Ok(())
    );
    assert_eq!(steps(&mut holder), [Step::Lose { shard: shard(0) }]);
    assert!(!holder.may_run(at(9_500), shard(0)));
    let said = said(&mut holder, at(9_600));
    assert_eq!(
        (&said["held"], &said["busy"]),
        (&json!({}), &json!(["0/4", "1/4"]))
    );
}

#[test]
fn what_was_lost_is_not_taken_before_it_is_freed() {
    let mut holder = with_two();
    said(&mut holder, at(1_000));
    let change = json!({"lost": ["1/4"]});
    assert_eq!(
        holder.answered(at(1_001), Some(&answer(2, &change))),
        Ok(())
    );
    steps(&mut holder);
    said(&mut holder, at(2_100));
    let taken = |seq, token: &str| answer(seq, &json!({"take": [["1/4", token]]}));
    assert_eq!(holder.answered(at(2_101), Some(&taken(3, "20"))), Ok(()));
    assert_eq!(steps(&mut holder), []);
    holder.freed(shard(1));
    assert_eq!(said(&mut holder, at(2_200))["busy"], json!([]));
    // Tokens only grow: an older one comes from a register that went back.
    assert_eq!(
        holder.answered(at(2_201), Some(&taken(4, "20"))),
        Err(BadAnswer::Unreadable)
    );
    said(&mut holder, at(2_300));
    assert_eq!(holder.answered(at(2_301), Some(&taken(5, "21"))), Ok(()));
    assert_eq!(
        steps(&mut holder),
        [Step::Take {
            shard: shard(1),
            token: 21
        }]
    );
}

#[test]
fn an_answer_that_comes_too_late_gives_nothing() {
    let mut config = LeaseConfig::new("slow".to_owned(), 7, 16);
    config.patience = Duration::from_secs(60);
    let mut holder = Holder::new(config);
    said(&mut holder, at(0));
    let taken = answer(1, &json!({"topology": "4", "take": [["0/4", "10"]]}));
    assert_eq!(holder.answered(at(8_500), Some(&taken)), Ok(()));
    assert_eq!(steps(&mut holder).len(), 1);
    let said = said(&mut holder, at(8_600));
    assert_eq!((&said["held"], &said["top"]), (&json!({}), &json!("10")));
}

#[test]
fn whoever_leaves_gives_everything_back_and_takes_no_more() {
    let mut holder = with_two();
    holder.leave(at(100));
    let releases = [0, 1].map(|index| Step::Release {
        shard: shard(index),
    });
    assert_eq!(steps(&mut holder), releases);
    assert!(holder.may_run(at(100), shard(0)));
    let first = said(&mut holder, at(100));
    assert_eq!(
        (&first["leaving"], &first["held"]["0/4"]),
        (&json!(true), &json!("10"))
    );
    let taken = answer(2, &json!({"take": [["2/4", "12"]]}));
    assert_eq!(holder.answered(at(101), Some(&taken)), Ok(()));
    assert_eq!(steps(&mut holder), []);
    holder.freed(shard(0));
    holder.freed(shard(1));
    assert_eq!(holder.shards().count(), 0);
    assert_eq!(said(&mut holder, at(130))["held"], json!({}));
    assert_eq!(
        holder.answered(at(131), Some(&answer(3, &json!({})))),
        Ok(())
    );
    assert_eq!(steps(&mut holder), [Step::Left]);
    assert!(holder.has_left());
    assert_eq!(holder.poll_timeout(), None);
    assert_eq!(holder.exchange(at(99_999)), None);
}

#[test]
fn what_is_to_be_given_goes_on_until_it_is_freed() {
    let mut holder = with_two();
    for seq in 2..4 {
        said(&mut holder, at(seq * 1_000));
        let give = answer(seq, &json!({"give": ["1/4"]}));
        assert_eq!(holder.answered(at(seq * 1_000 + 1), Some(&give)), Ok(()));
    }
    assert_eq!(steps(&mut holder), [Step::Release { shard: shard(1) }]);
    assert_eq!(
        holder.shards().collect::<Vec<_>>(),
        [(shard(0), Held::Running), (shard(1), Held::Releasing)]
    );
    holder.freed(shard(1));
    // At once, and not at the next second.
    assert_eq!(said(&mut holder, at(3_030))["held"], json!({"0/4": "10"}));
}

#[test]
fn a_permit_is_used_in_time_and_reported() {
    let mut holder = with_two();
    holder.want_permit(shard(0));
    holder.want_permit(shard(1));
    assert_eq!(said(&mut holder, at(100))["wants"], json!(["0/4", "1/4"]));
    let permits = json!({"permits": [["0/4", "granted", 5], ["1/4", "wait", 400]], "ask": true});
    assert_eq!(holder.answered(at(110), Some(&answer(2, &permits))), Ok(()));
    assert_eq!(
        steps(&mut holder),
        [Step::Permit { shard: shard(0) }, Step::FetchLimits]
    );
    assert!(holder.may_identify(at(1_999), shard(0)));
    assert!(!holder.may_identify(at(2_000), shard(0)));
    assert!(!holder.may_identify(at(111), shard(1)));
    holder.permit_sent(shard(0));
    assert!(!holder.may_identify(at(111), shard(0)));
    let told = said(&mut holder, at(121));
    assert_eq!(
        (&told["sent"], &told["hand"], &told["wants"]),
        (&json!(["5"]), &json!([]), &json!(["1/4"]))
    );
    // It is told until it is heard.
    assert_eq!(holder.answered(at(122), None), Ok(()));
    assert_eq!(said(&mut holder, at(200))["sent"], json!(["5"]));
    let permits = json!({"permits": [["1/4", "granted", 6]]});
    assert_eq!(holder.answered(at(201), Some(&answer(4, &permits))), Ok(()));
    let told = said(&mut holder, at(1_300));
    assert_eq!((&told["sent"], &told["hand"]), (&json!([]), &json!(["6"])));
    assert_eq!(
        holder.answered(at(1_301), Some(&answer(5, &json!({})))),
        Ok(())
    );
    // A permit that nobody spoke of counts as used.
    assert_eq!(said(&mut holder, at(2_400))["sent"], json!(["6"]));
}

#[test]
fn limits_are_told_when_the_registers_clock_is_known() {
    let mut holder = holder();
    let limit = SessionStartLimit {
        total: 1_000,
        remaining: 900,
        reset_after_ms: 5,
        max_concurrency: 0,
    };
    holder.limits(at(0), limit);
    assert_eq!(said(&mut holder, at(10)).get("limits"), None);
    let answered = answer(1, &json!({"now": 50_000_000_u64, "inc": "77"}));
    assert_eq!(holder.answered(at(20), Some(&answered)), Ok(()));
    let told = said(&mut holder, at(40));
    let asked = told["limits"]["asked"].as_u64().expect("a moment");
    // Not later than it was, for all that is known of both clocks.
    assert!(asked < 50_000_000 - 20_000, "{asked}");
    assert_eq!(told["limits"]["reset_after"], 60_000_000);
    assert_eq!(told["limits"]["max_concurrency"], 1);
    assert_eq!(told["limits"]["inc"], "77");
    assert_eq!(
        holder.answered(at(41), Some(&answer(2, &json!({"inc": "77"})))),
        Ok(())
    );
    assert_eq!(said(&mut holder, at(1_100)).get("limits"), None);
}

#[test]
fn texts_are_cut_off_at_the_end_of_a_character() {
    let mut holder = holder();
    holder.set_status(&"ü".repeat(600));
    let told = said(&mut holder, at(0));
    assert_eq!(told["status"].as_str().map(str::len), Some(1_024));
    let config = LeaseConfig::new(format!("x{}", "ü".repeat(200)), 7, 1);
    let told = said(&mut Holder::new(config), at(0));
    assert_eq!(told["name"].as_str().map(str::len), Some(255));
}
