//! What is refused, ignored, bounded or not read.

use serde_json::{Value, json};

use super::CutoverVector;
use super::scene::{created, message, scene, scene_with};

pub(super) fn vectors() -> Vec<CutoverVector> {
    vec![
        reading(),
        another_cutover(),
        wrong_way(),
        an_unknown_guild(),
        too_many_asks(),
        too_many_bytes(),
        twice(),
        a_cut_that_nobody_asked_for(),
        lists_are_bounded(),
        hostile_numbers(),
    ]
}

fn envelope(number: u64, body: &Value) -> Value {
    json!({"version": 1, "cutover": 1, "guild": "41", "number": number, "body": body})
}

fn reading() -> CutoverVector {
    let mut scene = scene(
        "reading",
        "messages: what is no message, too long, or of another version is not read",
    );
    let text = |message: &Value| message.to_string();
    let mut other = envelope(1, &json!("Taken"));
    other["version"] = json!(2);
    let long = envelope(1, &json!({"Ask": {"seen": vec![1; 4_097]}}));
    for (data, result) in [
        (text(&envelope(1, &json!("Taken"))), "ok"),
        (text(&other), "version"),
        (String::from("{}"), "malformed"),
        (String::from("\u{0}"), "malformed"),
        (
            text(&envelope(1, &json!({"Ask": {"seen": [-1]}}))),
            "malformed",
        ),
        (text(&long), "too_long"),
    ] {
        let gives = scene.call(json!({"do": "read", "data": data}));
        assert_eq!(gives["result"], result, "{data}");
    }
    scene.ends("old", &[])
}

fn another_cutover() -> CutoverVector {
    let mut scene = scene(
        "another_cutover",
        "messages: those of another cutover are ignored, and counted",
    );
    let mut taken = envelope(1, &json!("Withdraw"));
    taken["cutover"] = json!(2);
    scene.call(json!({"side": "old", "do": "message", "message": taken}));
    scene.call(json!({"side": "new", "do": "message", "message": taken}));
    scene
        .says("old", "ignored", "1")
        .says("new", "ignored", "1");
    scene.ends("old", &[])
}

fn wrong_way() -> CutoverVector {
    let mut scene = scene(
        "the_wrong_way",
        "messages: what a side says itself it does not take from others",
    );
    for body in [
        json!("Kept"),
        json!({"Lost": {"dispatched": [], "alive_ms": 0}}),
    ] {
        scene.call(json!({"side": "old", "do": "message", "message": envelope(0, &body)}));
    }
    for body in [json!("Taken"), json!("Withdraw"), json!("Kept")] {
        scene.call(json!({"side": "new", "do": "message", "message": envelope(0, &body)}));
    }
    // To confirm what is not cut means nothing, either.
    scene.call(json!({"side": "old", "do": "message", "message": envelope(0, &json!("Taken"))}));
    scene
        .says("old", "ignored", "3")
        .says("new", "ignored", "3");
    scene.ends("old", &[])
}

fn an_unknown_guild() -> CutoverVector {
    let mut scene = scene(
        "an_unknown_guild",
        "messages: those about a guild that is not here are ignored",
    );
    let mut ask = envelope(1, &json!({"Ask": {}}));
    ask["guild"] = json!("99");
    scene.call(json!({"side": "old", "do": "message", "message": ask}));
    scene.says("old", "ignored", "1");
    let gives = scene.call(json!({"side": "new", "do": "ask", "guild": 99}));
    assert_eq!(gives["result"], "the guild is not one of this session's");
    scene.ends("old", &[])
}

fn too_many_asks() -> CutoverVector {
    let mut scene = scene_with(
        "too_many_asks",
        "bounds: so many guilds are asked for at a time, and no more",
        json!({"guilds": ["41", "42"], "asks_max": 1}),
    );
    scene.asked();
    scene.on_new(("GUILD_CREATE", r#"{"id":"42"}"#.into()), "overlap");
    scene.on_new(
        ("MESSAGE_CREATE", r#"{"id":"1","guild_id":"42"}"#.into()),
        "watched",
    );
    let other = json!({"side": "new", "do": "ask", "guild": 42});
    assert_ne!(scene.call(other.clone())["result"], "ok");
    scene.cut();
    assert_eq!(scene.call(other)["result"], "ok");
    scene.ends("new", &[])
}

fn too_many_bytes() -> CutoverVector {
    let mut scene = scene_with(
        "too_many_bytes",
        "bounds: when enough is held the driver is to stop reading; what comes all the same is held",
        json!({"hold_bytes_max": 200}),
    );
    scene.asked();
    for id in 8..11 {
        scene.on_new(message(id), "held");
    }
    let paused = scene.does("new", "timeout");
    assert_eq!(paused["wants_pause"], true);
    scene.carry("new");
    scene.store("old");
    let gives = scene.carry("old");
    assert_eq!(gives["wants_pause"], Value::Null);
    scene.ends("new", &[("released", 3)])
}

fn twice() -> CutoverVector {
    let mut scene = scene(
        "asked_for_twice",
        "interface: a guild is asked for once, and only after its GUILD_CREATE",
    );
    scene
        .ask("GUILD_CREATE")
        .on_new(created(), "overlap")
        .ask("agree by");
    scene
        .both(message(7), ["dispatch", "watched"])
        .ask("ok")
        .ask("already");
    scene.cut();
    scene.ask("already").ends("new", &[])
}

fn a_cut_that_nobody_asked_for() -> CutoverVector {
    let mut scene = scene(
        "a_cut_that_is_not_remembered",
        "crash: the old side has cut, so the guild is taken; what was watched is counted as lost",
    );
    scene
        .on_new(created(), "overlap")
        .on_new(message(7), "watched");
    let cut = json!({"Cut": {
        "basis": "Key", "missing": 0, "expected": [], "doubtful": [], "asked_ms": 0,
    }});
    scene.call(json!({"side": "new", "do": "message", "message": envelope(9, &cut)}));
    scene.on_new(message(8), "dispatch");
    scene.ends(
        "new",
        &[("gaps", 1), ("possibly_lost", 1), ("dispatched", 1)],
    )
}

fn lists_are_bounded() -> CutoverVector {
    let mut scene = scene_with(
        "lists_are_bounded",
        "bounds: so many fingerprints are listed, the newest; the others are only counted",
        json!({"listed_max": 2}),
    );
    scene.on_new(created(), "overlap");
    for id in 1..6 {
        scene.both(message(id), ["dispatch", "watched"]);
    }
    let gives = scene.call(json!({"side": "new", "do": "ask", "guild": 41}));
    let ask = &gives["messages"][0]["body"]["Ask"];
    assert_eq!(ask["seen"].as_array().map(Vec::len), Some(2));
    assert_eq!(ask["unlisted"], 3);
    scene.cut();
    scene.finish().ends("new", &[("possibly_lost", 0)])
}

fn hostile_numbers() -> CutoverVector {
    let mut scene = scene(
        "hostile_numbers",
        "messages: indexes beyond lists, times before all time and counts without bounds mean nothing",
    );
    let most = u64::MAX;
    let ask = json!({"Ask": {
        "seen": [1, 1, most], "unlisted": 1, "asked_ms": most,
        "silence": {"after": u32::MAX, "before_ms": most},
        "lone": [{"index": u32::MAX, "before_ms": most}, {"index": 0, "before_ms": 0}],
    }});
    scene.on_old(message(7), "dispatch");
    scene.call(json!({"side": "old", "do": "message", "message": envelope(most, &ask)}));
    scene.wait(10_000).does("old", "alive");
    scene.does("old", "timeout");
    scene.store("old");
    scene
        .on_new(created(), "overlap")
        .on_new(message(7), "watched");
    let cut = json!({"Cut": {
        "basis": "Silence", "missing": most, "asked_ms": most,
        "expected": [[7, u32::MAX], [7, u32::MAX]], "doubtful": [[6, u32::MAX]],
    }});
    scene
        .lose("old")
        .call(json!({"side": "new", "do": "message", "message": envelope(most, &cut)}));
    scene.on_new(message(8), "dispatch");
    scene.wait(30_000).does("new", "timeout");
    scene.ends("new", &[("gaps", 1)])
}
