//! What the histories do not play: the way back, a driver's two sides in one session, other orders, and lag without
//! bounds.

use shardkeep_core::fleet::cutover::{
    Basis, Body, Config, Event, Joining, Leaving, Ledger, Message, Verdict,
};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Snowflake};

const GUILD: Snowflake = Snowflake(41);

fn config(cutover: u64) -> Config {
    Config::new(cutover)
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(100_000 + ms)
}

fn keyed(id: u64) -> (EventKind, String) {
    let data = format!(r#"{{"id":"{id}","guild_id":"41"}}"#);
    (EventKind::MessageCreate, data)
}

fn alike() -> (EventKind, String) {
    let data = r#"{"channel_id":"1","guild_id":"41"}"#;
    (EventKind::WebhooksUpdate, data.into())
}

/// Both sides of a cutover, a clock and a sequence.
struct Pair {
    old: Leaving,
    new: Joining,
    ms: u64,
    sequence: u64,
}

impl Pair {
    fn new(cutover: u64) -> Self {
        let mut new = Joining::new(config(cutover), [GUILD]);
        new.watch(at(0), GUILD);
        Self {
            old: Leaving::new(config(cutover), [GUILD]),
            new,
            ms: 0,
            sequence: 0,
        }
    }

    fn old(&mut self, (kind, data): &(EventKind, String)) -> bool {
        let event = self.event(*kind, data);
        self.old.event(at(self.ms), &event) == Verdict::Dispatch
    }

    fn new_verdict(&mut self, (kind, data): &(EventKind, String)) -> Verdict {
        let event = self.event(*kind, data);
        self.new.event(at(self.ms), &event)
    }

    fn event<'a>(&mut self, kind: EventKind, data: &'a str) -> Event<'a> {
        self.sequence += 1;
        self.ms += 1;
        Event {
            sequence: self.sequence,
            kind,
            name: kind.name(),
            data: data.as_bytes(),
        }
    }

    fn tell_old(&mut self) -> Vec<Message> {
        let now = at(self.ms);
        self.new.stored(self.new.snapshot().version);
        let messages: Vec<_> = core::iter::from_fn(|| self.new.poll_message(now)).collect();
        for message in &messages {
            self.old.message(now, message);
        }
        messages
    }

    /// Carries what the old side says, and counts what is released.
    fn tell_new(&mut self) -> (Vec<Message>, usize) {
        let now = at(self.ms);
        self.old.stored(self.old.snapshot().version);
        let messages: Vec<_> = core::iter::from_fn(|| self.old.poll_message(now)).collect();
        for message in &messages {
            self.new.message(now, message);
        }
        let settled = core::iter::from_fn(|| self.new.poll_settled());
        let released = settled.filter(|settled| settled.verdict == Verdict::Dispatch);
        (messages, released.count())
    }

    fn cut(&mut self) -> (Basis, usize) {
        self.tell_old();
        let (messages, released) = self.tell_new();
        let Some(Body::Cut(cut)) = messages.first().map(|message| &message.body) else {
            unreachable!("a cut: {messages:?}");
        };
        let basis = cut.basis;
        self.tell_old();
        (basis, released)
    }

    fn is_clean(&self) -> bool {
        let mut ledger = Ledger::default();
        ledger.add_leaving(&self.old);
        ledger.add_joining(&self.new);
        ledger.sum().is_clean()
    }
}

#[test]
fn an_aborted_guild_goes_back_and_each_event_is_dispatched_once() {
    let mut there = Pair::new(1);
    assert!(there.old(&keyed(1)));
    there.new_verdict(&keyed(1));
    there.new.ask(at(there.ms), GUILD).unwrap();
    assert_eq!(there.cut(), (Basis::Key, 0));

    // The way back: the session that joined leaves, the one that left joins.
    let mut back = Pair::new(2);
    back.ms = there.ms;
    let mut dispatched = Vec::new();
    for id in 2..10 {
        let event = keyed(id);
        // On the first session: what its own side suppresses goes to the way back.
        if there.old(&event) || back.new_verdict(&event) == Verdict::Dispatch {
            dispatched.push((id, "first"));
        }
        // On the second: what its own side dispatches goes to the way back.
        if there.new_verdict(&event) == Verdict::Dispatch && back.old(&event) {
            dispatched.push((id, "second"));
        }
        if id == 5 {
            back.new.ask(at(back.ms), GUILD).unwrap();
            assert_eq!(back.cut(), (Basis::Key, 0));
        }
    }
    let ids: Vec<_> = dispatched.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, (2..10).collect::<Vec<_>>());
    assert!(dispatched[..4].iter().all(|(_, by)| *by == "second"));
    assert!(dispatched[4..].iter().all(|(_, by)| *by == "first"));
    assert!(there.is_clean() && back.is_clean());
}

#[test]
fn messages_of_the_way_there_do_not_disturb_the_way_back() {
    let mut there = Pair::new(1);
    there.old(&keyed(1));
    there.new_verdict(&keyed(1));
    there.new.ask(at(there.ms), GUILD).unwrap();
    let mut back = Pair::new(2);
    let late = there.new.poll_message(at(there.ms)).unwrap();
    back.old.message(at(1), &late);
    assert_eq!(back.old.ignored(), 1);
    assert!(back.old(&keyed(1)), "it is not cut");
}

#[test]
fn keyed_events_in_another_order_are_neither_lost_nor_doubled() {
    // The old side: 1 2 3 4 | 5. The new side: 2 1 4 ask 3 5.
    let mut pair = Pair::new(1);
    for id in [1, 2] {
        pair.old(&keyed(id));
    }
    for id in [2, 1, 4] {
        pair.new_verdict(&keyed(id));
    }
    pair.new.ask(at(pair.ms), GUILD).unwrap();
    pair.tell_old();
    assert!(pair.old(&keyed(3)), "4 is still missing");
    assert!(pair.old(&keyed(4)), "now both are aligned");
    assert!(!pair.old(&keyed(5)));
    assert_eq!(pair.new_verdict(&keyed(3)), Verdict::Held);
    let (_, released) = pair.tell_new();
    assert_eq!(released, 0, "3 was dispatched");
    assert_eq!(pair.new_verdict(&keyed(5)), Verdict::Dispatch);
    assert!(pair.is_clean());
}

#[test]
fn a_duplicate_later_than_the_horizon_is_dispatched_and_was_counted() {
    let mut pair = Pair::new(1);
    pair.old(&keyed(1));
    pair.new_verdict(&keyed(1));
    pair.new.ask(at(pair.ms), GUILD).unwrap();
    pair.old(&keyed(2));
    pair.old(&alike());
    assert_eq!(pair.cut(), (Basis::Key, 0));
    pair.ms += 31_000;
    pair.new.handle_timeout(at(pair.ms));
    assert_eq!(pair.new_verdict(&keyed(2)), Verdict::Dispatch);
    assert_eq!(pair.new_verdict(&alike()), Verdict::Dispatch);
    let unmet: u64 = pair.new.counts().map(|(_, counts)| counts.unmet).sum();
    assert_eq!(unmet, 2, "as many as were dispatched twice");
}

#[test]
fn an_old_side_that_lags_longer_than_patience_says_what_is_lost() {
    let mut pair = Pair::new(1);
    pair.old(&keyed(1));
    for event in [keyed(1), alike(), alike(), keyed(2), alike()] {
        pair.new_verdict(&event);
    }
    pair.new.ask(at(pair.ms), GUILD).unwrap();
    pair.tell_old();
    pair.ms += 10_000;
    pair.old.alive(at(pair.ms));
    pair.old.handle_timeout(at(pair.ms));
    let (messages, _) = pair.tell_new();
    assert!(matches!(&messages[0].body, Body::Cut(cut) if cut.missing == 4));
    for event in [alike(), alike(), keyed(2), alike()] {
        assert!(!pair.old(&event), "it is cut");
    }
    let lost: u64 = pair
        .old
        .counts()
        .map(|(_, counts)| counts.possibly_lost)
        .sum();
    assert_eq!(lost, 4);
}

#[test]
fn an_old_side_that_hangs_gives_nothing_up_and_goes_on_when_it_was_resumed() {
    let mut pair = Pair::new(1);
    pair.old(&keyed(1));
    // 2 came before the new session began: only the old one has it, and its connection hangs.
    pair.ms += 12_000;
    for event in [alike(), keyed(3)] {
        pair.new_verdict(&event);
    }
    pair.new.ask(at(pair.ms), GUILD).unwrap();
    pair.tell_old();
    pair.ms += 60_000;
    pair.old.handle_timeout(at(pair.ms));
    assert!(pair.tell_new().0.is_empty(), "it is not over");
    for event in [keyed(2), alike(), keyed(3)] {
        assert!(pair.old(&event), "the resume brings what nobody else has");
    }
    pair.old.resumed(at(pair.ms));
    assert!(!pair.old(&keyed(4)));
    let (messages, _) = pair.tell_new();
    assert!(matches!(&messages[0].body, Body::Cut(cut) if cut.missing == 0));
}

#[test]
fn an_old_side_that_begins_anew_counts_from_one_and_tells_of_the_gap() {
    let mut pair = Pair::new(1);
    pair.sequence = 800;
    pair.old(&keyed(1));
    // Its session is lost before a guild could be handed over, and another one is opened.
    pair.sequence = 0;
    assert!(pair.old(&(EventKind::Ready, "{}".into())));
    pair.new_verdict(&keyed(2));
    assert!(pair.old(&keyed(2)));
    pair.new.ask(at(pair.ms), GUILD).unwrap();
    assert_eq!(pair.cut(), (Basis::Key, 0));
    // Below what the first session had come to, and yet after the cut.
    assert!(!pair.old(&keyed(3)));
    assert_eq!(pair.new_verdict(&keyed(3)), Verdict::Dispatch);
    let gaps: u64 = pair.old.counts().map(|(_, counts)| counts.gaps).sum();
    assert_eq!(gaps, 2, "of the guild, and of what has none");
}
