//! What a path is without its ids.

use core::fmt;

use super::hash::{FNV1A_START, fnv1a};
use super::method::Method;
use super::table::TABLE;

/// A path's template: the part of it that every id leaves the same. Small, and quick to compare: a position in the
/// table of Discord's routes, or the hash of one that the table does not have.
///
/// Positions change when routes are added. What is stored or sent elsewhere is [`Template::hash`], which does not.
///
/// ```
/// use shardkeep_core::rest::route::{Method, Route, Template};
///
/// let route = Route::parse(Method::Get, "/channels/123/messages?limit=5")?;
/// assert_eq!(route.template().to_string(), "/channels/{channel_id}/messages");
/// assert_eq!(Template::from_hash(route.template().hash()), route.template());
/// # Ok::<(), shardkeep_core::rest::route::RouteError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template(Kind);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    /// A position in the table.
    Listed(u16),
    /// FNV-1a of the normalised path.
    Other(u64),
}

/// The hashes of the table's rows.
static HASHES: [u64; TABLE.len()] = {
    let mut hashes = [0; TABLE.len()];
    let mut row = 0;
    while row < hashes.len() {
        hashes[row] = fnv1a(FNV1A_START, TABLE[row].0.as_bytes());
        row += 1;
    }
    hashes
};

impl Template {
    /// The row at `position`, which is one of the table's.
    pub(super) const fn listed(position: u16) -> Self {
        Self(Kind::Listed(position))
    }

    pub(super) const fn other(hash: u64) -> Self {
        Self(Kind::Other(hash))
    }

    /// Every template of the table, in its order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..u16::MAX)
            .zip(TABLE)
            .map(|(position, _)| Self::listed(position))
    }

    /// Its text, such as `/channels/{channel_id}/messages`. `None` if the table does not have it: the text of such a
    /// path is [`normalised`](super::normalised).
    #[must_use]
    pub fn text(self) -> Option<&'static str> {
        self.row().map(|row| row.0)
    }

    /// Whether Discord documents `method` for it. Never for a template that the table does not have.
    #[must_use]
    pub fn allows(self, method: Method) -> bool {
        self.row().is_some_and(|row| row.1 & method.bit() != 0)
    }

    /// FNV-1a (64 bits) of its text: the same in every version and on every machine, for what is stored or sent.
    #[must_use]
    pub fn hash(self) -> u64 {
        match self.0 {
            Kind::Listed(position) => HASHES.get(usize::from(position)).copied().unwrap_or(0),
            Kind::Other(hash) => hash,
        }
    }

    /// The template with this [`Template::hash`].
    #[must_use]
    pub fn from_hash(hash: u64) -> Self {
        let mut rows = (0..u16::MAX).zip(&HASHES);
        match rows.find(|(_, listed)| **listed == hash) {
            Some((position, _)) => Self::listed(position),
            None => Self::other(hash),
        }
    }

    fn row(self) -> Option<&'static (&'static str, u8)> {
        match self.0 {
            Kind::Listed(position) => TABLE.get(usize::from(position)),
            Kind::Other(_) => None,
        }
    }
}

impl fmt::Display for Template {
    /// The text, or the hash in the place of a text that is not kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(text),
            None => write!(f, "/(unlisted {:016x})", self.hash()),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({self})")
    }
}
