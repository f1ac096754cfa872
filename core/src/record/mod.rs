//! The flat form of every input and output: six columns that C, Python, Node, the vectors and the docs share.

mod cache;
mod flat;
mod fleet;
mod gateway;
mod plan;
mod rest;
mod route;
mod status;
mod table;

use core::fmt;

pub use cache::{
    CACHE_INPUTS, CACHE_OUTPUTS, CACHE_TIMEOUTS, cache_output, cache_timeout, handle_cache_input,
};
pub use flat::{
    CacheScratch, CallError, Counter, Cutover, Flat, Start, StartError, scheduler_exchange,
};
pub use fleet::{
    FLEET_INPUTS, FLEET_OUTPUTS, FLEET_TIMEOUTS, fleet_output, fleet_timeout, handle_fleet_input,
    shard_from_id, shard_to_id,
};
pub use gateway::{
    SESSION_INPUTS, SESSION_OUTPUTS, SESSION_TIMEOUTS, handle_session_input, session_output,
    session_timeout,
};
pub use plan::{PlanAnswer, PlanFigures, PlanRequest, PlanStep, PlanTarget, Refused};
pub use rest::{
    REST_INPUTS, REST_OUTPUTS, REST_TIMEOUTS, handle_rest_input, rest_output, rest_timeout,
};
pub use route::route_text;
pub use status::{STATUSES, Status};

/// One input or output, whatever its kind. Six columns, the same in every language; what each one means for a kind
/// stands in the tables ([`SESSION_INPUTS`] and so on).
///
/// The law of the columns: `id` is opaque, 64 bits; `value` stays below 2^53, so that it is exact in a JavaScript
/// number; `code` is small; `text` is UTF-8; `data` is bytes. A column that a kind does not use is 0 or empty. Times
/// are in microseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// Which kind of input or output.
    pub kind: u32,
    /// A small number, such as a close code.
    pub code: u32,
    /// An opaque number, such as a snowflake.
    pub id: u64,
    /// A quantity, below 2^53.
    pub value: u64,
    /// A name, a URL, a sentence.
    pub text: &'a str,
    /// Bytes, such as a payload.
    pub data: &'a [u8],
}

impl<'a> Record<'a> {
    /// A record of this kind whose other columns are 0 or empty.
    const fn of(kind: u32) -> Self {
        Self {
            kind,
            code: 0,
            id: 0,
            value: 0,
            text: "",
            data: &[],
        }
    }

    const fn code(self, code: u32) -> Self {
        Self { code, ..self }
    }

    const fn id(self, id: u64) -> Self {
        Self { id, ..self }
    }

    /// Numbers beyond the column's law become the largest that it takes.
    fn value(self, value: impl TryInto<u64>) -> Self {
        let value = value.try_into().unwrap_or(VALUE_MAX).min(VALUE_MAX);
        Self { value, ..self }
    }

    const fn text(self, text: &'a str) -> Self {
        Self { text, ..self }
    }

    const fn data(self, data: &'a [u8]) -> Self {
        Self { data, ..self }
    }
}

impl fmt::Debug for Record<'_> {
    /// Leaves out what `data` holds: it may hold the token, or a user's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("kind", &self.kind)
            .field("code", &self.code)
            .field("id", &self.id)
            .field("value", &self.value)
            .field("text", &self.text)
            .field("bytes", &self.data.len())
            .finish()
    }
}

/// One kind of record: its number, its name, and what its columns mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number: stable, never reused.
    pub kind: u32,
    /// The name in every language.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// The columns in use, each with its meaning.
    pub columns: &'static [(&'static str, &'static str)],
}

/// The row of the kind with this name.
#[must_use]
pub fn row_named(table: &'static [Row], name: &str) -> Option<&'static Row> {
    table.iter().find(|row| row.name == name)
}

/// The row of the kind with this number.
#[must_use]
pub fn row_numbered(table: &'static [Row], kind: u32) -> Option<&'static Row> {
    table.iter().find(|row| row.kind == kind)
}

/// The largest number that `value` may hold.
const VALUE_MAX: u64 = (1 << 53) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_uses_a_number_or_a_name_twice() {
        for table in [
            SESSION_INPUTS,
            SESSION_OUTPUTS,
            SESSION_TIMEOUTS,
            FLEET_INPUTS,
            FLEET_OUTPUTS,
            FLEET_TIMEOUTS,
            REST_INPUTS,
            REST_OUTPUTS,
            REST_TIMEOUTS,
            CACHE_INPUTS,
            CACHE_OUTPUTS,
            CACHE_TIMEOUTS,
        ] {
            for (index, row) in table.iter().enumerate() {
                assert!(
                    !table[..index]
                        .iter()
                        .any(|other| other.kind == row.kind || other.name == row.name)
                );
                assert_eq!(row_named(table, row.name), Some(row));
                assert_eq!(row_numbered(table, row.kind), Some(row));
            }
        }
        for (index, status) in STATUSES.iter().enumerate() {
            assert_eq!(status.c_name().to_str(), Ok(status.name()));
            assert_eq!(status.c_explain().to_str(), Ok(status.explain()));
            assert_eq!(Status::from_number(status.number()), Some(*status));
            assert!(
                !STATUSES[..index]
                    .iter()
                    .any(|other| other.number() == status.number())
            );
        }
    }
}
