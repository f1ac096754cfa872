//! What is held when its session is lost is handed on later, and is no event of the next session.

use std::sync::Arc;

use shardkeep_core::fleet::cutover::{Config, Event, Joining, Leaving};
use shardkeep_core::gateway::Dispatch;
use shardkeep_core::wire::EventKind;
use shardkeep_core::{ShardId, Snowflake};
use tokio::sync::mpsc;

use super::part::{Order, Part, Switch, Told};
use super::{Notice, Outlet};
use crate::clock;
use crate::events::Queue;
use crate::sessions::Tracked;
use crate::shard::{ShardCell, Sorting};

const GUILD: Snowflake = Snowflake(41 << 22);

fn message(sequence: u64) -> Dispatch<'static> {
    Dispatch {
        sequence,
        kind: EventKind::MessageCreate,
        name: "MESSAGE_CREATE",
        data: br#"{"id":"7","guild_id":"171966464"}"#,
        replayed: false,
    }
}

#[tokio::test]
async fn what_was_held_when_its_session_was_lost_counts_for_no_other() {
    let old = ShardId::SINGLE;
    let (notices, mut told) = mpsc::unbounded_channel();
    let shard = ShardId::new(0, 2).expect("a shard");
    let queue = Arc::new(Queue::new(100, 1 << 20));
    let tracked = Arc::new(Tracked::new(shard, "none", None));
    let now = clock::now();
    let mut side = Joining::new(Config::new(1), [GUILD]);
    let mut leaving = Leaving::new(Config::new(1), [GUILD]);
    side.watch(now, GUILD);
    // Both had it: from there they agree.
    let common = Event {
        sequence: 8,
        kind: EventKind::MessageCreate,
        name: "MESSAGE_CREATE",
        data: br#"{"id":"6","guild_id":"171966464"}"#,
    };
    side.event(now, &common);
    leaving.event(now, &common);
    side.ask(now, GUILD).expect("it is watched");
    let sorting = Sorting {
        switch: Some(Switch::new(Part::Joining(Box::new(side)), vec![old])),
        ..Sorting::default()
    };
    let mut outlet = Outlet::new(
        shard,
        Arc::clone(&queue),
        Arc::new(ShardCell::new(shard)),
        notices,
        None,
        Some(Arc::clone(&tracked)),
        sorting,
    );
    outlet.dispatch(&message(9));

    // The session is lost; the next one counts anew.
    outlet.switch_lost();
    outlet.track.begin();
    let epoch = tracked.epoch();
    assert_eq!(tracked.outstanding(), 0);

    // The old side cuts, and what was held is handed on.
    while let Ok(notice) = told.try_recv() {
        if let Notice::Switch {
            told: Told::Message(message),
            ..
        } = notice
        {
            leaving.message(now, &message);
        }
    }
    leaving.stored(leaving.snapshot().version);
    let cut = leaving.poll_message(now).expect("it cuts at once");
    outlet.obey_switch(Order::Message(cut));
    outlet.put();
    queue.publish(outlet.staged());
    let batch = queue.take(10).expect("it was handed on");
    let sessions: Vec<_> = batch.iter().map(|entry| entry.session).collect();
    assert_eq!(sessions.len(), 1);
    assert_ne!(sessions[0], epoch, "of the session that was lost");
    assert_eq!(
        tracked.outstanding(),
        0,
        "nobody waits for it in the new session"
    );
    // An event of the new session with the same number is another.
    tracked.handed(&[9]);
    assert_eq!(tracked.finished(sessions[0], [9]), 0);
    assert_eq!(tracked.outstanding(), 1);
}
