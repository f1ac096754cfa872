//! Why bytes were not packed, and where.

use core::fmt;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackErrorKind {
    /// The text ends inside a value.
    Incomplete,
    /// A byte that cannot stand there.
    Unexpected,
    /// A number that JSON's grammar does not permit.
    BadNumber,
    /// A backslash with something behind it that is no escape.
    BadEscape,
    /// A control character that should have been escaped.
    Control,
    /// A string that is not UTF-8.
    NotUtf8,
    /// Arrays and objects in each other, more than [`DEPTH_MAX`](super::DEPTH_MAX).
    TooDeep,
    /// More bytes than the limits permit.
    TooLong,
    /// Something follows the value.
    Trailing,
    /// An update, or the record it is for, is not an object.
    NotAnObject,
    /// The record that an update is for was not packed with this table.
    BadRecord,
}

impl PackErrorKind {
    /// The kind in words.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Incomplete => "the text ends inside a value",
            Self::Unexpected => "a byte that cannot stand there",
            Self::BadNumber => "not a number by JSON's grammar",
            Self::BadEscape => "a malformed escape",
            Self::Control => "a control character in a string",
            Self::NotUtf8 => "a string that is not UTF-8",
            Self::TooDeep => "nested too deeply",
            Self::TooLong => "longer than the limits permit",
            Self::Trailing => "something follows the value",
            Self::NotAnObject => "not an object",
            Self::BadRecord => "the record was not packed with this table",
        }
    }
}

/// A text that was not packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackError {
    /// What is wrong.
    pub kind: PackErrorKind,
    /// At which byte of the text.
    pub at: usize,
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.kind.explain(), self.at)
    }
}

impl core::error::Error for PackError {}

/// A record that this table did not write: JSON cannot be made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the record was not packed with this table")
    }
}

impl core::error::Error for Unreadable {}
