//! The truth against what was dispatched and what the ledger says of it.

use std::collections::BTreeMap;

use shardkeep_core::Snowflake;
use shardkeep_core::fleet::cutover::{Account, Ledger, SHARED};

use super::{Weather, World};

/// What a number of histories have seen.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) histories: u64,
    pub(crate) events: u64,
    pub(crate) guilds: u64,
    pub(crate) held: u64,
    pub(crate) duplicates: u64,
    pub(crate) clean: u64,
    pub(crate) lost: u64,
    pub(crate) possibly_lost: u64,
    pub(crate) doubled: u64,
    pub(crate) possibly_doubled: u64,
    pub(crate) gaps: u64,
    pub(crate) unmet: u64,
    pub(crate) dropped: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, one: &Self) {
        self.histories += one.histories;
        self.events += one.events;
        self.guilds += one.guilds;
        self.held += one.held;
        self.duplicates += one.duplicates;
        self.clean += one.clean;
        self.lost += one.lost;
        self.possibly_lost += one.possibly_lost;
        self.doubled += one.doubled;
        self.possibly_doubled += one.possibly_doubled;
        self.gaps += one.gaps;
        self.unmet += one.unmet;
        self.dropped += one.dropped;
    }
}

impl World {
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.add_leaving(&self.old.leaving);
        for new in &self.new {
            ledger.add_joining(&new.joining);
        }
        ledger
    }

    /// The ledger's account, with what crashed processes had counted.
    fn total(&self) -> Account {
        let mut total = self.ledger().sum();
        total.old += self.old.leaving.inherited();
        for new in &self.new {
            total.new += new.joining.inherited();
        }
        total
    }

    /// Checks everything that can be said of this history, and adds it to the sum.
    pub(crate) fn check(&self, sum: &mut Sum) {
        let seed = self.seed;
        assert_eq!(
            self.overlap_dispatched, 0,
            "seed {seed}: a GUILD_CREATE of the overlap was dispatched"
        );
        assert!(
            self.is_settled(),
            "seed {seed}: not finished: {:?} {:?} {:?}",
            self.trouble,
            self.old.leaving.progress(),
            self.new
                .iter()
                .map(|new| (
                    new.joining.progress(),
                    new.session.queue.len(),
                    new.joining.wants_pause()
                ))
                .collect::<Vec<_>>()
        );
        let mut times = vec![0_u64; self.truths.len()];
        for (index, ..) in &self.dispatched {
            times[*index] += 1;
        }
        let mut lost: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut doubled: BTreeMap<u64, u64> = BTreeMap::new();
        for (index, truth) in self.truths.iter().enumerate() {
            match times[index] {
                0 => lost.entry(truth.guild).or_default().push(index),
                times => *doubled.entry(truth.guild).or_default() += times - 1,
            }
        }
        self.check_order();
        self.check_bounds(&lost, &doubled);
        let total = self.total();
        sum.histories += 1;
        sum.events += self.truths.len() as u64;
        sum.guilds += self.ledger().guilds.len() as u64;
        sum.held += total.new.held;
        sum.duplicates += total.new.duplicates;
        sum.clean += self
            .ledger()
            .guilds
            .values()
            .filter(|account| account.is_clean())
            .count() as u64;
        sum.lost += lost.values().map(|all| all.len() as u64).sum::<u64>();
        sum.doubled += doubled.values().sum::<u64>();
        sum.possibly_lost += total.old.possibly_lost + total.new.possibly_lost;
        sum.possibly_doubled += total.old.possibly_duplicated + total.new.possibly_duplicated;
        sum.gaps += total.old.gaps + total.new.gaps;
        sum.unmet += total.new.unmet;
        sum.dropped += total.new.dropped;
    }

    /// Within a guild, what is dispatched for the first time is in the order of the truth.
    fn check_order(&self) {
        if self.weather != Weather::default() {
            return;
        }
        let mut last: BTreeMap<u64, u64> = BTreeMap::new();
        for (index, by, sequence) in &self.dispatched {
            let truth = self.truths[*index];
            let before = last.insert(truth.guild, truth.rank + 1).unwrap_or(0);
            let seed = self.seed;
            assert!(
                truth.rank + 1 > before || self.is_doubtful(truth.guild),
                "seed {seed}: guild {} out of order at {index}, by {by} with {sequence}",
                truth.guild
            );
        }
    }

    fn is_doubtful(&self, guild: u64) -> bool {
        let ledger = self.ledger();
        let account = ledger.guilds.get(&Snowflake(guild));
        account.is_some_and(|account| !account.is_clean())
    }

    fn check_bounds(&self, lost: &BTreeMap<u64, Vec<usize>>, doubled: &BTreeMap<u64, u64>) {
        let (seed, ledger) = (self.seed, self.ledger());
        if self.weather.crashes {
            // What was counted before a crash is counted over all guilds.
            let total = self.total();
            let bound = total.old.possibly_lost + total.new.possibly_lost;
            let sum: u64 = lost.values().map(|all| all.len() as u64).sum();
            let gaps = total.old.gaps + total.new.gaps;
            assert!(
                sum <= bound || gaps > 0,
                "seed {seed}: lost {lost:?}, {total:?}, {:?}",
                self.trouble
            );
            return;
        }
        for guild in (0..=self.old.guilds.len() as u64).map(Snowflake) {
            let account = ledger.guilds.get(&guild).copied().unwrap_or_default();
            let gaps = account.old.gaps + account.new.gaps;
            let gone = lost.get(&guild.0).map_or(&[][..], Vec::as_slice);
            let bound = account.old.possibly_lost + account.new.possibly_lost;
            assert!(
                gone.len() as u64 <= bound || gaps > 0,
                "seed {seed}: guild {guild} lost {gone:?}, {account:?}, {:?}",
                self.trouble
            );
            let twice = doubled.get(&guild.0).copied().unwrap_or_default();
            let bound = account.old.possibly_duplicated
                + account.new.possibly_duplicated
                + account.new.unmet;
            assert!(
                twice <= bound,
                "seed {seed}: guild {guild} doubled {twice}, {account:?}, {:?}",
                self.trouble
            );
            if !self.weather.old_dies {
                self.check_counts(guild, &account);
            }
        }
    }

    /// The ledger's other counts are the truth's.
    fn check_counts(&self, guild: Snowflake, account: &Account) {
        let (seed, new) = (self.seed, &account.new);
        let by = |old: bool| {
            let is_it = |entry: &&(usize, usize, u64)| {
                (entry.1 == 0) == old && self.truths[entry.0].guild == guild.0
            };
            self.dispatched.iter().filter(is_it).count() as u64
        };
        assert_eq!(account.old.dispatched, by(true), "seed {seed}: old {guild}");
        let created = u64::from(guild != SHARED) * self.creates(guild);
        assert_eq!(
            new.dispatched + new.released,
            by(false) + created,
            "seed {seed}: new {guild} {account:?}"
        );
        assert!(new.released <= new.held, "seed {seed}: {guild}");
    }

    /// GUILD_CREATEs that a session which was begun anew brought for a guild that it dispatches.
    fn creates(&self, guild: Snowflake) -> u64 {
        self.creates.get(&guild.0).copied().unwrap_or_default()
    }
}
