//! The demo tells its story and loses nothing, whatever the compression.

use crate::support::{run, shardkeep};
use serde_json::Value;

fn demo(arguments: &[&str]) -> Value {
    let (code, out, err) = run(shardkeep(&["demo", "--json"]).args(arguments));
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(
        ["found dead", "op 7", "without an identify"]
            .iter()
            .all(|part| out.contains(part)),
        "{out}"
    );
    serde_json::from_str(out.lines().last().unwrap()).unwrap()
}

#[test]
fn nothing_is_lost() {
    let report = demo(&[
        "--shards",
        "4",
        "--guilds",
        "60",
        "--members",
        "20",
        "--rate",
        "300",
    ]);
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(
        (number("shards"), number("guilds"), number("identified")),
        (4, 60, 4)
    );
    assert_eq!(
        (number("lost"), number("duplicated"), number("violations")),
        (0, 0, 0)
    );
    assert_eq!(number("sent"), number("dispatched"));
    assert!(
        number("resumed") >= 10,
        "one cut, one silent, four asked to reconnect, four restarted: {report}"
    );
    assert_eq!(number("zombies"), 1);
    assert!(number("replayed") > 0);

    let change = &report["second"]["reshard"];
    assert_eq!(change["serving"], "4");
    assert_eq!((&change["lost"], &change["twice"]), (&0.into(), &0.into()));
    assert!(change["doubled"].as_u64().unwrap() > 0, "{change}");
    assert_eq!(change["identified"], 6);
    let killed = &report["second"]["killed"];
    assert_eq!(
        (&killed["lost"], &killed["unmarked"]),
        (&0.into(), &0.into())
    );
    assert_eq!(
        (&killed["identified"], &killed["resumed"]),
        (&2.into(), &2.into())
    );
}

#[test]
fn one_shard_is_enough() {
    let report = demo(&[
        "--shards",
        "1",
        "--guilds",
        "10",
        "--members",
        "10",
        "--compress",
        "zstd",
    ]);
    assert_eq!(report["lost"], 0);
    assert_eq!(report["shards"], 1);
}
