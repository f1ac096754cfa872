//! What six bots handled, joined with what the simulator sent.

use std::collections::BTreeMap;

use shardkeep_sim::Control;
use shardkeep_sim::server::Server;

use crate::child::Said;

/// A shard and a sequence: as long as each shard has one session, that names an event.
pub(crate) type Key = (u32, u64);

/// What the simulator sent, by digest.
pub(crate) async fn sent(server: &Server, shards: usize) -> BTreeMap<Key, u64> {
    let answer = server.control(Control::Sessions).await;
    let sessions = answer["sessions"].as_array().expect("a list").clone();
    assert_eq!(sessions.len(), shards, "one session each: {answer}");
    let mut sent = BTreeMap::new();
    for session in sessions {
        let shard = session["shard"][0].as_u64().expect("a shard");
        let shard = u32::try_from(shard).expect("small");
        let name = session["session"].as_str().expect("a name").to_owned();
        let ledger = server.control(Control::Ledger { session: name }).await;
        for entry in ledger["entries"].as_array().expect("a list") {
            let sequence = entry["seq"].as_u64().expect("s");
            sent.insert(
                (shard, sequence),
                entry["digest"].as_u64().expect("a digest"),
            );
        }
    }
    sent
}

/// Which events were handled, and how often: at first, and as replays.
pub(crate) fn handled<'a>(
    log: impl IntoIterator<Item = &'a Said>,
) -> BTreeMap<Key, (u64, usize, usize)> {
    let mut handled = BTreeMap::new();
    for said in log {
        if let Said::Handled {
            shard,
            sequence,
            digest,
            replayed,
            ..
        } = *said
        {
            let counts = handled.entry((shard, sequence)).or_insert((digest, 0, 0));
            assert_eq!(counts.0, digest, "{shard} {sequence} is another");
            if replayed {
                counts.2 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    handled
}

/// Everything was handled at least once, and what came again says that it is a replay. How many came again.
pub(crate) fn compare(log: &[Said], sent: &BTreeMap<Key, u64>) -> usize {
    let handled = handled(log);
    let lost: Vec<_> = sent
        .keys()
        .filter(|key| !handled.contains_key(key))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} lost: {lost:?}",
        lost.len(),
        sent.len()
    );
    let mut again = 0;
    for (key, (digest, first, replays)) in &handled {
        assert!(
            *first <= 1,
            "{key:?} came {first} times and does not say so"
        );
        if let Some(sent) = sent.get(key) {
            assert_eq!(sent, digest, "{key:?} is another");
        }
        again += first + replays - 1;
    }
    again
}
