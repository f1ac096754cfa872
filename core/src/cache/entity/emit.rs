//! Where the steps of a dispatch go, and what the walks through it share.

use super::change::{Change, Mode, Put, Remove, Set, Sweep, Types, Why};
use super::fields::Fields;
use crate::cache::{Key, Kind};
use crate::id::Snowflake;
use crate::wire::json::{self, Malformed};

/// Whether a piece of a dispatch was what it should be.
pub(super) type Walk = Result<(), Malformed>;

/// No scope, no guild, no channel.
pub(super) const NONE: Snowflake = Snowflake(0);

/// Takes the steps, and counts what does not fit.
pub(super) struct Emit<'s, 'a> {
    pub(super) own: Snowflake,
    pub(super) malformed: u32,
    pub(super) sink: &'s mut dyn FnMut(Change<'a>),
}

impl<'a> Emit<'_, 'a> {
    pub(super) fn step(&mut self, change: Change<'a>) {
        (self.sink)(change);
    }

    /// Walks a piece that the rest does not depend on.
    pub(super) fn piece(&mut self, walk: impl FnOnce(&mut Self) -> Walk) -> bool {
        let fits = walk(self).is_ok();
        self.malformed += u32::from(!fits);
        fits
    }

    /// Walks each element of `array`; nothing if there is none. Answers whether all of it was what it should be.
    pub(super) fn each(
        &mut self,
        array: Option<&'a [u8]>,
        mut walk: impl FnMut(&mut Self, &'a [u8]) -> Walk,
    ) -> bool {
        let mut whole = true;
        for element in array.into_iter().flat_map(json::elements) {
            whole &= self.piece(|emit| walk(emit, element?));
        }
        whole
    }

    pub(super) fn put(
        &mut self,
        key: Key,
        at: (Snowflake, Snowflake),
        mode: Mode,
        fields: Fields<'a>,
    ) {
        let (guild, under) = at;
        self.step(Change::Put(Put {
            key,
            guild,
            under,
            mode,
            fields,
        }));
    }

    pub(super) fn set(&mut self, key: Key, field: &'static str, json: &'a [u8]) {
        self.step(Change::Set(Set {
            key,
            field,
            json,
            types: Types::ANY,
        }));
    }

    pub(super) fn remove(&mut self, key: Key, why: Why) {
        self.step(Change::Remove(Remove {
            key,
            why,
            types: Types::ANY,
        }));
    }

    pub(super) fn sweep(&mut self, kind: Kind, guild: Snowflake, why: Why) {
        self.step(Change::Sweep(Sweep {
            kind,
            guild,
            under: None,
            why,
        }));
    }
}

/// An id that must be there.
pub(super) fn id(raw: Option<&[u8]>) -> Result<Snowflake, Malformed> {
    match json::snowflake(raw.ok_or(Malformed)?) {
        Some(id) if id.0 != 0 => Ok(id),
        _ => Err(Malformed),
    }
}

/// An id that may be missing, but must be one if it is there.
pub(super) fn id_or_none(raw: Option<&[u8]>) -> Result<Snowflake, Malformed> {
    raw.map_or(Ok(NONE), |raw| id(Some(raw)))
}

/// The id of an object.
pub(super) fn id_of(object: &[u8]) -> Result<Snowflake, Malformed> {
    id(json::field(object, "id"))
}

pub(super) fn is_true(raw: Option<&[u8]>) -> bool {
    raw == Some(b"true")
}

/// A record must be an object.
pub(super) fn object(raw: &[u8]) -> Result<&[u8], Malformed> {
    if raw.first() == Some(&b'{') {
        Ok(raw)
    } else {
        Err(Malformed)
    }
}
