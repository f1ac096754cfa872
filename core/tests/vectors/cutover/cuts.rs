//! Cuts when neither side breaks.

use serde_json::json;

use super::CutoverVector;
use super::scene::{created, message, reaction, scene, scene_with, verdicts};

pub(super) fn vectors() -> Vec<CutoverVector> {
    let mut all = vec![
        nothing_happens(),
        a_duplicate_is_dropped(),
        a_held_event_is_released(),
        a_duplicate_comes_after_the_cut(),
        alike_are_counted(),
        another_alike_is_no_duplicate(),
        the_old_side_is_behind(),
    ];
    all.extend([
        silence(),
        hanging_is_no_silence(),
        a_flow_proves_silence(),
        lone(),
        nothing_to_agree_by(),
        shared_events(),
        released_first(),
        a_join_during_the_overlap(),
        the_way_back(),
        expected_and_never_met(),
    ]);
    all
}

fn nothing_happens() -> CutoverVector {
    let mut scene = scene(
        "by_a_key",
        "key: both have seen a message, nothing comes between ask and cut",
    );
    scene.asked();
    scene.carry("new");
    scene.says("old", "finished", "no");
    scene.store("old");
    assert_eq!(scene.basis(), "Key");
    scene.carry("old");
    scene
        .on_old(message(8), "after_cut")
        .on_new(message(8), "dispatch");
    scene.finish().ends("new", &[("dispatched", 1)])
}

fn a_duplicate_is_dropped() -> CutoverVector {
    let mut scene = scene(
        "a_held_duplicate",
        "key: held, and dispatched by the old side before the cut",
    );
    scene.asked().both(message(8), ["dispatch", "held"]);
    assert_eq!(scene.cut(), "duplicate");
    scene
        .finish()
        .ends("new", &[("duplicates", 1), ("held", 1)])
}

fn a_held_event_is_released() -> CutoverVector {
    let mut scene = scene(
        "held_and_released",
        "key: held, and on the old side only after the cut",
    );
    scene.asked().on_new(message(8), "held");
    assert_eq!(scene.cut(), "dispatch");
    scene.on_old(message(8), "after_cut");
    scene.finish().ends("new", &[("released", 1)])
}

fn a_duplicate_comes_after_the_cut() -> CutoverVector {
    let mut scene = scene(
        "a_late_duplicate",
        "key: dispatched by the old side before the cut, comes later here",
    );
    scene.asked().on_old(message(8), "dispatch");
    scene.cut();
    scene
        .on_new(message(8), "duplicate")
        .on_new(message(9), "dispatch");
    scene
        .finish()
        .ends("new", &[("duplicates", 1), ("dispatched", 1)])
}

fn alike_are_counted() -> CutoverVector {
    let mut scene = scene(
        "payloads_that_are_alike",
        "key: three alike after the message, of which the new side saw one before its ask: two to come",
    );
    scene.on_new(created(), "overlap");
    scene.both(message(7), ["dispatch", "watched"]);
    scene.both(reaction(), ["dispatch", "watched"]).ask("ok");
    scene.both(reaction(), ["dispatch", "held"]);
    scene.on_old(reaction(), "dispatch");
    assert_eq!(scene.cut(), "duplicate");
    scene
        .on_new(reaction(), "duplicate")
        .on_new(reaction(), "dispatch");
    scene
        .finish()
        .ends("new", &[("duplicates", 2), ("dispatched", 1)])
}

fn another_alike_is_no_duplicate() -> CutoverVector {
    let mut scene = scene(
        "alike_from_before_the_session",
        "key: what the old side dispatched before the place that both know is not expected again",
    );
    scene.on_old(reaction(), "dispatch").asked();
    scene.cut();
    scene.on_new(reaction(), "dispatch");
    scene
        .finish()
        .ends("new", &[("dispatched", 1), ("duplicates", 0)])
}

fn the_old_side_is_behind() -> CutoverVector {
    let mut scene = scene(
        "the_old_side_is_behind",
        "key: the cut waits until the old side has dispatched what the new side saw",
    );
    scene.on_new(created(), "overlap");
    scene.both(message(7), ["dispatch", "watched"]);
    scene
        .on_new(message(8), "watched")
        .on_new(reaction(), "watched")
        .ask("ok");
    // A session that hangs is waited for without end: this one shows that it lives.
    scene.does("old", "alive");
    let gives = scene.carry("new");
    assert_eq!(gives["next_ms"], 110_000, "patience");
    scene
        .wait(300)
        .on_old(message(8), "dispatch")
        .on_old(reaction(), "dispatch");
    scene.store("old");
    scene.carry("old");
    scene
        .finish()
        .ends("old", &[("dispatched", 3), ("possibly_lost", 0)])
}

fn silence() -> CutoverVector {
    let mut scene = scene(
        "by_silence",
        "silence: nothing for 10 s, as an acknowledged heartbeat proves; what comes after its middle is expected",
    );
    scene
        .on_old(reaction(), "dispatch")
        .wait(1_000)
        .on_new(created(), "overlap");
    scene.wait(11_000);
    scene.call(json!({"side": "new", "do": "acknowledged", "sent_ms": 111_900}));
    scene.does("old", "alive");
    scene
        .ask("ok")
        .on_old(reaction(), "dispatch")
        .on_new(reaction(), "held");
    scene.carry("new");
    scene.store("old");
    assert_eq!(scene.basis(), "Silence");
    let gives = scene.carry("old");
    assert_eq!(verdicts(&gives), "duplicate");
    scene.on_new(reaction(), "dispatch");
    scene
        .finish()
        .ends("new", &[("duplicates", 1), ("possibly_duplicated", 0)])
}

fn hanging_is_no_silence() -> CutoverVector {
    let mut scene = scene(
        "a_hanging_session_is_not_silent",
        "silence: without a heartbeat, nothing says that the guild is silent",
    );
    scene
        .on_new(created(), "overlap")
        .wait(20_000)
        .ask("agree by");
    scene.ends("new", &[("overlap", 1)])
}

fn a_flow_proves_silence() -> CutoverVector {
    let mut scene = scene_with(
        "a_flow_of_other_guilds",
        "silence: what comes for other guilds without a break proves it as well",
        json!({"guilds": ["41", "42"]}),
    );
    scene.on_new(created(), "overlap");
    for second in 0..20 {
        let data = format!(r#"{{"id":"{second}","guild_id":"42"}}"#);
        scene
            .wait(1_000)
            .both(("MESSAGE_CREATE", data), ["dispatch", "watched"]);
    }
    scene.ask("ok");
    scene.carry("new");
    scene.store("old");
    assert_eq!(scene.basis(), "Silence");
    scene.carry("old");
    scene.ends("new", &[("gaps", 0), ("possibly_lost", 0)])
}

fn lone() -> CutoverVector {
    let mut scene = scene(
        "by_a_lone_event",
        "lone: one that may come again, but did not within 5 s to either side",
    );
    let pins = |n: u64| {
        let data = format!(r#"{{"channel_id":"{n}","guild_id":"41"}}"#);
        ("CHANNEL_PINS_UPDATE", data)
    };
    scene
        .on_old(pins(99), "dispatch")
        .on_new(created(), "overlap");
    for n in 0..8 {
        scene.wait(4_000).both(pins(n % 4), ["dispatch", "watched"]);
    }
    scene.ask("ok").on_old(pins(3), "dispatch");
    scene.carry("new");
    scene.store("old");
    assert_eq!(scene.basis(), "Lone");
    scene.carry("old");
    scene
        .on_new(pins(3), "duplicate")
        .on_new(pins(3), "dispatch");
    scene
        .finish()
        .ends("new", &[("duplicates", 1), ("possibly_duplicated", 0)])
}

fn nothing_to_agree_by() -> CutoverVector {
    let mut scene = scene(
        "by_nothing",
        "nothing: only events that are alike, without a pause. After patience it is cut; all is counted as in doubt",
    );
    scene.on_new(created(), "overlap");
    for _ in 0..31 {
        scene.wait(1_000).both(reaction(), ["dispatch", "watched"]);
    }
    scene.ask("ok").on_new(reaction(), "held");
    scene.carry("new");
    scene.wait(10_000).does("old", "alive");
    scene.does("old", "timeout");
    scene.store("old");
    assert_eq!(scene.basis(), "Nothing");
    let gives = scene.carry("old");
    assert_eq!(gives["settled"][0][2], "dispatch");
    scene.on_new(reaction(), "dispatch");
    scene.finish().ends("new", &[("possibly_duplicated", 2)])
}

fn shared_events() -> CutoverVector {
    let mut scene = scene(
        "what_has_no_guild",
        "scope: watched from READY on, asked for and cut like a guild",
    );
    let direct = |id: u64| ("MESSAGE_CREATE", format!(r#"{{"id":"{id}"}}"#));
    scene.on_new(direct(1), "watched");
    scene.does("new", "ready");
    scene.both(direct(2), ["dispatch", "watched"]);
    scene.call(json!({"side": "new", "do": "ask", "guild": 0}));
    scene.both(direct(3), ["dispatch", "held"]);
    assert_eq!(scene.cut(), "duplicate");
    scene
        .on_old(direct(4), "after_cut")
        .on_new(direct(4), "dispatch");
    scene.finish().ends("new", &[])
}

fn released_first() -> CutoverVector {
    let mut scene = scene(
        "in_order",
        "order: what is released comes out as it came in",
    );
    scene.asked();
    scene
        .on_new(message(8), "held")
        .on_new(reaction(), "held")
        .on_new(message(9), "held");
    let all = "dispatch dispatch dispatch";
    assert_eq!(scene.cut(), all);
    scene.finish().ends("new", &[("released", 3)])
}

fn a_join_during_the_overlap() -> CutoverVector {
    let mut scene = scene_with(
        "a_guild_that_is_joined",
        "1.20 availability: a join comes to both sessions; the old side dispatches it, here it begins the watch",
        json!({"guilds": []}),
    );
    scene.both(
        ("GUILD_CREATE", r#"{"id":"41","name":"g"}"#.into()),
        ["dispatch", "overlap"],
    );
    scene.both(message(7), ["dispatch", "watched"]).ask("ok");
    scene.cut();
    scene.on_new(
        ("GUILD_CREATE", r#"{"id":"41","name":"g"}"#.into()),
        "dispatch",
    );
    scene
        .finish()
        .ends("new", &[("overlap", 1), ("dispatched", 1)])
}

fn the_way_back() -> CutoverVector {
    let mut scene = scene(
        "watched_without_guild_create",
        "the way back: a session that has the guild for long watches it when it is told to",
    );
    scene.on_new(message(6), "watched").ask("GUILD_CREATE");
    scene.call(json!({"side": "new", "do": "watch", "guild": 41}));
    scene.both(message(7), ["dispatch", "watched"]).ask("ok");
    scene.cut();
    scene
        .finish()
        .ends("new", &[("overlap", 0), ("watched", 2)])
}

fn expected_and_never_met() -> CutoverVector {
    let mut scene = scene(
        "never_met",
        "horizon: a duplicate that has not come after 30 s is not waited for",
    );
    scene.asked().on_old(message(8), "dispatch");
    scene.cut();
    scene.wait(30_000).does("new", "timeout");
    scene.on_new(message(8), "dispatch");
    scene
        .finish()
        .ends("new", &[("unmet", 1), ("dispatched", 1)])
}
