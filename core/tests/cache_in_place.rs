//! A record that replaces another is packed where it lies in its dispatch, unless somebody wants to be told of the one
//! before: it must come to the same, whatever the dispatch looks like.

use std::collections::BTreeMap;

use shardkeep_core::cache::{Cache, Config, Input, Key, Version};
use shardkeep_core::wire::{EventFilter, EventKind};
use shardkeep_core::{Instant, Machine as _};

/// Members as nobody sends them, and some as Discord does.
const MEMBERS: &[&str] = &[
    r#"{"user":{"id":"7","username":"ada","bot":false},"nick":null,"roles":["3"],"flags":0}"#,
    r#"{"nick":"b","user":{"username":"bob","id":"8"},"roles":[]}"#,
    // What is in the key, or means one channel alone.
    r#"{"guild_id":"1","user":{"id":"9","username":"c"},"permissions":"8","deaf":true}"#,
    // Names written otherwise than they read.
    r#"{"us\u0065r":{"id":"10","username":"d"},"roles":[]}"#,
    r#"{"user":{"\u0069d":"11","username":"e"},"g\u0075ild_id":"1"}"#,
    r#"{"user":{"id":"12","username":"\"f\"\n\\u"},"nick":"\u00e4"}"#,
    // Ids that are not written as Discord writes them.
    r#"{"user":{"id":13,"username":"g"},"roles":[]}"#,
    r#"{"user":{"id":"0014","username":"h"},"roles":[]}"#,
    r#"{"user":{"id":"15","id":"16","username":"i"}}"#,
    // Twice, or nobody at all.
    r#"{"user":{"id":"17","username":"j"},"user":{"id":"18","username":"k"}}"#,
    r#"{"user":{"id":"19","username":"l"},"user":null}"#,
    r#"{"user":null,"nick":"m"}"#,
    r#"{"nick":"n"}"#,
    // White space, and what is no JSON.
    "{ \"user\" : { \"id\" : \"20\" , \"username\" : \"o\" } , \"roles\" : [ \"3\" ] }",
    r#"{"user":{"id":"21","username":tru},"roles":[]}"#,
    r#"{"user":{"id":"22","username":"p"},"roles":[01]}"#,
    r#"{"user":{"id":"23","username":"q"},"roles":[],}"#,
];

const OTHERS: &str = r#""id":"1","name":"g","member_count":3,
    "roles":[{"id":"3","guild_id":"1","name":"r"}],
    "channels":[{"id":"4","guild_id":"1","type":0},{"type":2,"id":"5"},{"id":"6","guild\u005fid":"1"}],
    "emojis":[{"id":"30","guild_id":"1","user":{"id":"7"}}],
    "presences":[{"user":{"id":"7"},"status":"idle","guild_id":"1","activities":[{"user":1,"guild_id":"2"}]},
        {"status":"online","user":{"id":"8"}},{"us\u0065r":{"id":"9"},"user":{"id":"9"},"status":"dnd"}],
    "voice_states":[{"guild_id":"1","user_id":"7","channel_id":"5","member":{"user":{"id":"7"}}}]"#;

fn take(cache: &mut Cache, sequence: u64, event: EventKind, d: &str) {
    let input = Input::Dispatch {
        event,
        d: d.as_bytes(),
        version: Version::new(1, sequence),
        wall_ms: sequence,
    };
    let taken = cache.handle_input(Instant::ZERO, input);
    taken.expect("a dispatch is no misuse");
    while cache.poll_output().is_some() {}
}

fn held(cache: &Cache) -> BTreeMap<Key, String> {
    let mut all = BTreeMap::new();
    cache.visit(&mut |key, json| {
        all.insert(key, String::from_utf8(json).expect("JSON"));
    });
    all
}

/// A cache that makes every record's text first, because it tells of what was before, and one that does not.
fn both() -> [Cache; 2] {
    [true, false].map(|tells| {
        let mut config = Config::new(4 << 20, 7);
        if tells {
            config.before = EventKind::ALL
                .iter()
                .fold(EventFilter::none(), |all, &kind| all.with(kind));
        }
        Cache::new(config)
    })
}

#[test]
fn what_is_packed_where_it_lies_is_what_would_be_made_of_its_text() {
    let mut caches = both();
    let whole = format!("{{{OTHERS},\"members\":[{}]}}", MEMBERS.join(","));
    let mut sequence = 0;
    let mut tell = |event, d: &str| {
        sequence += 1;
        for cache in &mut caches {
            take(cache, sequence, event, d);
        }
        let [told, quiet] = &caches;
        assert_eq!(held(told), held(quiet), "{d}");
        assert_eq!(told.stats().malformed, quiet.stats().malformed, "{d}");
    };
    // Shapes are learned when they come again.
    for _ in 0..3 {
        tell(EventKind::GuildCreate, &whole);
        for member in MEMBERS {
            let d = format!("{{{OTHERS},\"members\":[{member}]}}");
            tell(EventKind::GuildCreate, &d);
            let add = member.replacen('{', "{\"guild_id\":\"1\",", 1);
            tell(EventKind::GuildMemberAdd, &add);
        }
    }
    let [_, quiet] = &caches;
    assert!(quiet.stats().malformed > 0 && held(quiet).len() > 8);
}
