//! What a run of a fleet shows.

use core::fmt;
use core::ops::AddAssign;

/// What one run showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What was run.
    pub seed: u64,
    /// How many shards the bot began with.
    pub shards: u32,
    /// How many processes there were, those of restarts among them.
    pub processes: u64,
    /// Everything that must not be. Empty if all is well.
    pub faults_found: Vec<String>,
    /// What happened, if that was asked for.
    pub story: Vec<String>,
    /// How long it took, in seconds of virtual time.
    pub seconds: u64,
    /// How often the register was spoken to.
    pub exchanges: u64,
    /// Mishaps.
    pub mishaps: u64,
    /// Leases taken.
    pub taken: u64,
    /// Leases that ended without having been given back.
    pub leases_lost: u64,
    /// Sessions that Discord opened.
    pub sessions: u64,
    /// Identifies that were sent.
    pub identifies: u64,
    /// Of these, the ones of shards whose stored session could not be read for the store was away.
    pub identifies_blind: u64,
    /// Of these, the ones of sessions that were given up after resumes that failed without a reason.
    pub identifies_given_up: u64,
    /// Sessions that were resumed on another connection.
    pub resumed: u64,
    /// Of these, by another process than before.
    pub taken_over: u64,
    /// Writes to the store that came after those of a successor.
    pub superseded: u64,
    /// Changes of how many shards there are, those that were begun again among them.
    pub changes: u64,
    /// Of these, the ones over several processes.
    pub changes_across: u64,
    /// How often another process led such a change on.
    pub led_on: u64,
    /// Such changes that were led to their end, and those whose steps were all taken.
    pub ended_across: u64,
    /// See [`ended_across`](Self::ended_across).
    pub done_across: u64,
    /// Sides of cutovers whose process or lease ended in the middle.
    pub broken_off: u64,
    /// Letters between processes that arrived.
    pub letters: u64,
    /// Guilds that switched to another session in them.
    pub guilds_switched: u64,
    /// Events that a change of shards lost.
    pub lost_in_changes: u64,
    /// Events that two sessions' handlers were given.
    pub twice_in_changes: u64,
    /// Events lost, by the bots' own accounts: an upper bound.
    pub possibly_lost: u64,
    /// Events handled twice, by the bots' own accounts: an upper bound.
    pub possibly_twice: u64,
    /// Dispatches that Discord sent, or put by.
    pub sent: u64,
    /// Dispatches handed to handlers.
    pub handed: u64,
    /// Of these, the ones that had been handed out before.
    pub again: u64,
    /// Dispatches that no handler finished, all of sessions that ended or were forgotten before they were stored.
    pub lost: u64,
    /// Folds everything that was sent and finished: equal for equal seeds.
    pub hash: u64,
}

impl Report {
    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.faults_found.is_empty()
    }

    pub(super) fn fold(&mut self, number: u64) {
        self.hash = self.hash.wrapping_mul(31) ^ number;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.story {
            writeln!(f, "{line}")?;
        }
        writeln!(
            f,
            "seed {}: {} shards, {} processes, {} s, {} mishaps, {} leases taken, {} lost, {} sessions, {} identifies, \
             {} resumed, {} of {} events handed on, {} again, {} lost with their sessions",
            self.seed,
            self.shards,
            self.processes,
            self.seconds,
            self.mishaps,
            self.taken,
            self.leases_lost,
            self.sessions,
            self.identifies,
            self.resumed,
            self.handed,
            self.sent,
            self.again,
            self.lost
        )?;
        for fault in &self.faults_found {
            writeln!(f, "  {fault}")?;
        }
        if !self.is_good() {
            writeln!(f, "  replay it: cargo xtask sim-fleet --seed {}", self.seed)?;
        }
        Ok(())
    }
}

impl AddAssign<&Self> for Report {
    /// Adds the counts of another run.
    fn add_assign(&mut self, other: &Self) {
        self.shards += other.shards;
        self.processes += other.processes;
        self.seconds += other.seconds;
        self.exchanges += other.exchanges;
        self.mishaps += other.mishaps;
        self.taken += other.taken;
        self.leases_lost += other.leases_lost;
        self.sessions += other.sessions;
        self.identifies += other.identifies;
        self.identifies_blind += other.identifies_blind;
        self.identifies_given_up += other.identifies_given_up;
        self.resumed += other.resumed;
        self.taken_over += other.taken_over;
        self.superseded += other.superseded;
        self.changes += other.changes;
        self.changes_across += other.changes_across;
        self.led_on += other.led_on;
        self.ended_across += other.ended_across;
        self.done_across += other.done_across;
        self.broken_off += other.broken_off;
        self.letters += other.letters;
        self.guilds_switched += other.guilds_switched;
        self.lost_in_changes += other.lost_in_changes;
        self.twice_in_changes += other.twice_in_changes;
        self.possibly_lost += other.possibly_lost;
        self.possibly_twice += other.possibly_twice;
        self.sent += other.sent;
        self.handed += other.handed;
        self.again += other.again;
        self.lost += other.lost;
    }
}

impl Report {
    /// The counts, in words.
    #[must_use]
    pub fn sums(&self) -> String {
        let Self {
            shards,
            processes,
            mishaps,
            seconds,
            exchanges,
            taken,
            leases_lost,
            sessions,
            identifies,
            identifies_blind,
            identifies_given_up,
            resumed,
            taken_over,
            superseded,
            changes,
            changes_across,
            led_on,
            ended_across,
            done_across,
            broken_off,
            letters,
            guilds_switched,
            lost_in_changes,
            twice_in_changes,
            possibly_lost,
            possibly_twice,
            sent,
            handed,
            again,
            lost,
            ..
        } = self;
        let hours = seconds / 3_600;
        format!(
            "{shards} shards, {processes} processes, {mishaps} mishaps in {hours} hours\n\
             {exchanges} exchanges with registers, {taken} leases taken, {leases_lost} lost\n\
             {sessions} sessions, {identifies} identifies ({identifies_blind} while the store was away, \
             {identifies_given_up} after resumes that failed in a row), {resumed} resumes, {taken_over} sessions taken \
             over by another process, {superseded} writes of a predecessor refused\n\
             {changes_across} changes over several processes, {ended_across} led to an end with {done_across} taking \
             all steps, {led_on} times by another process than before; {broken_off} sides broken off, {letters} \
             letters\n\
             {changes} changes of shards, {guilds_switched} guilds switched: {lost_in_changes} events lost by \
             them, {possibly_lost} by the bots' accounts; {twice_in_changes} handled twice, {possibly_twice} by the \
             accounts\n\
             {sent} events sent, {handed} handed to handlers, {again} of them again, {lost} lost with their sessions"
        )
    }
}
