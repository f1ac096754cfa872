//! What an event is about, and what a handler may subscribe to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shardkeep_core::wire::EventKind;

macro_rules! topics {
    ($($number:literal $variant:ident $name:literal $doc:literal;)*) => {
        /// The kind of an event: a dispatch from Discord, or something in a shard's life.
        ///
        /// Numbers and names are stable: every language uses them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Topic {
            $(#[doc = $doc] $variant = $number,)*
        }

        impl Topic {
            /// Every topic, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in every language, such as `shard_resume`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

topics! {
    0 Dispatch "dispatch" "An event from Discord. Its name says which; its data is the JSON of `d`.";
    1 ShardConnect "shard_connect" "A shard has a new session (READY). Whatever was known of the shard before is void.";
    2 ShardDisconnect "shard_disconnect" "A shard lost its connection. It reconnects by itself.";
    3 ShardResume "shard_resume" "A shard's session goes on; everything missed was replayed before this.";
    4 ShardError "shard_error" "Something went wrong that the user should know: a lost session, a refused command, a fatal close code.";
    5 Ready "ready" "Every shard of this bot has a session, for the first time.";
    6 RateLimited "rate_limited" "Discord dropped a command and says when to try again.";
}

impl Topic {
    /// The number in records and bindings.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a handler wants to hear of.
///
/// ```
/// use shardkeep::Subscription;
/// use shardkeep::Topic;
/// use shardkeep::core::wire::EventKind;
///
/// assert_eq!("message_create".parse(), Ok(Subscription::Kind(EventKind::MessageCreate)));
/// assert_eq!("shard_resume".parse(), Ok(Subscription::Topic(Topic::ShardResume)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subscription {
    /// Every event of a topic; [`Topic::Dispatch`] is every dispatch.
    Topic(Topic),
    /// The dispatches of one kind.
    Kind(EventKind),
    /// Everything.
    All,
}

impl From<Topic> for Subscription {
    fn from(topic: Topic) -> Self {
        Self::Topic(topic)
    }
}

impl From<EventKind> for Subscription {
    fn from(kind: EventKind) -> Self {
        Self::Kind(kind)
    }
}

/// Reads a topic's name, the name of a dispatch in either case, or `*` for everything. Two words name both: `ready` and
/// `rate_limited` in lower case are the topics, in upper case the dispatches.
impl FromStr for Subscription {
    type Err = UnknownTopic;

    fn from_str(text: &str) -> Result<Self, UnknownTopic> {
        if text == "*" {
            return Ok(Self::All);
        }
        if let Some(&topic) = Topic::ALL.iter().find(|topic| topic.name() == text) {
            return Ok(Self::Topic(topic));
        }
        match EventKind::from_name(text.to_ascii_uppercase().as_bytes()) {
            EventKind::Unknown => Err(UnknownTopic::new(text)),
            kind => Ok(Self::Kind(kind)),
        }
    }
}

/// A name that no event has, with the nearest that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTopic {
    name: String,
    nearest: Option<String>,
}

impl UnknownTopic {
    fn new(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        let topics = Topic::ALL.iter().map(|topic| topic.name().to_owned());
        let kinds = EventKind::ALL
            .iter()
            .map(|kind| kind.name().to_ascii_lowercase());
        let nearest = topics
            .chain(kinds)
            .map(|known| (strsim::damerau_levenshtein(&lower, &known), known))
            .min()
            .filter(|(distance, known)| *distance <= known.len() / 3)
            .map(|(_, known)| known);
        Self {
            name: name.to_owned(),
            nearest,
        }
    }
}

impl fmt::Display for UnknownTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no event is called {:?}", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, ": did you mean {nearest:?}?"),
            None => f.write_str(
                ": use a dispatch name such as message_create, or a topic such as shard_resume",
            ),
        }
    }
}

impl std::error::Error for UnknownTopic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_is_found_by_its_name_and_numbers_are_positions() {
        for (n, &topic) in Topic::ALL.iter().enumerate() {
            assert_eq!(usize::from(topic.number()), n);
            assert_eq!(topic.name().parse(), Ok(Subscription::Topic(topic)));
        }
    }

    #[test]
    fn case_tells_the_two_words_apart_that_name_a_topic_and_a_dispatch() {
        assert_eq!("READY".parse(), Ok(Subscription::Kind(EventKind::Ready)));
        assert_eq!("ready".parse(), Ok(Subscription::Topic(Topic::Ready)));
        assert_eq!("*".parse(), Ok(Subscription::All));
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest() {
        let error = "mesage_create".parse::<Subscription>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"no event is called "mesage_create": did you mean "message_create"?"#
        );
        let error = "xyzzy".parse::<Subscription>().unwrap_err();
        assert!(!error.to_string().contains("did you mean"));
    }
}
