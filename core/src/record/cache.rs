//! The records of the cache: what goes in, what comes out, what it waits for.
//!
//! A record's key is written out, `user:7` or `member:1:7`, because its three parts are two ids of 64 bits and a name.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{Display, Write as _};

use super::table::table;
use super::{Record, Status};
use crate::cache::{
    BatchId, Cache, Failure, FlightId, Found, Input, Key, Output, Reason, RequestId, Version,
    Write, Written,
};
use crate::id::Snowflake;
use crate::machine::{Machine, Timeout};
use crate::time::Instant;
use crate::wire::EventKind;

table! {
    /// What the cache takes. A key is a kind and its ids, a version an epoch, a dot and a sequence.
    CACHE_INPUTS {
        1 "dispatch" "The gateway told something." { id: "the epoch of its session: any number that grows from session to session", value: "its sequence", text: "the event's name, a space, and the time of day in milliseconds, such as `GUILD_CREATE 1700000000000`", data: "the JSON of its `d`" }
        2 "fetch" "Somebody wants a record, wherever it is." { id: "the request", value: "the deadline, 0 for none", text: "the key, such as `user:7` or `member:1:7`" }
        3 "cancel" "Somebody wants it no longer." { id: "the request" }
        4 "held" "The store answered a question." { id: "the question", text: "the version of what it holds, empty if nobody said", data: "the record's JSON, empty if it holds none" }
        5 "read_failed" "The store could not answer a question." { id: "the question" }
        6 "written" "The store answered a batch." { id: "the batch", data: "what became of each write, one a line, in their order: `done`, `failed`, or `superseded` and the version that it has; those that are missing failed" }
        7 "answered" "Discord answered a question." { id: "the question", data: "the object's JSON" }
        8 "not_found" "Discord has no such thing, or not for the bot." { id: "the question" }
        9 "ask_failed" "Discord could not be asked." { id: "the question" }
        10 "store_down" "The store went away: nothing that is under way will be answered." {}
        11 "store_up" "The store is there." { id: "the epoch that all who share it agree on, 0 for none", value: "1 if it may have lost what it had acknowledged" }
        12 "invalidated" "Another process has changed a record." { id: "the digest of its JSON, 0 if it was removed", text: "the key" }
        13 "forget" "A record is not to be believed, because the user says so." { text: "the key" }
        14 "forget_guild" "Nothing of a guild is to be believed, because the user says so." { id: "the guild" }
    }
}

table! {
    /// What the cache gives.
    CACHE_OUTPUTS {
        1 "write" "Write these, each unless the store has something newer, and report what became of them." { id: "the batch", value: "how many", data: "one a line: the key, a space, the version, a space and the JSON, in which there is no line break; without JSON the record is removed" }
        2 "read" "Read these, all of one kind and scope, and report what the store holds of each." { value: "how many", data: "one a line: the question, a space and the key" }
        3 "clear" "Remove what is older from a scope in the store, as far as that can be done." { id: "the scope", text: "the kind", data: "the version that stays, and all that are newer" }
        4 "ask" "Ask Discord, and report what it answers." { id: "the question", text: "the key" }
        5 "found" "The answer to a fetch is a record." { id: "the request", data: "its JSON, with the user that it refers to as far as that is known" }
        6 "absent" "The answer to a fetch is that there is no such thing, as far as the bot can see." { id: "the request" }
        7 "failed" "A fetch could not be answered." { code: "the reason's number", id: "the request", text: "the reason" }
        8 "before" "What a record was before the dispatch." { text: "the key", data: "its JSON" }
        9 "invalidate" "Tell the other processes that a record has changed." { id: "the digest of its JSON, 0 if it was removed", text: "the key" }
    }
}

table! {
    /// Why the cache waits.
    CACHE_TIMEOUTS {
        1 "deadline" "A reader's time ends." { value: "when" }
        2 "store" "The store's time ends." { value: "when" }
        3 "retry" "A failed write is due again." { value: "when" }
    }
}

/// Feeds a record to a cache.
///
/// # Errors
///
/// A [`Status`] of 100 or above; the cache is unchanged then.
///
/// ```
/// use shardkeep_core::cache::{Cache, Config};
/// use shardkeep_core::record::{Record, cache_output, handle_cache_input};
/// use shardkeep_core::{Instant, Machine};
///
/// let mut cache = Cache::new(Config::new(1 << 20, 0));
/// let (epoch, now) = (1_700_000_000_000, Instant::ZERO);
/// let role = br#"{"guild_id": "1", "role": {"id": "5", "name": "mods"}}"#;
/// let text = "GUILD_ROLE_CREATE 1700000000042";
/// let dispatch = Record { kind: 1, id: epoch, value: 1, text, data: role, ..Record::default() };
/// handle_cache_input(&mut cache, now, dispatch)?;
/// let fetch = Record { kind: 2, id: 9, text: "role:1:5", ..Record::default() };
/// handle_cache_input(&mut cache, now, fetch)?;
/// let (output, mut text) = (cache.poll_output().expect("it is hot"), String::new());
/// let found = cache_output(&output, &mut text);
/// assert_eq!((found.kind, found.id, found.data), (5, 9, &br#"{"id":"5","name":"mods"}"#[..]));
/// # Ok::<(), shardkeep_core::record::Status>(())
/// ```
pub fn handle_cache_input(
    cache: &mut Cache,
    now: Instant,
    record: Record<'_>,
) -> Result<(), Status> {
    let (id, flight) = (RequestId(record.id), FlightId(record.id));
    let outcomes;
    let input = match record.kind {
        1 => dispatch(&record)?,
        2 => Input::Fetch {
            id,
            key: record.text.parse()?,
            deadline: (record.value != 0).then(|| Instant::from_micros(record.value)),
        },
        3 => Input::Cancel { id },
        4 => Input::Held {
            flight,
            json: (!record.data.is_empty()).then_some(record.data),
            version: match record.text {
                "" => None,
                text => Some(text.parse()?),
            },
        },
        5 => Input::ReadFailed { flight },
        6 => {
            outcomes = written(record.data)?;
            Input::Written {
                batch: BatchId(record.id),
                outcomes: &outcomes,
            }
        }
        7 => Input::Answered {
            flight,
            json: record.data,
        },
        8 => Input::NotFound { flight },
        9 => Input::AskFailed { flight },
        10 => Input::StoreDown,
        11 => Input::StoreUp {
            lost: record.value != 0,
            epoch: record.id,
        },
        12 => Input::Invalidated {
            key: record.text.parse()?,
            digest: record.id,
        },
        13 => Input::Forget {
            key: record.text.parse()?,
        },
        14 => Input::ForgetGuild {
            guild: Snowflake(record.id),
        },
        _ => return Err(Status::UnknownKind),
    };
    Ok(cache.handle_input(now, input)?)
}

/// A name that is not listed is an event that changes nothing here.
fn dispatch<'a>(record: &Record<'a>) -> Result<Input<'a>, Status> {
    let (name, wall_ms) = record.text.split_once(' ').ok_or(Status::BadEvent)?;
    Ok(Input::Dispatch {
        event: EventKind::from_name(name.as_bytes()),
        d: record.data,
        version: Version::new(record.id, record.value),
        wall_ms: wall_ms.parse().map_err(|_| Status::BadEvent)?,
    })
}

fn written(data: &[u8]) -> Result<Vec<Written>, Status> {
    let lines = core::str::from_utf8(data).map_err(|_| Status::BadOutcome)?;
    lines
        .lines()
        .map(|line| match line.split_once(' ') {
            None if line == "done" => Ok(Written::Done),
            None if line == "failed" => Ok(Written::Failed),
            Some(("superseded", by)) => Ok(Written::Superseded(by.parse()?)),
            _ => Err(Status::BadOutcome),
        })
        .collect()
}

/// The record of a cache's output. What has to be put into words is written to `text`, whatever it held.
#[must_use]
pub fn cache_output<'a>(output: &'a Output, text: &'a mut String) -> Record<'a> {
    text.clear();
    match output {
        Output::Write { batch, writes } => Record::of(1)
            .id(batch.0)
            .value(writes.len())
            .data(lines(text, writes, write_line)),
        Output::Read { keys } => Record::of(2)
            .value(keys.len())
            .data(lines(text, keys, read_line)),
        Output::Clear {
            kind,
            scope,
            before,
        } => Record::of(3)
            .id(scope.0)
            .text(kind.name())
            .data(written_out(text, before).as_bytes()),
        Output::Ask { flight, key } => Record::of(4).id(flight.0).text(written_out(text, key)),
        Output::Deliver { id, found } => match found {
            Found::Record(json) => Record::of(5).id(id.0).data(json),
            Found::Absent => Record::of(6).id(id.0),
            Found::Failed(failure) => failed(*id, *failure),
        },
        Output::Before { key, json } => Record::of(8).text(written_out(text, key)).data(json),
        Output::Invalidate { key, digest } => {
            Record::of(9).id(*digest).text(written_out(text, key))
        }
    }
}

fn failed(id: RequestId, failure: Failure) -> Record<'static> {
    Record::of(7)
        .code(failure.number().into())
        .id(id.0)
        .text(failure.explain())
}

fn lines<'a, T>(text: &'a mut String, items: &[T], line: fn(&mut String, &T)) -> &'a [u8] {
    for item in items {
        if !text.is_empty() {
            text.push('\n');
        }
        line(text, item);
    }
    text.as_bytes()
}

fn write_line(text: &mut String, write: &Write) {
    put(text, &write.key);
    text.push(' ');
    put(text, &write.version);
    if let Some(json) = &write.json {
        text.push(' ');
        // Packed records come back as JSON that is UTF-8 and has no white space between its parts.
        text.push_str(&String::from_utf8_lossy(json));
    }
}

fn read_line(text: &mut String, (flight, key): &(FlightId, Key)) {
    put(text, &flight.0);
    text.push(' ');
    put(text, key);
}

fn put(text: &mut String, what: &impl Display) {
    write!(text, "{what}").expect("a String takes every text");
}

fn written_out<'a>(text: &'a mut String, what: &impl Display) -> &'a str {
    put(text, what);
    text
}

/// The record of a cache's deadline.
#[must_use]
pub fn cache_timeout(timeout: Timeout<Reason>) -> Record<'static> {
    let kind = match timeout.reason {
        Reason::Deadline => 1,
        Reason::Store => 2,
        Reason::Retry => 3,
    };
    Record::of(kind).value(timeout.at.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_lines() {
        let by = Version::new(3, 4);
        let all = [Written::Done, Written::Superseded(by), Written::Failed];
        assert_eq!(
            written(b"done\nsuperseded 3.4\nfailed\n").as_deref(),
            Ok(&all[..])
        );
        assert_eq!(written(b"").as_deref(), Ok(&[][..]));
        assert_eq!(written(b"done \n"), Err(Status::BadOutcome));
        assert_eq!(written(b"superseded"), Err(Status::BadOutcome));
        assert_eq!(written(b"superseded 3"), Err(Status::BadVersion));
        assert_eq!(written(b"\xff"), Err(Status::BadOutcome));
    }
}
