//! The limits in front of a world's objects, and how they are steered.

mod rest_client;
mod script;

use core::time::Duration;

use rest_client::Client;
use serde_json::json;
use shardkeep_sim::rest::{Latency, RestConfig, RestFault, Rule};
use shardkeep_sim::{Control, Machine, RestSet};

#[test]
fn limits_stand_before_the_objects() {
    let rule = Rule::new(
        "POST",
        "/channels/{channel_id}/messages",
        "messages",
        1,
        1_000,
    );
    let mut client = Client::new(RestConfig {
        rules: vec![rule],
        ..RestConfig::unlimited()
    });
    let path = client.in_channel("/messages");
    client.events("");
    let body = br#"{"content":"a"}"#;
    let request = client.send("POST", &path, true, body);
    let (_, headers, _) = client.answer(request).unwrap().unwrap();
    assert!(
        headers.contains(&("x-ratelimit-remaining".to_owned(), "0".to_owned())),
        "{headers:?}"
    );
    // Within the grace after it left, nobody can say whether the client has read the answer.
    for (wait_ms, violations) in [(10, 0), (50, 1)] {
        client.script.wait_ms(wait_ms);
        let request = client.send("POST", &path, true, body);
        let (status, headers, answer) = client.answer(request).unwrap().unwrap();
        assert_eq!((status, &answer["global"]), (429, &json!(false)));
        assert!(headers.contains(&("retry-after".to_owned(), "1".to_owned())));
        assert_eq!(client.script.violations().len(), violations);
    }
    assert_eq!(client.script.violations(), ["rate_limit_overrun"]);
    assert_eq!(
        client.events("MESSAGE_CREATE").len(),
        1,
        "what is refused is not posted"
    );
    assert_eq!(client.script.world.counters().http_refused, 2);
}

#[test]
fn requests_travel_and_get_lost() {
    let mut rest = RestConfig {
        latency: Latency {
            there_ms: [20, 20],
            back_ms: [30, 30],
        },
        ..RestConfig::unlimited()
    };
    let mut client = Client::new(rest.clone());
    client.events("");
    let path = client.in_channel("/messages");
    let request = client.send("POST", &path, true, br#"{"content":"slow"}"#);
    assert_eq!(client.answer(request), None);
    client.script.wait_ms(20);
    assert_eq!(client.events("MESSAGE_CREATE").len(), 1);
    client.script.wait_ms(29);
    assert_eq!(client.answer(request), None);
    client.script.now += Duration::from_millis(1);
    client.script.world.handle_timeout(client.script.now);
    assert_eq!(client.answer(request).unwrap().unwrap().0, 200);

    for (fault, status, posted) in [
        (RestFault::DropBefore, None, 0),
        (RestFault::DropAfter, None, 1),
        (
            RestFault::Fail {
                status: 502,
                headers: false,
                executed: false,
            },
            Some(502),
            0,
        ),
        (
            RestFault::Fail {
                status: 500,
                headers: true,
                executed: true,
            },
            Some(500),
            1,
        ),
    ] {
        rest.latency = Latency::default();
        rest.faults = vec![serde_json::from_value(json!({ "fault": fault })).unwrap()];
        let mut client = Client::new(rest.clone());
        client.events("");
        let request = client.send("POST", &path, true, br#"{"content":"lost"}"#);
        let answer = client.answer(request).unwrap();
        assert_eq!(answer.map(|(status, ..)| status), status, "{fault:?}");
        assert_eq!(client.events("MESSAGE_CREATE").len(), posted, "{fault:?}");
    }
}

#[test]
fn the_limits_are_steered_and_told() {
    let mut client = Client::new(RestConfig::default());
    let now = client.script.now;
    let world = &mut client.script.world;
    let set: Control = serde_json::from_value(json!({
        "do": "rest_set", "preset": "bench", "global": { "limit": 7 }, "latency": {},
    }))
    .unwrap();
    assert_eq!(
        world.control(now, set),
        json!({ "rules": RestConfig::bench().rules.len() })
    );
    let wrong = RestSet {
        latency: Some(Latency {
            there_ms: [2, 1],
            back_ms: [0, 0],
        }),
        ..RestSet::default()
    };
    let answer = world.control(now, Control::RestSet(Box::new(wrong)));
    assert!(
        answer["error"].as_str().unwrap().contains("there_ms"),
        "{answer}"
    );
    let path = client.in_channel("/messages");
    for _ in 0..6 {
        client.call("POST", &path, &json!({ "content": "a" }));
    }
    let report = client
        .script
        .world
        .control(now, Control::Rest { last: Some(2) });
    assert_eq!(
        (
            &report["counters"]["accepted"],
            &report["counters"]["refused"]
        ),
        (&json!(5), &json!(1))
    );
    assert_eq!(report["arrivals"].as_array().unwrap().len(), 2);
    assert_eq!(
        report["arrivals"][1]["outcome"],
        json!({ "refused": "unannounced" })
    );
    assert_eq!(report["so_far"]["accepted"], 5);
    client.script.world.control(now, Control::RestReset);
    let report = client
        .script
        .world
        .control(now, Control::Rest { last: None });
    assert_eq!(
        (
            &report["counters"]["arrivals"],
            &report["config"]["global"]["limit"]
        ),
        (&json!(0), &json!(7))
    );
}
