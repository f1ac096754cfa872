//! Words for names and messages.

use super::{choose, mix, pick};

const WORDS: [&str; 64] = [
    "amber", "anchor", "autumn", "basil", "beacon", "birch", "bridge", "bright", "canyon", "cedar",
    "cloud", "copper", "coral", "crater", "dawn", "delta", "dune", "ember", "fable", "fern",
    "field", "flint", "fog", "forest", "garnet", "glade", "harbor", "hazel", "heron", "hollow",
    "island", "ivory", "jasper", "juniper", "lagoon", "lantern", "lichen", "maple", "marble",
    "meadow", "mist", "moss", "nectar", "north", "olive", "onyx", "orchard", "otter", "pebble",
    "pine", "quartz", "raven", "reef", "ridge", "river", "saffron", "slate", "spruce", "summit",
    "thistle", "tide", "valley", "willow", "zephyr",
];

/// Letters that are two, three and four bytes of UTF-8: what names hold in real guilds.
const FLOURISHES: [&str; 8] = ["é", "ø", "ß", "日本", "한", "☕", "🎮", "🌊"];

pub(super) fn word(hash: u64) -> &'static str {
    choose(&WORDS, hash)
}

/// Two words, sometimes with something beyond ASCII.
pub(super) fn title(hash: u64) -> String {
    let flourish = if hash.is_multiple_of(5) {
        choose(&FLOURISHES, hash >> 40)
    } else {
        ""
    };
    let mut title = format!("{} {}{flourish}", word(hash >> 8), word(hash >> 16));
    title[..1].make_ascii_uppercase();
    title
}

/// `word-word`, as channels are called.
pub(super) fn slug(hash: u64) -> String {
    format!("{}-{}", word(hash >> 8), word(hash >> 16))
}

/// A message of a few words up to a few lines.
pub(crate) fn sentence(hash: u64) -> String {
    // Most messages are short: the length is the smaller of two draws.
    let words = 3 + pick(hash, 40).min(pick(hash >> 32, 40));
    let mut text = String::with_capacity(words as usize * 7);
    for at in 0..words {
        let hash = mix(hash, u64::from(at));
        if at > 0 {
            text.push(if hash.is_multiple_of(19) { '\n' } else { ' ' });
        }
        text.push_str(word(hash));
        match hash >> 50 {
            0..900 => text.push_str(choose(&FLOURISHES, hash)),
            900..1_200 => text.push_str(", \"right\""),
            _ => {}
        }
    }
    text
}
