//! How topologies are written, read and refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use shardkeep_core::fleet::{SHARDS_MAX, Shards, Topology, TopologyError};
use shardkeep_core::{ShardId, Snowflake};

fn read(text: &str) -> Result<String, TopologyError> {
    text.parse::<Shards>().map(|shards| shards.to_string())
}

fn error(text: &str) -> TopologyError {
    text.parse::<Shards>().expect_err(text)
}

#[test]
fn every_way_to_write_shards() {
    for (text, canonical) in [
        ("auto", "auto"),
        (" Auto ", "auto"),
        ("16", "16"),
        ("1", "1"),
        ("0/1", "1"),
        ("0-7/16", "0-7/16"),
        ("3/16", "3/16"),
        ("0,3,5-7/16", "0,3,5-7/16"),
        ("5-7, 3 , 0 / 16", "0,3,5-7/16"),
        ("0 - 7/16", "0-7/16"),
        ("0-15/16", "16"),
        ("0-15/16;0-3/32", "0-15/16;0-3/32"),
        ("0-15/16 0-3/32", "0-15/16;0-3/32"),
        ("0-1/4\n2/4 ;; 5/8;", "0-2/4;5/8"),
        ("[[2,4],[3,4]]", "2-3/4"),
        ("[[2, 4], [5, 8]]", "2/4;5/8"),
        ("[0,1]", "1"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(canonical), "{text}");
    }
}

#[test]
fn every_refusal_says_what_to_do() {
    for (text, part) in [
        ("", "auto"),
        (" ; ", "auto"),
        ("[]", "auto"),
        ("0", "at least 1"),
        ("0/0", "at least 1"),
        ("65536", "65535"),
        ("0/99999999", "65535"),
        ("16/16", "0 to 15"),
        ("0-16/16", "0 to 15"),
        ("7-3/16", "smaller index first"),
        ("0,0/16", "once"),
        ("0-4/16;3/16", "once"),
        ("0-7", "0-7/16"),
        ("16;0-3/32", "a count stands alone"),
        ("sixteen", "not a number"),
        ("-1", "names no total"),
        ("+1", "not a number"),
        ("0x10", "not a number"),
        ("1.5", "not a number"),
        ("0-/16", "not a number"),
        ("0-1-2/16", "not a number"),
        ("3/16/32", "not a number"),
        ("99999999999999999999", "not a number"),
        ("[[4,4]]", "0 to 3"),
        ("[[0,4],[0,4]]", "once"),
        ("[[0]]", "[[2,4],[3,4]]"),
        ("[[0,-4]]", "[[2,4],[3,4]]"),
        ("[[0,4]", "[[2,4],[3,4]]"),
        ("0-65534/65535;0/2", "several processes"),
    ] {
        let message = error(text).to_string();
        assert!(message.contains(part), "{text:?} says: {message}");
    }
}

#[test]
fn an_error_does_not_repeat_a_whole_file() {
    assert!(error(&"x".repeat(100_000)).to_string().len() < 200);
}

fn env(
    id: Option<&str>,
    total: Option<&str>,
    per_pod: Option<u32>,
) -> Result<String, TopologyError> {
    Shards::from_env(id, total, per_pod).map(|shards| match shards {
        Some(shards) => shards.to_string(),
        None => String::from("unset"),
    })
}

#[test]
fn shards_from_the_environment() {
    for (id, total, per_pod, expected) in [
        (None, None, None, "unset"),
        (None, Some("16"), None, "16"),
        (None, Some("auto"), Some(4), "auto"),
        (Some("3"), Some("16"), None, "3/16"),
        (Some(" 3 "), Some(" 16 "), None, "3/16"),
        (Some("discord-bot-3"), Some("16"), None, "3/16"),
        (Some("discord-bot-0"), Some("16"), None, "0/16"),
        (Some("bot-12"), Some("16"), Some(1), "12/16"),
        (Some("0"), Some("16"), Some(4), "0-3/16"),
        (Some("discord-bot-3"), Some("16"), Some(4), "12-15/16"),
        (Some("discord-bot-3"), Some("16"), Some(5), "15/16"),
        (Some("discord-bot-0"), Some("16"), Some(100), "16"),
        (Some("my.bot-v2-5"), Some("8"), None, "5/8"),
    ] {
        assert_eq!(
            env(id, total, per_pod).as_deref(),
            Ok(expected),
            "{id:?} {total:?} {per_pod:?}"
        );
    }
}

#[test]
fn a_pod_without_an_ordinal_is_refused_and_never_read_as_zero() {
    for name in [
        "discord-bot-7d9f8b6c5-x2k4q",
        "discord-bot-7d9f8b6c5-24567", // a random suffix may be all digits
        "discord-bot-5f6b7c8d9b-99999",
        "discord-bot-x2k4q",
        "discord-bot",
        "discord-bot-",
        "web",
        "discord-bot-03",
        "discord-bot--1",
        "0-3",
        "0,3",
        "-3",
        "3/16",
        "bot-3abc",
        "BOT-3",
        "bot-99999999999999999999",
    ] {
        let message = env(Some(name), Some("65535"), None)
            .expect_err(name)
            .to_string();
        assert!(
            message.contains("StatefulSet") && message.contains(name),
            "{message}"
        );
    }
}

#[test]
fn wrong_environments_say_what_to_do() {
    for (id, total, per_pod, part) in [
        (Some("3"), None, None, "TOTAL_SHARDS"),
        (Some(""), Some("16"), None, "SHARD_ID is empty"),
        (Some("3"), Some(""), None, "not a number"),
        (Some("3"), Some("auto"), None, "not a number"),
        (Some("3"), Some("0"), None, "at least 1"),
        (Some("16"), Some("16"), None, "16 pods"),
        (Some("bot-4"), Some("16"), Some(4), "4 pods"),
        (
            Some("bot-18446744073709551615"),
            Some("16"),
            Some(4),
            "4 pods",
        ),
        (Some("3"), Some("16"), Some(0), "at least 1"),
        (None, Some(""), None, "auto"),
    ] {
        let message = env(id, total, per_pod).unwrap_err().to_string();
        assert!(message.contains(part), "{id:?} {total:?}: {message}");
    }
}

#[test]
fn the_recommended_count_is_taken_within_reason() {
    assert_eq!(Shards::Auto.resolve(9).len(), 9);
    assert_eq!(Shards::Auto.resolve(0).len(), 1);
    assert_eq!(Shards::Auto.resolve(u32::MAX).len(), SHARDS_MAX as usize);
    assert_eq!(
        "0-3/16".parse::<Shards>().unwrap().resolve(9).to_string(),
        "0-3/16"
    );
}

#[test]
fn totals_may_be_mixed_and_a_guild_is_on_one_shard_of_each() {
    let Shards::Fixed(topology) = "0-15/16;0-3/32".parse().unwrap() else {
        panic!()
    };
    assert_eq!(topology.totals().collect::<Vec<_>>(), [16, 32]);
    let of = |millis: u64| {
        let guild = Snowflake(millis << 22 | 12_345);
        topology
            .shards_of(guild)
            .map(|shard| shard.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(2), ["2/16", "2/32"]);
    assert_eq!(of(18), ["2/16"]);
}

#[test]
fn configuration_files_hold_shards_in_every_form() {
    for (json, expected) in [
        ("\"auto\"", "auto"),
        ("16", "16"),
        ("\"0-7/16\"", "0-7/16"),
        ("[[2,4],[3,4]]", "2-3/4"),
    ] {
        let shards: Shards = serde_json::from_str(json).unwrap();
        assert_eq!(shards.to_string(), expected);
        let written = serde_json::to_string(&shards).unwrap();
        assert_eq!(serde_json::from_str::<Shards>(&written).unwrap(), shards);
    }
    for (json, part) in [
        ("0", "at least 1"),
        ("-4", "a count"),
        ("true", "a count"),
        ("[[4,4]]", "0 to 3"),
        ("70000", "65535"),
    ] {
        let message = serde_json::from_str::<Shards>(json)
            .unwrap_err()
            .to_string();
        assert!(message.contains(part), "{json}: {message}");
    }
}

fn any_topology() -> impl Strategy<Value = Topology> {
    let group = (1_u32..70).prop_flat_map(|total| {
        proptest::collection::btree_set(0..total, 1..=total as usize).prop_map(move |set| {
            set.into_iter()
                .filter_map(|i| ShardId::new(i, total))
                .collect::<Vec<_>>()
        })
    });
    proptest::collection::vec(group, 1..4).prop_map(|groups| {
        let shards: std::collections::BTreeSet<_> = groups.into_iter().flatten().collect();
        Topology::new(shards).unwrap()
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(topology in any_topology()) {
        let shards = Shards::Fixed(topology);
        prop_assert_eq!(shards.to_string().parse::<Shards>(), Ok(shards));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Ok(shards) = text.parse::<Shards>() {
            prop_assert_eq!(shards.to_string().parse::<Shards>(), Ok(shards));
        }
    }

    #[test]
    fn no_text_that_looks_like_shards_panics(text in "[0-9,;/ \\-\\[\\]a]{0,24}") {
        if let Ok(shards) = text.parse::<Shards>() {
            prop_assert_eq!(shards.to_string().parse::<Shards>(), Ok(shards));
        }
    }

    #[test]
    fn no_environment_panics(
        id in proptest::option::of("[a-z0-9.\\-]{0,24}"),
        total in proptest::option::of("[0-9]{0,6}"),
        per_pod in proptest::option::of(any::<u32>()),
    ) {
        let _ = Shards::from_env(id.as_deref(), total.as_deref(), per_pod);
    }

    /// The pods of a StatefulSet share out all shards, each to exactly one.
    #[test]
    fn pods_cover_the_total(total in 1_u32..300, per_pod in 1_u32..40) {
        let pods = total.div_ceil(per_pod);
        let all = (0..pods).flat_map(|pod| {
            let (id, total) = (format!("bot-{pod}"), total.to_string());
            let shards = Shards::from_env(Some(&id), Some(&total), Some(per_pod)).unwrap().unwrap();
            shards.resolve(1).shards().to_vec()
        });
        let all: Vec<_> = all.collect();
        prop_assert_eq!(all, Topology::whole(total).unwrap().shards().to_vec());
    }

    #[test]
    fn a_guild_is_where_discord_says(guild in any::<u64>(), topology in any_topology()) {
        let guild = Snowflake(guild);
        let expected: Vec<_> = topology
            .shards()
            .iter()
            .copied()
            .filter(|shard| ((guild.0 >> 22) % u64::from(shard.total())) == u64::from(shard.index()))
            .collect();
        prop_assert_eq!(topology.shards_of(guild).collect::<Vec<_>>(), expected);
    }
}
