//! Whose fault a 429 is.

mod rest_table;

use rest_table::{Table, messages};
use shardkeep_sim::rest::{Major, Refusal, Rule, Sublimit};

#[test]
fn who_was_not_told_is_not_to_blame() {
    let mut table = Table::new(vec![messages(1, 1_000)]);
    assert_eq!(table.post(0, 10), Ok(1));
    assert_eq!(table.post(0, 11), Err(Refusal::Unannounced));
    // The answer is heard at 30: what was sent before is no fault, what was sent then is one.
    table.hears(30, 1);
    assert_eq!(table.post(29, 40), Err(Refusal::Unannounced));
    assert_eq!(table.post(30, 41), Err(Refusal::Announced));
    // A new major of a known route: the first requests fit, one too many is a fault.
    assert_eq!(table.send(50, 60, "POST", "/channels/6/messages"), Ok(5));
    assert_eq!(
        table.send(50, 60, "POST", "/channels/6/messages"),
        Err(Refusal::Announced)
    );
    let counters = table.limits.counters();
    assert_eq!(
        (counters.announced, counters.unannounced, counters.faults()),
        (2, 2, 2)
    );
}

#[test]
fn a_429_that_was_heard_is_kept_to() {
    let mut table = Table::new(vec![messages(1, 1_000)]);
    assert_eq!(table.post(0, 0), Ok(1));
    assert_eq!(table.post(0, 100), Err(Refusal::Unannounced));
    table.hears(110, 2);
    assert_eq!(table.post(110, 200), Err(Refusal::Announced));
    assert_eq!(table.post(1_010, 1_020), Ok(4));
}

#[test]
fn routes_that_share_a_hash_are_known_one_by_one() {
    let pins = Rule::new(
        "PUT",
        "/channels/{channel_id}/pins/{message_id}",
        "messages",
        2,
        1_000,
    );
    let mut table = Table::new(vec![messages(2, 1_000), pins]);
    let pin = |table: &mut Table, sent, at| table.send(sent, at, "PUT", "/channels/5/pins/7");
    assert_eq!(table.post(0, 10), Ok(1));
    table.hears(20, 1);
    // The pin is under way when the second post is sent: nobody can know that it counts there as well.
    assert_eq!(pin(&mut table, 30, 40), Ok(2));
    assert_eq!(table.post(35, 50), Err(Refusal::Unannounced));
    table.hears(60, 2);
    assert_eq!(table.post(60, 70), Err(Refusal::Announced));
    assert_eq!(pin(&mut table, 60, 71), Err(Refusal::Announced));
}

#[test]
fn a_lost_answer_is_no_ones_fault_until_another_speaks_for_it() {
    let mut table = Table::new(vec![messages(3, 1_000)]);
    assert_eq!(table.post(0, 10), Ok(1));
    table.hears(20, 1);
    assert_eq!(table.post(20, 30), Ok(2));
    table.limits.lost(2);
    assert_eq!(table.post(40, 50), Ok(3));
    // The client counts two; the limiter three.
    assert_eq!(table.post(45, 55), Err(Refusal::Unannounced));
    table.hears(60, 3);
    assert_eq!(table.post(60, 70), Err(Refusal::Announced));
}

#[test]
fn a_bucket_coarser_than_documented_is_discovered() {
    let mut table = Table::new(vec![messages(1, 1_000).major(Major::None)]);
    assert_eq!(table.post(0, 0), Ok(1));
    table.hears(10, 1);
    assert_eq!(
        table.send(20, 30, "POST", "/channels/6/messages"),
        Err(Refusal::Unannounced)
    );
}

#[test]
fn what_was_let_through_is_compared_with_the_best() {
    let mut table = Table::new(vec![messages(2, 1_000)]);
    for at in [100, 200, 1_300, 1_400, 2_500] {
        table.post(at, at).unwrap();
    }
    let so_far = table.limits.so_far();
    assert_eq!(
        (
            so_far.accepted,
            so_far.first_us,
            so_far.last_us,
            so_far.best_us
        ),
        (5, 100_000, 2_500_000, 2_100_000)
    );
}
#[test]
fn hidden_limits_show_themselves_by_429() {
    let rename = Sublimit {
        name: "rename".to_owned(),
        limit: 1,
        window_ms: 10_000,
        per: Major::Channel,
        fields: vec!["name".to_owned()],
        ..Sublimit::default()
    };
    let rule = Rule::new("PATCH", "/channels/{channel_id}", "edit", 5, 1_000).sublimit(rename);
    let mut table = Table::new(vec![rule]);
    table.body = br#"{"name":"a"}"#;
    let patch = |table: &mut Table, sent, at| table.send(sent, at, "PATCH", "/channels/5");
    assert_eq!(patch(&mut table, 0, 0), Ok(1));
    assert_eq!(patch(&mut table, 1, 1), Err(Refusal::Hidden));
    assert_eq!(table.header("X-RateLimit-Scope"), "user");
    assert_eq!(
        (
            table.header("X-RateLimit-Remaining"),
            table.header("Retry-After")
        ),
        ("4", "10")
    );
    table.hears(5, 2);
    assert_eq!(patch(&mut table, 6, 6), Err(Refusal::HiddenEarly));
    // Other fields and other channels are free.
    table.body = br#"{"nsfw":true}"#;
    assert_eq!(patch(&mut table, 7, 7), Ok(4));
    table.body = br#"{"name":"a"}"#;
    assert_eq!(table.send(8, 8, "PATCH", "/channels/6"), Ok(5));
    // What was heard at 5 said 9.999 s.
    assert_eq!(patch(&mut table, 10_004, 10_005), Ok(6));
    assert_eq!(
        patch(&mut table, 10_006, 10_006),
        Err(Refusal::HiddenRepeat)
    );
}
