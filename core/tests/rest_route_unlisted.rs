//! Paths that Discord does not document: their templates by rule, and what tells them from listed ones.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rest_paths;

use rest_paths::get;
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::{Major, Template, normalised};

#[test]
fn unknown_routes_follow_the_rule() {
    for (path, expected) in [
        ("/channels/1/new-thing", "/channels/{id}/new-thing"),
        (
            "/guilds/1/rooms/41771983423143937/x",
            "/guilds/{id}/rooms/{id}/x",
        ),
        ("/guilds/1/years/2026", "/guilds/{id}/years/2026"),
        ("/guilds/new/41771983423143937", "/guilds/new/{id}"),
        ("/x/reactions/%F0%9F%94%A5/y", "/x/reactions/{emoji}/y"),
        (
            "/x/reactions/a_name_of_thirty_two_characters_:41771983423143937",
            "/x/reactions/{emoji}",
        ),
        ("/webhooks/5/short/new", "/webhooks/{id}/{token}/new"),
        ("/interactions/5/short", "/interactions/{id}/{token}"),
        ("/x/abcdefghijklmnopqrstuvwxyzABCD", "/x/{token}"),
        ("/x/a%20b%2fc%C3%A9/@me", "/x/a%20b%2Fc%C3%A9/@me"),
        ("/channels/abc/messages", "/channels/abc/messages"),
        ("/channels/18446744073709551616/pins", "/channels/{id}/pins"),
        ("/guilds/templates", "/guilds/templates"),
        (
            "/channels/1/messages/pins/2/3",
            "/channels/{id}/messages/pins/2/3",
        ),
    ] {
        let route = get(path);
        assert_eq!(normalised(path).unwrap(), expected);
        assert_eq!(route.template().text(), None, "{path}");
        assert!(!route.is_listed(), "{path}");
        assert_eq!(
            Template::from_hash(route.template().hash()),
            route.template()
        );
    }
    assert_eq!(get("/channels/1/new").major(), Major::Channel(Snowflake(1)));
    assert_eq!(get("/guilds/new/1").major(), Major::None);
    assert_eq!(get("/x/guilds/3/y").guild(), Some(Snowflake(3)));
    assert_eq!(
        get("/webhooks/5/short/new").webhook().unwrap().0,
        Snowflake(5)
    );
    assert_ne!(get("/x/a").template(), get("/x/b").template());
    assert!(get("/webhooks/5/short/new").authenticates_by_path());
}

/// Segments are decoded up to a length: on either side of it, how they are spelt must not matter.
#[test]
fn long_numbers_are_the_same_in_any_spelling() {
    for (digits, expected) in [
        (14, None),
        (15, Some("/x/{id}")),
        (32, Some("/x/{id}")),
        (33, Some("/x/{token}")),
    ] {
        let plain = format!("/x/{}", "1".repeat(digits));
        let encoded = format!("/x/{}", "%31".repeat(digits));
        assert_eq!(normalised(&plain).unwrap(), expected.unwrap_or(&plain));
        assert_eq!(get(&plain), get(&encoded));
        let zeros = "0".repeat(digits);
        let (plain, encoded) = (
            format!("/guilds/{zeros}7"),
            format!("/guilds/%30{}7", &zeros[1..]),
        );
        assert_eq!(get(&plain), get(&encoded));
    }
    assert_eq!(get("/v100/users/1"), get("/users/1"));
    assert_ne!(get("/v1000/users/1"), get("/users/1"));
}

#[test]
fn what_resembles_a_listed_path_is_another() {
    for path in [
        "/guilds/1/onboarding2",
        "/guilds/1/bans%00",
        "/guilds/1/onboardi",
        "/Users/@me",
        "/users/@ME",
    ] {
        assert_eq!(get(path).template().text(), None, "{path}");
    }
    assert_eq!(
        get("/guilds/1/x/guilds/2").guild(),
        Some(Snowflake(1)),
        "the first one"
    );
    let new = get("/webhooks/new/x");
    assert_eq!(
        (new.major(), new.authenticates_by_path()),
        (Major::None, false)
    );
}
