//! Under any path: no panic, and what must not matter does not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rest_paths;

use std::collections::BTreeSet;

use proptest::prelude::*;
use rest_paths::{filled, get, route};
use shardkeep_core::rest::route::{Major, Method, Route, Template, normalised};

fn template() -> impl Strategy<Value = &'static str> {
    let all: Vec<&str> = Template::all().filter_map(Template::text).collect();
    proptest::sample::select(all)
}

fn method() -> impl Strategy<Value = Method> {
    proptest::sample::select(Method::ALL)
}

/// Segments such as paths have, good and bad.
const SEGMENTS: &str = concat!(
    "(/{0,2}(channels|guilds|webhooks|interactions|api|v10|reactions|messages|@me",
    "|[0-9]{1,22}|[a-zA-Z%._-]{0,40}|%[0-9a-f]{2}|é)){0,8}",
);

/// The path with every byte of its segments percent-encoded.
fn encoded(path: &str) -> String {
    let encode = |byte| match byte {
        b'/' => String::from("/"),
        _ => format!("%{byte:02x}"),
    };
    path.bytes().map(encode).collect()
}

/// The path with other digits.
fn shifted(path: &str, shift: u32) -> String {
    let turn = |c: char| match c.to_digit(10) {
        Some(digit) => char::from_digit((digit + shift) % 10, 10).unwrap(),
        None => c,
    };
    path.chars().map(turn).collect()
}

/// Whether the path's segments are those of the template.
fn fits(template: &str, segments: &[String]) -> bool {
    const TEXTS: [&str; 5] = [
        "{code}",
        "{emoji_name}",
        "{instance_id}",
        "{interaction_token}",
        "{webhook_token}",
    ];
    let parts: Vec<&str> = template.split('/').skip(1).collect();
    parts.len() == segments.len()
        && parts.iter().zip(segments).all(|(part, segment)| {
            part == segment
                || TEXTS.contains(part)
                || part.starts_with('{')
                    && segment.bytes().all(|byte| byte.is_ascii_digit())
                    && segment.parse::<u64>().is_ok()
        })
}

proptest! {
    #[test]
    fn no_text_panics(method in method(), path in any::<String>()) {
        let _ = Route::parse(method, &path);
        let _ = Route::parse(method, &format!("/{path}"));
    }

    #[test]
    fn queries_and_prefixes_never_matter(method in method(), path in SEGMENTS, query in any::<String>()) {
        let plain = Route::parse(method, &path);
        prop_assert_eq!(&Route::parse(method, &format!("{path}?{query}")), &plain);
        prop_assert_eq!(&Route::parse(method, &format!("{path}#{query}")), &plain);
        if let Ok(route) = plain {
            let doubled = path.replace('/', "//");
            prop_assert_eq!(Route::parse(method, &format!("{doubled}/")), Ok(route));
            let starts_with_version = path.trim_start_matches('/').starts_with(['a', 'v', '%']);
            if !starts_with_version {
                prop_assert_eq!(Route::parse(method, &format!("/api/v10{path}")), Ok(route));
            }
        }
    }

    /// Templates are equal exactly where normalised paths are: paths that differ in digits alone are tried, too.
    #[test]
    fn normalising_is_what_templates_compare(one in SEGMENTS, other in SEGMENTS, shift in 0..10_u32) {
        for other in [shifted(&one, shift), other] {
            let (Ok(one_text), Ok(other_text)) = (normalised(&one), normalised(&other)) else {
                continue;
            };
            let same = get(&one).template() == get(&other).template();
            prop_assert_eq!(same, one_text == other_text, "{} {}", one, other);
        }
    }

    /// The tree finds what trying every row of the table finds.
    #[test]
    fn lookup_agrees_with_trying_every_template(
        template in template(),
        changes in prop::collection::vec((0..10_usize, any::<prop::sample::Index>(), 0..4_u8), 0..3),
    ) {
        let pool: BTreeSet<String> = Template::all()
            .flat_map(|template| filled(template.text().unwrap(), 1).split('/').map(String::from).collect::<Vec<_>>())
            .filter(|segment| !segment.is_empty())
            .chain(["18446744073709551616", "99999999999999999999", "007"].map(String::from))
            .collect();
        let mut segments: Vec<String> = filled(template, 1).split('/').skip(1).map(String::from).collect();
        for (at, index, kind) in changes {
            let other = pool.iter().nth(index.index(pool.len())).unwrap().clone();
            let at = at.min(segments.len() - 1);
            match kind {
                0 if segments.len() > 1 => drop(segments.remove(at)),
                1 => segments.insert(at, other),
                2 => segments.push(other),
                _ => segments[at] = other,
            }
        }
        let path = format!("/{}", segments.join("/"));
        let fitting: Vec<&str> = Template::all()
            .filter_map(Template::text)
            .filter(|template| fits(template, &segments))
            .collect();
        prop_assert!(fitting.len() <= 1, "{} fits {:?}", path, fitting);
        prop_assert_eq!(get(&path).template().text(), fitting.first().copied(), "{}", path);
    }

    #[test]
    fn encoding_never_matters(method in method(), template in template(), n in 0..1_000_u64) {
        let path = filled(template, n).replace("%3A", ":");
        prop_assert_eq!(route(method, &encoded(&path)), route(method, &path));
    }

    #[test]
    fn ids_that_are_not_major_never_matter(method in method(), template in template(), n in 1..1_000_u64) {
        let (one, other) = (filled(template, 0), filled(template, n));
        let (key, other_key) = (route(method, &one).key(), route(method, &other).key());
        let is_major = key.major != Major::None;
        prop_assert_eq!(key == other_key, !is_major);
        // The first two ids of a path with a major parameter from one, all others from the other.
        let major_part = if template.contains("_token}") { 4 } else { 3 };
        let mixed: Vec<&str> = one
            .split('/')
            .zip(other.split('/'))
            .enumerate()
            .map(|(at, (one, other))| if at < major_part { one } else { other })
            .collect();
        prop_assert_eq!(route(method, &mixed.join("/")).key().major, key.major);
        if is_major {
            prop_assert_eq!(route(method, &mixed.join("/")).key(), key);
        }
    }

    #[test]
    fn tokens_are_never_shown(method in method(), template in template(), token in "[A-Za-z0-9_-]{30,200}") {
        let path = template
            .split('/')
            .map(|segment| match segment {
                "{webhook_token}" | "{interaction_token}" => token.clone(),
                other => filled(other, 1),
            })
            .collect::<Vec<_>>()
            .join("/");
        for path in [path.clone(), format!("{path}/{token}")] {
            let route = route(method, &path);
            let shown = format!("{route:?} {route} {} {:?}", route.major(), normalised(&path));
            prop_assert!(!shown.contains(&token), "{}", shown);
        }
    }
}
