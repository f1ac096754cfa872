//! Patterns of topics: `*` stands for any text, everything else for itself.

/// A pattern of topics: `*` stands for any text, dots and nothing included; everything else stands for itself.
///
/// ```
/// use shardkeep::bus::Pattern;
///
/// let pattern = Pattern::new("guild.*.settings");
/// assert!(pattern.matches("guild.41771983423143937.settings"));
/// assert!(!pattern.matches("guild.41771983423143937"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a topic is one of them.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else {
            return self.0 == topic;
        };
        let Some(mut topic) = topic.strip_prefix(first) else {
            return false;
        };
        let Some((middle, last)) = rest.rsplit_once('*') else {
            return topic.ends_with(rest);
        };
        // The leftmost place of each part leaves the most for those that follow.
        for part in middle.split('*') {
            match topic.find(part) {
                Some(at) => topic = &topic[at + part.len()..],
                None => return false,
            }
        }
        topic.ends_with(last)
    }

    /// The same in Redis' way of writing, where more than `*` has a meaning.
    #[cfg(feature = "redis")]
    pub(super) fn to_glob(&self, prefix: &str) -> String {
        let mut glob = String::with_capacity(prefix.len() + self.0.len());
        let plain = |c: char| matches!(c, '?' | '[' | ']' | '^' | '\\');
        for c in prefix.chars() {
            if plain(c) || c == '*' {
                glob.push('\\');
            }
            glob.push(c);
        }
        for c in self.0.chars() {
            if plain(c) {
                glob.push('\\');
            }
            glob.push(c);
        }
        glob
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, yes, no) in [
            ("a", "a", "ab"),
            ("*", "", "\u{0}"),
            ("a*", "a", "ba"),
            ("*a", "ba", "ab"),
            ("a*c", "abbc", "abcd"),
            ("a*b*c", "aXbbYc", "acb"),
            ("a**c", "ac", "a"),
            ("*x*x*", "xx", "x"),
            ("ab*ba", "abba", "aba"),
            ("é*", "éa", "e"),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(pattern.matches(yes), "{pattern:?} {yes}");
            assert!(
                pattern.as_str() == "*" || !pattern.matches(no),
                "{pattern:?} {no}"
            );
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn what_means_something_to_redis_alone_is_taken_as_it_stands() {
        let pattern = Pattern::new("a?[b]*\\");
        assert_eq!(pattern.to_glob("p*:"), "p\\*:a\\?\\[b\\]*\\\\");
    }
}
