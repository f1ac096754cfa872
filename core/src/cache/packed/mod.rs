//! Records: JSON in a fraction of its bytes, of which any member can be read and the text can be made again.
//!
//! Keys and their orders are kept once, in a [`Shapes`] table; a record names its shape and holds the values. Ids,
//! timestamps and hashes of images, which JSON writes as strings, take the bytes of what they say; so do numbers,
//! `true`, `false` and `null`, and of these only what differs from the usual takes any. Anything else is text.
//!
//! # What is guaranteed
//!
//! The JSON of a record is the JSON that was packed, byte for byte, without the white space between its parts: order,
//! repeated keys, the digits of numbers, escapes and halves of surrogate pairs stay as they came. What a [`Plan`] left
//! out is missing, and what it replaced is as the resolver says. After a [merge](Shapes::merge) the same holds for each
//! value.
//!
//! A text that is not JSON by RFC 8259, is nested more deeply than [`DEPTH_MAX`] or is longer than the [`Limits`]
//! permit is refused with the place of what is wrong. Bytes that are no record are read without a panic, as something
//! or nothing.
//!
//! ```
//! use shardkeep_core::cache::packed::{PlanId, Shapes};
//!
//! let mut shapes = Shapes::default();
//! let mut record = Vec::new();
//! let json = br#"{"id":"81384788765712384","color":16711680,"hoist":true,"icon":null}"#;
//! for _ in 0..3 {
//!     record.clear();
//!     shapes.pack(PlanId::EVERYTHING, json, &mut record).unwrap();
//! }
//! // Now the table knows the keys, and what usually stands behind them.
//! assert_eq!(record.len(), 14);
//! assert_eq!(shapes.record(&record).get("color").unwrap().as_u64(), Some(16_711_680));
//! assert_eq!(shapes.record(&record).to_json().unwrap(), json);
//! ```

mod decimal;
mod elements;
mod error;
mod hash;
mod hex;
mod ids;
mod index;
mod learn;
mod members;
mod merge;
mod open;
mod pack;
mod place;
mod plan;
mod record;
mod scalar;
mod shapes;
mod tag;
mod timestamp;
mod value;
mod write;

pub use elements::{Elements, Snowflakes};
pub use error::{PackError, PackErrorKind, Unreadable};
pub use members::Members;
pub use merge::Nested;
pub use pack::Left;
pub use plan::Plan;
pub use record::Record;
pub use shapes::{Limits, PlanId, Shapes};
pub use value::{Kind, Reference, Value};

/// How deeply arrays and objects may be nested.
pub const DEPTH_MAX: usize = 128;

/// In the place of a shape: what follows is a tag and a value.
const NOT_AN_OBJECT: u16 = u16::MAX;
