//! Cuts while something breaks.

use serde_json::json;

use super::CutoverVector;
use super::scene::{created, message, reaction, scene, verdicts};

pub(super) fn vectors() -> Vec<CutoverVector> {
    vec![
        an_ask_is_lost(),
        a_cut_is_lost(),
        taken_is_lost(),
        asked_again_after_the_cut(),
        new_lost_before_the_cut(),
        new_lost_after_the_cut(),
        a_late_ask_after_its_withdrawal(),
        old_lost(),
        old_lost_while_asked(),
        old_restarts_after_the_cut(),
        old_restarts_before_it_stored(),
        new_restarts_with_what_it_owns(),
        new_restarts_while_asking(),
        taken_over(),
        resumed_sessions_prove_no_silence(),
    ]
}

fn an_ask_is_lost() -> CutoverVector {
    let mut scene = scene(
        "a_lost_ask",
        "messages: an ask is said again after a second, the same",
    );
    scene.asked().lose("new").wait(1_000).does("new", "timeout");
    scene.cut();
    scene.finish().ends("new", &[("possibly_lost", 0)])
}

fn a_cut_is_lost() -> CutoverVector {
    let mut scene = scene(
        "a_lost_cut",
        "messages: a cut is said again until it is confirmed",
    );
    scene.asked();
    scene.carry("new");
    scene.store("old");
    scene.lose("old").wait(1_000).does("old", "timeout");
    scene
        .on_old(message(8), "after_cut")
        .on_new(message(8), "held");
    let gives = scene.carry("old");
    assert_eq!(verdicts(&gives), "dispatch");
    scene.finish().ends("new", &[("released", 1)])
}

fn taken_is_lost() -> CutoverVector {
    let mut scene = scene(
        "a_lost_confirmation",
        "messages: who owns a guild confirms every cut of it",
    );
    scene.asked();
    scene.cut();
    scene.store("new");
    scene.lose("new").wait(1_000).does("old", "timeout");
    scene.carry("old");
    scene.carry("new");
    scene.ends("new", &[("gaps", 0)])
}

fn asked_again_after_the_cut() -> CutoverVector {
    let mut scene = scene(
        "asked_again",
        "messages: an ask for a guild that is cut gets the same cut",
    );
    scene.asked();
    scene.carry("new");
    scene.on_old(message(8), "after_cut");
    scene.wait(1_000).does("new", "timeout");
    scene.carry("new");
    scene.store("old");
    scene.carry("old");
    scene.finish().ends("old", &[("after_cut", 1)])
}

fn new_lost_before_the_cut() -> CutoverVector {
    let mut scene = scene(
        "new_session_lost_before_the_cut",
        "withdraw: the old side goes on, what was held is dropped, nothing is lost",
    );
    scene
        .asked()
        .lose("new")
        .both(message(8), ["dispatch", "held"]);
    scene.does("new", "ready");
    scene.carry("new");
    scene.store("old");
    let gives = scene.carry("old");
    assert_eq!(verdicts(&gives), "watched");
    scene
        .on_new(created(), "overlap")
        .both(message(9), ["dispatch", "watched"]);
    scene.ask("ok");
    scene.cut();
    scene
        .finish()
        .ends("new", &[("dropped", 1), ("gaps", 0), ("possibly_lost", 0)])
}

fn new_lost_after_the_cut() -> CutoverVector {
    let mut scene = scene(
        "new_session_lost_after_the_cut",
        "withdraw: it was cut already. What was held is released, and between the sessions is a gap",
    );
    scene.asked().on_new(message(8), "held");
    scene.carry("new");
    scene.store("old");
    scene.lose("old").does("new", "ready");
    scene
        .on_new(created(), "overlap")
        .on_new(message(10), "held");
    scene.carry("new");
    let gives = scene.carry("old");
    assert_eq!(verdicts(&gives), "dispatch dispatch");
    scene.finish().ends("new", &[("released", 2), ("gaps", 1)])
}

fn a_late_ask_after_its_withdrawal() -> CutoverVector {
    let mut scene = scene(
        "a_late_ask",
        "messages: an ask that was withdrawn never leads to a cut, however late a copy comes",
    );
    scene.asked();
    let ask = json!({"side": "old", "do": "message", "message": {
        "version": 1, "cutover": 1, "guild": "41", "number": 1,
        "body": {"Ask": {"seen": [], "unlisted": 0}},
    }});
    scene.lose("new").does("new", "ready");
    scene.carry("new");
    scene.call(ask);
    scene.on_old(message(8), "dispatch");
    scene.store("old");
    scene.carry("old");
    scene.ends("old", &[("dispatched", 2), ("after_cut", 0)])
}

fn old_lost() -> CutoverVector {
    let mut scene = scene(
        "old_session_lost",
        "lost: the guild is cut where the session ended; what was watched since is counted as lost",
    );
    scene
        .on_old(message(6), "dispatch")
        .on_new(created(), "overlap")
        .wait(6_000);
    scene.both(message(7), ["dispatch", "watched"]);
    scene
        .on_new(message(8), "watched")
        .on_new(reaction(), "watched");
    scene.does("old", "lost");
    scene.store("old");
    scene.carry("old");
    scene.on_new(message(9), "dispatch");
    scene.finish().ends(
        "new",
        &[("possibly_lost", 2), ("gaps", 0), ("dispatched", 1)],
    )
}

fn old_lost_while_asked() -> CutoverVector {
    let mut scene = scene(
        "old_session_lost_while_asked",
        "lost: what is held is released, so nothing that came since the ask is lost",
    );
    scene
        .on_old(message(6), "dispatch")
        .on_new(created(), "overlap")
        .wait(6_000);
    scene.both(message(7), ["dispatch", "watched"]).ask("ok");
    scene
        .both(message(8), ["dispatch", "held"])
        .on_new(message(9), "held");
    scene.lose("new").does("old", "lost");
    scene.store("old");
    let gives = scene.carry("old");
    assert_eq!(verdicts(&gives), "duplicate dispatch");
    scene
        .finish()
        .ends("new", &[("possibly_lost", 0), ("gaps", 0)])
}

fn old_restarts_after_the_cut() -> CutoverVector {
    let mut scene = scene(
        "old_process_restarts_after_the_cut",
        "crash: of a replay, what came before the cut was not finished, and is dispatched again",
    );
    scene.asked();
    scene.carry("new");
    scene.on_old(message(8), "after_cut");
    scene.store("old");
    scene.does("old", "restart");
    let replay = |sequence: u64, id: u64| {
        let data = format!(r#"{{"id":"{id}","guild_id":"41"}}"#);
        json!({"side": "old", "do": "event", "sequence": sequence, "name": "MESSAGE_CREATE", "data": data})
    };
    assert_eq!(scene.call(replay(3, 7))["result"], "dispatch");
    assert_eq!(scene.call(replay(5, 8))["result"], "after_cut");
    scene.does("old", "resumed");
    scene.carry("old");
    scene
        .finish()
        .ends("old", &[("dispatched", 1), ("after_cut", 1)])
}

fn old_restarts_before_it_stored() -> CutoverVector {
    let mut scene = scene(
        "old_process_restarts_before_it_stored",
        "crash: a cut that was not stored was not told; the guild is dispatched on, and asked for again",
    );
    scene.asked();
    scene.store("old");
    scene.carry("new");
    scene.does("old", "restart");
    scene.both(message(8), ["dispatch", "held"]);
    scene.wait(1_000).does("new", "timeout");
    scene.does("old", "alive");
    scene.carry("new");
    scene.wait(10_000).does("old", "alive");
    scene.does("old", "timeout");
    scene.store("old");
    scene.carry("old");
    scene
        .finish()
        .ends("old", &[("dispatched", 1), ("possibly_lost", 1)])
}

fn new_restarts_with_what_it_owns() -> CutoverVector {
    let mut scene = scene(
        "new_process_restarts_with_what_it_owns",
        "crash: what was taken is not forgotten, and is confirmed again",
    );
    scene.asked();
    scene.cut();
    scene.store("new");
    scene.lose("new").does("new", "restart");
    scene.carry("new");
    scene.on_new(message(8), "dispatch");
    scene
        .says("new", "finished", "no")
        .ends("new", &[("dispatched", 1)])
}

fn new_restarts_while_asking() -> CutoverVector {
    let mut scene = scene(
        "new_process_restarts_while_asking",
        "crash: the ask is withdrawn; what was held is replayed, and is the old side's",
    );
    scene.asked();
    scene.store("new");
    scene.both(message(8), ["dispatch", "held"]);
    scene.lose("new").does("new", "restart");
    scene.call(json!({"side": "new", "do": "watch", "guild": 41}));
    scene.on_new(message(8), "held");
    scene.carry("new");
    scene.store("old");
    let gives = scene.carry("old");
    assert_eq!(verdicts(&gives), "watched");
    scene.both(message(9), ["dispatch", "watched"]).ask("ok");
    scene.cut();
    scene
        .finish()
        .ends("new", &[("dropped", 1), ("possibly_lost", 0)])
}

fn taken_over() -> CutoverVector {
    let mut scene = scene(
        "taken_over",
        "lease: the old process is gone; what is held is released, what was watched since its last sign is counted",
    );
    scene.on_new(created(), "overlap").wait(20_000);
    scene.both(message(7), ["dispatch", "watched"]).ask("ok");
    scene.on_new(message(8), "held").wait(30_000);
    let gives = scene.call(json!({
        "side": "new", "do": "take_over", "guild": 41, "last_sign_ms": 121_000,
    }));
    assert_eq!(verdicts(&gives), "dispatch");
    scene.on_new(message(9), "dispatch");
    scene.ends(
        "new",
        &[
            ("possibly_duplicated", 2),
            ("possibly_lost", 1),
            ("gaps", 0),
        ],
    )
}

fn resumed_sessions_prove_no_silence() -> CutoverVector {
    let mut scene = scene(
        "old_session_resumed_during_the_silence",
        "silence: what the old side dispatched around a resume came late, and proves nothing",
    );
    scene.on_new(created(), "overlap").wait(11_000);
    scene.call(json!({"side": "new", "do": "acknowledged", "sent_ms": 110_900}));
    scene.ask("ok").on_old(reaction(), "dispatch");
    scene.does("old", "resumed");
    scene.carry("new");
    scene.wait(10_000).does("old", "alive");
    scene.does("old", "timeout");
    scene.store("old");
    assert_eq!(scene.basis(), "Nothing");
    scene.carry("old");
    scene.on_new(reaction(), "dispatch");
    scene.finish().ends("new", &[("possibly_duplicated", 1)])
}
