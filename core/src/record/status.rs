//! The numbers that calls return in every language.

use core::ffi::CStr;
use core::fmt;

use crate::cache::{self, InvalidKey, InvalidVersion};
use crate::fleet;
use crate::gateway;
use crate::rest;
use crate::wire::CommandError;

/// A text that ends with its only zero byte.
const fn c_text(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    }
}

macro_rules! statuses {
    ($($number:literal $variant:ident $name:literal $text:literal;)*) => {
        /// What a call returned. 0 is success, below 100 that there is nothing; from 100 on the caller broke a rule;
        /// from 200 on a value cannot be used; from 300 on the world outside refused; from 900 on the fault is ours.
        /// Numbers are stable and never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum Status {
            $(#[doc = $text] $variant = $number,)*
        }

        /// Every status, by number.
        pub const STATUSES: &[Status] = &[$(Status::$variant),*];

        impl Status {
            /// The number in every language.
            #[must_use]
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// The name in every language.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// [`Status::name`] for C.
            #[must_use]
            pub const fn c_name(self) -> &'static CStr {
                match self {
                    $(Self::$variant => c_text(concat!($name, "\0")),)*
                }
            }

            /// [`Status::explain`] for C.
            #[must_use]
            pub const fn c_explain(self) -> &'static CStr {
                match self {
                    $(Self::$variant => c_text(concat!($text, "\0")),)*
                }
            }

            /// The status with this number.
            #[must_use]
            pub fn from_number(number: u32) -> Option<Self> {
                STATUSES.iter().copied().find(|status| status.number() == number)
            }

            /// One sentence for the user.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

statuses! {
    0 Ok "ok" "success";
    1 Empty "empty" "there is nothing to return";
    2 Ended "ended" "there is nothing to return, and nothing will come any more";
    100 UnknownKind "unknown_kind" "no input has this kind: see the table of the machine's inputs";
    101 NotConnecting "not_connecting" "a connection was reported open though none was asked for";
    102 NotConnected "not_connected" "a message or disconnect was reported though there is no socket";
    103 UnknownShard "unknown_shard" "the shard is not part of the fleet's topology";
    104 NotRunning "not_running" "the shard was not started, or has ended for good";
    105 AlreadyStarted "already_started" "the shard was started already and has not ended";
    106 DuplicateRequest "duplicate_request" "a request with this number is not finished yet: choose another number";
    107 UnknownRequest "unknown_request" "there is no request with this number, or it is finished";
    108 NotInFlight "not_in_flight" "an answer or failure was reported for a request that is not in flight";
    109 StartsNothing "starts_nothing" "the fleet stops, or Discord refused a shard: nothing is started any more";
    110 TooManyShards "too_many_shards" "the shard would be one too many, or its total is too large";
    111 NullPointer "null_pointer" "a pointer is NULL that must not be";
    112 Busy "busy" "another thread is inside a call with this handle";
    113 WrongHandle "wrong_handle" "the pointer is no handle of this type";
    114 TooSmall "too_small" "the buffer is too small: the length says how large it must be";
    115 UnknownCounter "unknown_counter" "the machine counts nothing of this name";
    116 AlreadyRunning "already_running" "the bot was started already: it cannot be set up any more";
    117 NotStarted "not_started" "the bot was not started yet, or was stopped";
    118 UnknownIndex "unknown_index" "there is nothing with this number: it is past the end, or was given back";
    119 NoCache "no_cache" "the bot keeps no cache: set `cache.budget_bytes`";
    120 BadSize "bad_size" "the struct's size is not one that this library knows: fill it with its init function";
    200 BadCode "bad_code" "the code is out of its range";
    201 BadCommand "bad_command" "the command is not one that Discord would take";
    202 BadLimits "bad_limits" "the text is not the answer of `GET /gateway/bot`: report that it failed";
    203 BadRoute "bad_route" "the text is not a method, a space and a path that begins with a slash";
    204 BadOption "bad_option" "the data holds an option that there is not, or a value that it cannot have";
    205 BadRequestId "bad_request_id" "the request's number is 2^53 or more";
    206 BadKey "bad_key" "the text is not a kind and its ids, such as `user:7` or `member:1:7`";
    207 BadVersion "bad_version" "a version is not an epoch, a dot and a sequence, such as `1700000000000.65536`";
    208 BadEvent "bad_event" "the text is not an event's name, a space and the time of day in milliseconds";
    209 BadOutcome "bad_outcome" "a line of the data is not `done`, `failed`, or `superseded` and a version";
    210 BadUtf8 "bad_utf8" "a text is not UTF-8";
    211 BadSettings "bad_settings" "the settings cannot be used: the error's text names what is wrong";
    212 BadToken "bad_token" "the token cannot be one";
    213 BadSnapshot "bad_snapshot" "the snapshot is none of this machine's";
    214 BadJson "bad_json" "the text is not the JSON that is wanted here";
    215 BadShard "bad_shard" "not a shard, such as index 3 of 16";
    216 BadIntent "bad_intent" "not the name of an intent";
    217 BadEnvelope "bad_envelope" "the bytes are no gateway message, or not all of one";
    218 BadRequest "bad_request" "the request cannot be sent as it is: the error's text says why";
    219 BadRecord "bad_record" "the bytes are no packed record";
    300 Failed "failed" "it could not be done: the error's text says why";
    900 Panicked "panicked" "a fault of Shardkeep's: the handle can only be freed; please report it";
    901 Poisoned "poisoned" "an earlier call with this handle met a fault of Shardkeep's: free it";
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explain())
    }
}

impl core::error::Error for Status {}

impl From<gateway::Misuse> for Status {
    fn from(misuse: gateway::Misuse) -> Self {
        match misuse {
            gateway::Misuse::NotConnecting => Self::NotConnecting,
            gateway::Misuse::NotConnected => Self::NotConnected,
        }
    }
}

impl From<fleet::Misuse> for Status {
    fn from(misuse: fleet::Misuse) -> Self {
        match misuse {
            fleet::Misuse::UnknownShard(_) => Self::UnknownShard,
            fleet::Misuse::NotRunning(_) => Self::NotRunning,
            fleet::Misuse::AlreadyStarted(_) => Self::AlreadyStarted,
            fleet::Misuse::StartsNothing(_) => Self::StartsNothing,
            fleet::Misuse::TooManyShards(_) => Self::TooManyShards,
        }
    }
}

impl From<rest::Misuse> for Status {
    fn from(misuse: rest::Misuse) -> Self {
        match misuse {
            rest::Misuse::DuplicateId(_) => Self::DuplicateRequest,
            rest::Misuse::UnknownId(_) => Self::UnknownRequest,
            rest::Misuse::NotInFlight(_) => Self::NotInFlight,
            rest::Misuse::Route(_) => Self::BadRoute,
        }
    }
}

impl From<cache::Misuse> for Status {
    fn from(misuse: cache::Misuse) -> Self {
        match misuse {
            cache::Misuse::DuplicateRequest(_) => Self::DuplicateRequest,
        }
    }
}

impl From<InvalidKey> for Status {
    fn from(_: InvalidKey) -> Self {
        Self::BadKey
    }
}

impl From<InvalidVersion> for Status {
    fn from(_: InvalidVersion) -> Self {
        Self::BadVersion
    }
}

impl From<CommandError> for Status {
    fn from(_: CommandError) -> Self {
        Self::BadCommand
    }
}
