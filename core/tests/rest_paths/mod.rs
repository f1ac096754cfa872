//! Paths to try: templates with something in the place of every placeholder.

#![allow(dead_code, reason = "each test file uses a part")]

use shardkeep_core::rest::route::{Method, Route};

/// How an interaction's token starts.
pub(crate) const INTERACTION: &str = "aW50ZXJhY3Rpb246";
pub(crate) const WEBHOOK_TOKEN: &str =
    "3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372ba2939e72279b526";

pub(crate) fn get(path: &str) -> Route {
    route(Method::Get, path)
}

pub(crate) fn route(method: Method, path: &str) -> Route {
    Route::parse(method, path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A template's text with something in the place of every placeholder. `n` makes ids differ.
pub(crate) fn filled(template: &str, n: u64) -> String {
    let fill = |segment: &str| match segment {
        "{emoji_name}" => String::from("blob%3A41771983429993937"),
        "{code}" => format!("code-{n}"),
        "{instance_id}" => format!("i-{n}-gc-1-2"),
        "{interaction_token}" => format!("{INTERACTION}MTIz{n}"),
        "{webhook_token}" => format!("{WEBHOOK_TOKEN}{n}"),
        id if id.starts_with('{') => (41_771_983_423_143_937 + n).to_string(),
        literal => String::from(literal),
    };
    let segments: Vec<String> = template.split('/').map(fill).collect();
    segments.join("/")
}
