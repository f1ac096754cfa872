//! The 16,384 slots of a cluster: the slot of a key, and which node serves which.

use std::ops::RangeInclusive;

use super::address::Address;
use super::reply::wrong;
use super::{RedisError, Reply};

/// A slot.
pub(crate) type Slot = u16;

const SLOTS: usize = 16_384;

/// Nobody serves it, as far as is known.
const NOBODY: u16 = u16::MAX;

/// The slot of a key: of what stands between the first `{` and the next `}`, if anything does, and else of all of it.
pub(crate) fn slot_of(key: &[u8]) -> Slot {
    crc16(tag(key)) % 16_384
}

fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else {
        return key;
    };
    let rest = &key[open + 1..];
    match rest.iter().position(|byte| *byte == b'}') {
        Some(len) if len > 0 => &rest[..len],
        _ => key,
    }
}

/// CRC-16 as XMODEM has it.
fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for byte in bytes {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

/// Which master serves which slot, as far as is known.
pub(super) struct SlotMap {
    masters: Vec<Address>,
    by_slot: Box<[u16]>,
}

impl SlotMap {
    pub(super) fn empty() -> Self {
        Self {
            masters: Vec::new(),
            by_slot: vec![NOBODY; SLOTS].into(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.masters.is_empty()
    }

    pub(super) fn master(&self, slot: Slot) -> Option<&Address> {
        let at = *self.by_slot.get(usize::from(slot))?;
        self.masters.get(usize::from(at))
    }

    pub(super) fn masters(&self) -> &[Address] {
        &self.masters
    }

    /// Whether a slot that this map knows has another master in `other`.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let slots = self.by_slot.iter().zip(&other.by_slot);
        let mut known = slots.filter(|(here, _)| **here != NOBODY);
        known.any(|(here, there)| {
            self.masters.get(usize::from(*here)) != other.masters.get(usize::from(*there))
        })
    }

    /// A node said who serves this slot now.
    pub(super) fn moved(&mut self, slot: Slot, master: Address) {
        self.assign(slot..=slot, master);
    }

    fn assign(&mut self, slots: RangeInclusive<Slot>, master: Address) {
        let known = self.masters.iter().position(|known| *known == master);
        let at = known.unwrap_or_else(|| {
            self.masters.push(master);
            self.masters.len() - 1
        });
        // There cannot be more masters than slots.
        let at = u16::try_from(at).unwrap_or(NOBODY);
        let range = usize::from(*slots.start())..=usize::from(*slots.end());
        if let Some(slots) = self.by_slot.get_mut(range) {
            slots.fill(at);
        }
    }

    /// Reads the answer to `CLUSTER SLOTS`. A node that does not know its own address means the one that was `asked`.
    pub(super) fn read(reply: Reply, asked: &Address) -> Result<Self, RedisError> {
        let mut map = Self::empty();
        for range in reply.into_list()? {
            let mut parts = range.into_list()?.into_iter();
            let mut next = || {
                parts
                    .next()
                    .ok_or_else(|| wrong("a range of slots", "less"))
            };
            let first = slot_number(next()?)?;
            let last = slot_number(next()?)?;
            let mut master = next()?.into_list()?.into_iter();
            let host = master.next().unwrap_or(Reply::Nil).into_maybe_bytes()?;
            let port = master.next().unwrap_or(Reply::Nil).into_int()?;
            let host = String::from_utf8(host.unwrap_or_default()).unwrap_or_default();
            let host = match host.as_str() {
                "" | "?" => asked.host.clone(),
                _ => host,
            };
            let port = u16::try_from(port).map_err(|_| wrong("a port", "another number"))?;
            if first <= last {
                map.assign(first..=last, Address { host, port });
            }
        }
        Ok(map)
    }
}

fn slot_number(reply: Reply) -> Result<Slot, RedisError> {
    let number = reply.into_int()?;
    match Slot::try_from(number) {
        Ok(slot) if usize::from(slot) < SLOTS => Ok(slot),
        _ => Err(wrong("a slot", "another number")),
    }
}

/// What `MOVED 3999 127.0.0.1:6381` and `ASK` say behind their first word.
pub(super) fn redirection(message: &str, asked: &Address) -> Option<(Slot, Address)> {
    let (slot, address) = message.split_once(' ')?;
    let (host, port) = address.rsplit_once(':')?;
    let host = match host {
        "" | "?" => asked.host.clone(),
        host => host.trim_matches(['[', ']']).to_owned(),
    };
    let port = port.parse().ok()?;
    let slot = slot.parse().ok()?;
    Some((slot, Address { host, port }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Address {
        Address {
            host: String::from("10.0.0.1"),
            port,
        }
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        // CRC16("123456789") is 0x31c3 in the specification of Redis Cluster.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"user1000"));
        assert_eq!(slot_of(b"foo{}{bar}"), crc16(b"foo{}{bar}") % 16_384);
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
        assert_eq!(slot_of(b"foo{bar}{zap}"), slot_of(b"bar"));
        assert_eq!(slot_of(b"open{end"), crc16(b"open{end") % 16_384);
    }

    #[test]
    fn a_redirection_names_slot_and_node() {
        let asked = address(7);
        assert_eq!(
            redirection("3999 127.0.0.1:6381", &asked),
            Some((
                3_999,
                Address {
                    host: String::from("127.0.0.1"),
                    port: 6_381
                }
            ))
        );
        assert_eq!(redirection("1 :6381", &asked), Some((1, address(6_381))));
        let v6 = redirection("1 ::1:6381", &asked).unwrap().1;
        assert_eq!((v6.host.as_str(), v6.port), ("::1", 6_381));
        for bad in ["", "1", "x 1.1.1.1:1", "1 1.1.1.1", "1 1.1.1.1:99999"] {
            assert_eq!(redirection(bad, &asked), None, "{bad}");
        }
    }

    #[test]
    fn a_map_is_read_and_corrected() {
        let node = |host: &str, port| {
            Reply::List(vec![
                Reply::Bytes(host.as_bytes().to_vec()),
                Reply::Int(port),
                Reply::Bytes(b"id".to_vec()),
            ])
        };
        let range =
            |first, last, node| Reply::List(vec![Reply::Int(first), Reply::Int(last), node]);
        let reply = Reply::List(vec![
            range(0, 9_999, node("10.0.0.1", 1)),
            range(10_000, 16_383, node("", 2)),
        ]);
        let mut map = SlotMap::read(reply, &address(9)).unwrap();
        assert_eq!(map.master(0), Some(&address(1)));
        assert_eq!(map.master(16_383), Some(&address(2)));
        map.moved(0, address(3));
        assert_eq!(map.master(0), Some(&address(3)));
        assert_eq!(map.master(1), Some(&address(1)));
        assert_eq!(map.masters().len(), 3);
        for bad in [
            Reply::Nil,
            Reply::List(vec![Reply::Int(1)]),
            Reply::List(vec![range(0, 99_999, node("a", 1))]),
            Reply::List(vec![range(-1, 5, node("a", 1))]),
            Reply::List(vec![range(0, 5, node("a", 70_000))]),
            Reply::List(vec![range(0, 5, Reply::Nil)]),
        ] {
            assert!(SlotMap::read(bad, &address(9)).is_err());
        }
        assert!(SlotMap::empty().is_empty());
    }
}
