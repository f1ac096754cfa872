//! What records were before a dispatch changed them, behind the dispatch's JSON in the same arena.

use shardkeep_core::Snowflake;
use shardkeep_core::cache::{Key, Kind};

/// Kind, scope, id, and how many bytes of JSON follow.
const HEAD: usize = 1 + 8 + 8 + 4;

/// A record as it was before a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Before<'a> {
    /// Which record.
    pub key: Key,
    /// Its JSON.
    pub json: &'a [u8],
}

/// The records that a dispatch has changed or removed, as they were, in the order in which it says so.
#[derive(Clone, Copy, Debug)]
pub struct Befores<'a>(pub(super) &'a [u8]);

/// Appends a record. One that is too long to be told is left out.
pub(crate) fn write(key: Key, json: &[u8], out: &mut Vec<u8>) {
    let Ok(len) = u32::try_from(json.len()) else {
        return;
    };
    out.push(key.kind.number());
    out.extend_from_slice(&key.scope.0.to_le_bytes());
    out.extend_from_slice(&key.id.0.to_le_bytes());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(json);
}

fn read(bytes: &[u8]) -> Option<(Before<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let id = |from: usize| {
        let bytes = head.get(from..from + 8)?.try_into().ok()?;
        Some(Snowflake(u64::from_le_bytes(bytes)))
    };
    let len = u32::from_le_bytes(head.get(17..)?.try_into().ok()?);
    let (json, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    let key = Key::new(Kind::from_number(head[0])?, id(1)?, id(9)?);
    Some((Before { key, json }, rest))
}

impl<'a> Iterator for Befores<'a> {
    type Item = Before<'a>;

    fn next(&mut self) -> Option<Before<'a>> {
        let (before, rest) = read(self.0)?;
        self.0 = rest;
        Some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_what_is_cut_off_is_not() {
        let (user, member) = (
            Key::user(Snowflake(5)),
            Key::member(Snowflake(1), Snowflake(5)),
        );
        let mut bytes = Vec::new();
        write(user, b"{\"id\":\"5\"}", &mut bytes);
        write(member, b"{}", &mut bytes);
        let seen: Vec<_> = Befores(&bytes).map(|one| (one.key, one.json)).collect();
        assert_eq!(seen, [(user, &b"{\"id\":\"5\"}"[..]), (member, b"{}")]);
        assert_eq!(Befores(&bytes[..bytes.len() - 1]).count(), 1);
        assert_eq!(Befores(&[]).count(), 0);
    }
}
