//! What the simulator sent, on whichever session, against what the bot handed on.

use std::collections::BTreeMap;

use shardkeep::{Event, Topic};
use shardkeep_sim::server::Server;
use shardkeep_sim::{Control, digest};

/// What belongs to a session and not to what happens in guilds.
const OWN: [&str; 4] = ["READY", "RESUMED", "GUILD_CREATE", "GUILD_DELETE"];

/// What Discord sends once in all time: two that are alike are one.
const ONCE: [&str; 2] = ["MESSAGE_CREATE", "INTERACTION_CREATE"];

/// How often each payload was sent, by session, and its event's name.
pub(crate) type Sent = BTreeMap<u64, (String, BTreeMap<String, usize>)>;

/// Every dispatch of every session that ever was.
pub(crate) async fn sent(server: &Server) -> Sent {
    let answer = server.control(Control::Sessions).await;
    let sessions = answer["sessions"].as_array().expect("a list").clone();
    let mut sent = Sent::new();
    for session in sessions {
        assert_ne!(session["truncated"], true, "the ledger must hold all");
        let name = session["session"].as_str().expect("a name").to_owned();
        let ask = Control::Ledger {
            session: name.clone(),
        };
        let ledger = server.control(ask).await;
        for entry in ledger["entries"].as_array().expect("a list") {
            let digest = entry["digest"].as_u64().expect("a digest");
            let event = entry["t"].as_str().expect("a name");
            if !OWN.contains(&event) {
                let known = sent.entry(digest).or_default();
                known.0 = event.to_owned();
                *known.1.entry(name.clone()).or_default() += 1;
            }
        }
    }
    sent
}

/// What the bot handed on, and how often.
pub(crate) fn handed_on(events: &[Event]) -> BTreeMap<u64, usize> {
    let mut handed = BTreeMap::new();
    for event in events {
        if event.topic() == Topic::Dispatch && !OWN.contains(&event.name()) {
            *handed.entry(digest(event.data())).or_default() += 1;
        }
    }
    handed
}

/// Every event once. Two messages that are alike are one. Of other payloads that are alike there were at least as many
/// as the session got that got the most, and at most as many as all got together: two sessions may have had one each,
/// before the one began and after the other ended.
pub(crate) fn assert_once(events: &[Event], sent: &Sent) {
    let mut handed = handed_on(events);
    let mut sure = 0;
    for (digest, (name, sessions)) in sent {
        let most = sessions.values().copied().max().unwrap_or_default();
        let all: usize = sessions.values().sum();
        let times = handed.remove(digest).unwrap_or_default();
        let is_once = ONCE.contains(&name.as_str());
        sure += usize::from(is_once);
        let bound = if is_once { 1 } else { all };
        assert!(
            (most..=bound).contains(&times),
            "{name} was handed on {times} times; sent {sessions:?}"
        );
    }
    assert!(handed.is_empty(), "handed on and never sent: {handed:?}");
    assert!(sure > 100, "too little happened: {sure}");
}
