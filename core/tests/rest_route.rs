//! Routes: every documented one, unknown ones by rule, and what must not matter in a path.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rest_paths;

use std::collections::BTreeSet;

use allocation_counter::measure;
use rest_paths::{INTERACTION, WEBHOOK_TOKEN, filled, get, route};
use shardkeep_core::Snowflake;
use shardkeep_core::rest::route::{
    Major, MessageAge, Method, PATH_MAX, Route, RouteError, Template, normalised,
};

/// What a template's first segments make of ids that `filled` put in.
fn expected_major(template: &str, n: u64) -> &'static str {
    let route = get(&filled(template, n));
    match route.major() {
        Major::None => "none",
        Major::Guild(id) => check(id, n, "guild"),
        Major::Channel(id) => check(id, n, "channel"),
        Major::Webhook { id, .. } => check(id, n, "webhook"),
        Major::Interaction(_) => "interaction",
    }
}

fn check(id: Snowflake, n: u64, kind: &'static str) -> &'static str {
    assert_eq!(id, Snowflake(41_771_983_423_143_937 + n));
    kind
}

#[test]
fn every_documented_route_has_its_template_and_major() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/protocol/routes.tsv"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not there");
        return;
    };
    let mut listed = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let method: Method = fields[0].parse().unwrap();
        let parsed = route(method, &filled(fields[1], 7));
        assert_eq!(parsed.template().text(), Some(fields[1]), "{line}");
        assert!(parsed.is_listed(), "{line}");
        assert_eq!(expected_major(fields[1], 7), fields[2], "{line}");
        let by_path = fields[1].contains("_token}");
        assert_eq!(parsed.authenticates_by_path(), by_path, "{line}");
        listed += 1;
    }
    let methods = |template: Template| {
        let all = Method::ALL.iter();
        all.filter(move |method| template.allows(**method)).count()
    };
    assert_eq!(Template::all().map(methods).sum::<usize>(), listed);
}

#[test]
fn every_template_is_found_and_stays_apart() {
    let mut keys = BTreeSet::new();
    let mut hashes = BTreeSet::new();
    for template in Template::all() {
        let text = template.text().unwrap();
        let one = get(&filled(text, 1));
        assert_eq!(one.template(), template, "{text}");
        assert_eq!(template.to_string(), text);
        assert_eq!(Template::from_hash(template.hash()), template);
        keys.insert(one.key());
        hashes.insert(template.hash());
        assert_eq!(normalised(&filled(text, 3)).unwrap(), text);
    }
    assert_eq!(keys.len(), Template::all().count());
    assert_eq!(hashes.len(), keys.len());
}

#[test]
fn majors_are_the_first_resource_alone() {
    let guild = Major::Guild(Snowflake(1));
    assert_eq!(get("/guilds/1/members/2/roles/3").major(), guild);
    assert_eq!(get("/guilds/1").major(), guild);
    assert_eq!(get("/guilds/templates/abc").major(), Major::None);
    assert_eq!(get("/channels/1").major(), Major::Channel(Snowflake(1)));
    assert_eq!(get("/stage-instances/1").major(), Major::None);
    assert_eq!(get("/users/1").major(), Major::None);
    let nested = get("/applications/1/guilds/2/commands");
    assert_eq!(
        (nested.major(), nested.guild()),
        (Major::None, Some(Snowflake(2)))
    );
    assert_eq!(
        get("/users/@me/guilds/5/member").guild(),
        Some(Snowflake(5))
    );
    assert_eq!(get("/guilds/6/prune").guild(), Some(Snowflake(6)));
    assert_eq!(get("/users/@me/guilds").guild(), None);
    assert_eq!(get("/channels/1/pins").guild(), None);
}

#[test]
fn webhooks_have_their_token_beside_their_id() {
    let bare = get("/webhooks/5");
    assert_eq!(bare.webhook(), Some((Snowflake(5), None)));
    assert!(!bare.authenticates_by_path());
    let path = format!("/webhooks/5/{WEBHOOK_TOKEN}");
    let executed = route(Method::Post, &path);
    let (id, token) = executed.webhook().unwrap();
    assert_eq!((id, token.is_some()), (Snowflake(5), true));
    assert!(executed.authenticates_by_path());
    assert!(!executed.is_interaction() && !executed.is_global_exempt());
    let edited = route(Method::Patch, &format!("{path}/messages/@original"));
    assert_eq!(edited.major(), executed.major());
    assert_ne!(edited.template(), executed.template());
    assert_ne!(
        get("/webhooks/5/abc").major(),
        get("/webhooks/5/abd").major()
    );
    assert_ne!(
        get("/webhooks/5/abc").major(),
        get("/webhooks/6/abc").major()
    );
    assert_ne!(get("/webhooks/5/abc").major(), bare.major());
}

#[test]
fn interactions_are_told_by_their_token() {
    let token = format!("{INTERACTION}MTIzNDU2Nzg5");
    let callback = route(Method::Post, &format!("/interactions/8/{token}/callback"));
    assert!(callback.is_callback() && callback.is_interaction() && callback.is_global_exempt());
    let follow_up = route(Method::Post, &format!("/webhooks/5/{token}"));
    assert!(!follow_up.is_callback());
    assert!(follow_up.is_interaction() && follow_up.is_global_exempt());
    assert!(callback.authenticates_by_path() && follow_up.authenticates_by_path());
    assert_eq!(follow_up.webhook(), None, "the id is the application's");
    assert_eq!(follow_up.major(), callback.major(), "one interaction");
    let other = route(Method::Post, &format!("/webhooks/5/{token}x"));
    assert_ne!(
        other.major(),
        follow_up.major(),
        "each is limited on its own"
    );
    let original = format!("/webhooks/5/{token}/messages/@original");
    assert!(get(&original).is_interaction());
    assert!(!get(&format!("/interactions/8/{token}/callback")).is_callback());
    assert!(route(Method::Post, "/interactions/8/made-up/callback").is_callback());
}

#[test]
fn the_deleted_message_is_kept() {
    let deleted = route(Method::Delete, "/channels/1/messages/2");
    assert_eq!(deleted.message(), Some(Snowflake(2)));
    assert_eq!(
        deleted.key(),
        route(Method::Delete, "/channels/1/messages/3").key()
    );
    assert_eq!(get("/channels/1/messages/2").message(), None);
    assert_eq!(
        route(Method::Delete, "/channels/1/messages/pins/2").message(),
        None
    );
    assert_eq!(
        route(Method::Delete, "/channels/1/messages/2/reactions").message(),
        None
    );
}

#[test]
fn what_does_not_matter_does_not_matter() {
    let plain = route(Method::Put, "/channels/7/messages/8/reactions/x/@me");
    for path in [
        "/api/v10/channels/7/messages/8/reactions/x/@me",
        "/api/channels/7/messages/8/reactions/x/@me",
        "/v9/channels/7/messages/8/reactions/x/@me",
        "//api//v10//channels/7/messages/8/reactions/x/@me//",
        "/channels/7/messages/8/reactions/%F0%9F%94%A5/@me",
        "/channels/7/messages/8/reactions/🔥/%40me",
        "/channels/7/messages/9/reactions/name:41771983429993937/@me/",
        "/channels/7/messages/9/reactions/100%/@me",
        "/channels/%37/messages/9/reactions/%/@me?a=/b#c",
        "/%63hannels/7/messages/9/reactions/a%2Fb/@me#?",
    ] {
        assert_eq!(route(Method::Put, path), plain, "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    use RouteError as E;
    let bad = |byte, at| E::BadCharacter { byte, at };
    let long = format!("/{}", "a".repeat(PATH_MAX));
    for (path, expected) in [
        ("", E::Empty),
        ("/", E::Empty),
        ("///", E::Empty),
        ("?a=/b", E::Empty),
        ("/api/v10/?x", E::Empty),
        ("/api", E::Empty),
        ("channels/1", E::NoLeadingSlash),
        ("https://discord.com/api/v10/users/1", E::NoLeadingSlash),
        ("/users/1\r\nHost: x", bad(b'\r', 8)),
        ("/users/a b", bad(b' ', 8)),
        ("/users\\1", bad(b'\\', 6)),
        ("/users/{user_id}", E::Placeholder { at: 7 }),
        ("/users/1}", bad(b'}', 8)),
        ("/channels/1/../2", E::DotSegment),
        ("/channels/%2E%2e/2", E::DotSegment),
        ("/channels/./2", E::DotSegment),
        (
            long.as_str(),
            E::TooLong {
                bytes: PATH_MAX + 1,
            },
        ),
    ] {
        let error = Route::parse(Method::Get, path).unwrap_err();
        assert_eq!(error, expected, "{path}");
        assert_eq!(normalised(path).unwrap_err(), expected);
        assert!(error.to_string().len() > 30, "{error}");
    }
    assert!(Route::parse(Method::Get, &long[..PATH_MAX]).is_ok());
    get(&format!("/users/1?{long}"));
}

#[test]
fn methods_are_read_in_any_case() {
    for &method in Method::ALL {
        assert_eq!(method.as_str().parse(), Ok(method));
        assert_eq!(method.as_str().to_lowercase().parse(), Ok(method));
        assert_eq!(method.is_idempotent(), method != Method::Post);
    }
    let error = "HEAD".parse::<Method>().unwrap_err();
    assert!(error.to_string().contains("PATCH"));
    assert!(Method::ALL.iter().map(|method| method.number()).eq(1..=5));
}

#[test]
fn a_message_ages() {
    let sent_ms = 1_790_000_000_000;
    let message = Snowflake((sent_ms - 1_420_070_400_000) << 22);
    let days = |days: u64| sent_ms + days * 86_400_000;
    assert_eq!(MessageAge::of(message, 0), MessageAge::Young);
    assert_eq!(MessageAge::of(message, sent_ms + 10_000), MessageAge::Young);
    assert_eq!(
        MessageAge::of(message, sent_ms + 10_001),
        MessageAge::Middle
    );
    assert_eq!(MessageAge::of(message, days(14)), MessageAge::Middle);
    assert_eq!(MessageAge::of(message, days(14) + 1), MessageAge::Old);
    assert_eq!(
        MessageAge::of(Snowflake(u64::MAX), u64::MAX),
        MessageAge::Old
    );
    assert!(MessageAge::ALL.iter().map(|age| age.number()).eq(1..=3));
}

#[test]
fn reading_a_route_allocates_nothing() {
    let mut paths: Vec<String> = Template::all()
        .map(|template| filled(template.text().unwrap(), 1))
        .collect();
    paths.push(String::from("/channels/1/new-thing/%F0%9F%94%A5"));
    let mut listed = 0;
    let allocations = measure(|| {
        for path in &paths {
            listed += usize::from(
                Route::parse(Method::Get, path)
                    .unwrap()
                    .template()
                    .text()
                    .is_some(),
            );
        }
    });
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
    assert_eq!(listed, paths.len() - 1);
}

/// What other processes and older versions computed must not change: limits that a fleet shares are named by it.
#[test]
fn hashes_are_the_same_everywhere() {
    let token = |text: &str| get(&format!("/webhooks/5/{text}")).webhook().unwrap().1;
    assert_eq!(token("abc"), Some(0x33c9_39bc_ec66_a185));
    assert_eq!(token("abcdefgh"), Some(0xe003_4d75_4711_f096));
    assert_eq!(token("a-token-of-21-bytes__"), Some(0x1113_0eeb_0a25_6e70));
    assert_eq!(
        token("a%2Dtoken-of-21-bytes__"),
        token("a-token-of-21-bytes__")
    );
    assert_eq!(get("/gateway/bot").template().hash(), 0x09c7_b322_e4e8_f4a6);
    assert_eq!(
        get("/x/41771983423143937").template().hash(),
        0x6527_79c4_e4c8_29cc
    );
}

#[test]
fn similar_tokens_have_hashes_of_their_own() {
    let mut majors = BTreeSet::new();
    let mut bits = [0_u32; 64];
    for n in 0..20_000 {
        let (_, token) = get(&format!("/webhooks/5/{WEBHOOK_TOKEN}{n}"))
            .webhook()
            .unwrap();
        let hash = token.unwrap();
        majors.insert(hash);
        (0..64).for_each(|bit| bits[bit] += u32::from(hash >> bit & 1 == 1));
    }
    assert_eq!(majors.len(), 20_000);
    assert!(
        bits.iter().all(|&ones| (9_500..10_500).contains(&ones)),
        "{bits:?}"
    );
}
