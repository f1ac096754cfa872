//! Snowflakes that tell what they belong to: no table, and any id can be traced back.

use shardkeep_core::Snowflake;

use super::{Catalog, FIRST_MS, mix};

/// What an id belongs to within its guild. The numbers sit in bits 18 to 21 of the snowflake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Guild = 0,
    Channel = 1,
    Thread = 2,
    Role = 3,
    Emoji = 4,
    Sticker = 5,
    Sound = 6,
    Stage = 7,
    Scheduled = 8,
    Tag = 9,
    Message = 10,
}

const USER: u64 = 15;
const POSITION_BITS: u64 = 18;
const LOW: u64 = (1 << POSITION_BITS) - 1;

impl Catalog {
    /// The id of the guild with this index. Ids grow with the index; `id >> 22` has no pattern modulo any shard count.
    pub(crate) fn guild_id(&self, index: u32) -> Snowflake {
        Snowflake(self.guild_ms(index) << 22)
    }

    fn guild_ms(&self, index: u32) -> u64 {
        let offset = mix(self.seed, u64::from(index)) % (self.stride / 2).max(1);
        FIRST_MS + u64::from(index) * self.stride + offset
    }

    /// The id of something in a guild: created after the guild, and before the next guild's turn.
    pub(crate) fn id(&self, index: u32, kind: Kind, position: u32) -> u64 {
        if kind == Kind::Guild || (kind == Kind::Role && position == 0) {
            // @everyone shares the guild's id.
            return self.guild_id(index).0;
        }
        let low = (kind as u64) << POSITION_BITS | u64::from(position) & LOW;
        let born = self.guild_ms(index) + 1;
        let room = (FIRST_MS + (u64::from(index) + 1) * self.stride)
            .saturating_sub(born)
            .max(1);
        (born + self.hash(index, low) % room) << 22 | low
    }

    /// The guild with this id.
    pub(crate) fn guild_index(&self, id: Snowflake) -> Option<u32> {
        let index = self.slot(id.0)?;
        (self.guild_id(index) == id).then_some(index)
    }

    /// The guild and position of something of this kind.
    pub(crate) fn locate(&self, kind: Kind, id: u64) -> Option<(u32, u32)> {
        let index = self.slot(id)?;
        let position = u32::try_from(id & LOW).ok()?;
        (self.id(index, kind, position) == id).then_some((index, position))
    }

    fn slot(&self, id: u64) -> Option<u32> {
        let index = u32::try_from((id >> 22).checked_sub(FIRST_MS)? / self.stride.max(1)).ok()?;
        (index < self.guilds).then_some(index)
    }

    /// The id of a user.
    pub(crate) fn user_id(&self, user: u64) -> u64 {
        let ms =
            FIRST_MS + user * self.user_stride + mix(self.seed ^ USER, user) % self.user_stride;
        ms << 22 | USER << POSITION_BITS | user & LOW
    }

    /// The user with this id.
    pub(crate) fn user_index(&self, id: u64) -> Option<u64> {
        let user = (id >> 22).checked_sub(FIRST_MS)? / self.user_stride;
        (user < self.population && self.user_id(user) == id).then_some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_traced_back() {
        let catalog = Catalog::new(3, 2_000, 50);
        for index in (0..2_000).step_by(37) {
            assert_eq!(catalog.guild_index(catalog.guild_id(index)), Some(index));
            for position in 1..40 {
                let id = catalog.id(index, Kind::Channel, position);
                assert_eq!(catalog.locate(Kind::Channel, id), Some((index, position)));
                assert_eq!(catalog.locate(Kind::Role, id), None);
                assert!(id > catalog.guild_id(index).0);
            }
        }
        for user in (0..catalog.population).step_by(991) {
            assert_eq!(catalog.user_index(catalog.user_id(user)), Some(user));
        }
        assert_eq!(catalog.guild_index(Snowflake(0)), None);
        assert_eq!(catalog.guild_index(Snowflake(u64::MAX)), None);
    }
}
