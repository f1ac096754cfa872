//! Ids that many records name, such as roles, under short codes: a bounded table that only grows.

use alloc::vec::Vec;

/// No place of the index is taken by it.
const FREE: u32 = u32::MAX;
/// How far from its own place an id is looked for.
const PROBES: usize = 16;
/// Ids of which it is remembered that they came once, at a time.
const SEEN: usize = 4_096;
/// Codes of two bytes, and of three.
const SHORT: u32 = 1 << 14;
const LONG: u32 = 1 << 22;

/// Ids in the order of their codes, and where each is.
///
/// An id gets a code when it comes for the second time: those that one record names stay out.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    ids: Vec<u64>,
    /// Codes by hash; a power of two of them.
    index: Vec<u32>,
    /// What came lately without a code.
    seen: Vec<u64>,
    limit: u32,
}

/// The bytes of an id in an array, told from its first one.
#[inline]
pub(super) const fn code_length(first: u8) -> usize {
    match first {
        0..0x80 => 8,
        0x80..0xc0 => 2,
        _ => 3,
    }
}

#[inline]
const fn hash(id: u64) -> usize {
    (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

impl Ids {
    pub(super) const fn new(limit: u32) -> Self {
        Self {
            ids: Vec::new(),
            index: Vec::new(),
            seen: Vec::new(),
            limit: if limit < LONG { limit } else { LONG },
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.ids.capacity() * 8 + self.index.capacity() * 4 + self.seen.capacity() * 8
    }

    /// Appends an id to an array: its code if it has one, all of it if not. `false`, and nothing is appended, if its
    /// highest bit is set: that one tells codes from ids.
    #[inline]
    pub(super) fn push(&mut self, out: &mut Vec<u8>, id: u64) -> bool {
        if id >> 63 != 0 {
            return false;
        }
        match self.code(id) {
            Some(code) if code < SHORT => {
                let [_, _, high, low] = code.to_be_bytes();
                out.extend_from_slice(&[0x80 | high, low]);
            }
            Some(code) => {
                let [_, high, middle, low] = code.to_be_bytes();
                out.extend_from_slice(&[0xc0 | high, middle, low]);
            }
            None => out.extend_from_slice(&id.to_be_bytes()),
        }
        true
    }

    /// Reads an id from the front of an array's bytes.
    #[inline]
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Option<(u64, &'a [u8])> {
        let (code, rest) = match bytes {
            [high @ 0x80..0xc0, low, rest @ ..] => ([0, 0, high & 0x3f, *low], rest),
            [high @ 0xc0..=0xff, middle, low, rest @ ..] => ([0, high & 0x3f, *middle, *low], rest),
            _ => {
                let (id, rest) = bytes.split_first_chunk::<8>()?;
                let id = u64::from_be_bytes(*id);
                return (id >> 63 == 0).then_some((id, rest));
            }
        };
        let code = usize::try_from(u32::from_be_bytes(code)).ok()?;
        Some((*self.ids.get(code)?, rest))
    }

    /// The code of an id. The first time that an id comes it is remembered, the second time it gets one.
    #[inline]
    fn code(&mut self, id: u64) -> Option<u32> {
        let mask = self.index.len().wrapping_sub(1);
        let home = hash(id);
        for probe in 0..PROBES {
            match self.index.get((home + probe) & mask) {
                None | Some(&FREE) => break,
                Some(&code) if self.ids.get(code as usize) == Some(&id) => return Some(code),
                Some(_) => {}
            }
        }
        self.admit(id)
    }

    #[cold]
    fn admit(&mut self, id: u64) -> Option<u32> {
        let code = u32::try_from(self.ids.len()).ok()?;
        if code >= self.limit {
            return None;
        }
        if self.seen.is_empty() {
            self.seen = alloc::vec![0; SEEN];
        }
        let seen = &mut self.seen[hash(id) % SEEN];
        if *seen != id || id == 0 {
            *seen = id;
            return None;
        }
        if self.ids.len() * 2 >= self.index.len() {
            self.grow();
        }
        if !self.enter(id, code) {
            return None;
        }
        self.ids.push(id);
        Some(code)
    }

    /// Puts a code into the index; `false` if its neighbourhood is full.
    fn enter(&mut self, id: u64, code: u32) -> bool {
        let mask = self.index.len() - 1;
        let home = hash(id);
        for probe in 0..PROBES {
            let place = &mut self.index[(home + probe) & mask];
            if *place == FREE {
                *place = code;
                return true;
            }
        }
        false
    }

    fn grow(&mut self) {
        let length = (self.index.len() * 2).max(256);
        self.index = alloc::vec![FREE; length];
        for code in 0..self.ids.len() {
            // One that finds no place keeps its code for those who have it.
            let _ = self.enter(self.ids[code], u32::try_from(code).unwrap_or(FREE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(ids: &mut Ids, id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(ids.push(&mut out, id));
        assert_eq!(out.len(), code_length(out[0]));
        assert_eq!(ids.read(&out), Some((id, &[][..])));
        out
    }

    #[test]
    fn an_id_gets_a_code_the_second_time() {
        let mut ids = Ids::new(100_000);
        for id in 1..=20_000_u64 {
            let id = id << 22 | 5;
            assert_eq!(written(&mut ids, id).len(), 8);
            let length = if ids.len() < SHORT as usize { 2 } else { 3 };
            assert_eq!(written(&mut ids, id).len(), length);
            assert_eq!(written(&mut ids, id).len(), length);
        }
        assert_eq!(written(&mut ids, 1 << 22 | 5), [0x80, 0]);
        assert!(ids.bytes() >= 20_000 * 8);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut ids = Ids::new(10);
        for id in 1..=1_000 {
            for _ in 0..3 {
                let _ = written(&mut ids, id);
            }
        }
        assert_eq!(ids.len(), 10);
        let mut none = Ids::new(0);
        assert_eq!(written(&mut none, 7).len(), 8);
        assert_eq!(written(&mut none, 7).len(), 8);
        assert_eq!(none.bytes(), 0);
    }

    #[test]
    fn codes_that_nobody_gave_are_not_read() {
        let mut ids = Ids::new(10);
        assert!(!ids.push(&mut Vec::new(), 1 << 63));
        for bytes in [&[0x80, 0][..], &[0xff, 0xff, 0xff], &[0x80], &[0; 7], &[]] {
            assert_eq!(ids.read(bytes), None);
        }
    }
}
