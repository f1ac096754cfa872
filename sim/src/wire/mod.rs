//! Bytes on their way out: JSON as it is written, and compression as Discord does it.

pub(crate) mod deflate;
pub(crate) mod json;
