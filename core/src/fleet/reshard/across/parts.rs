//! One process's sessions in a change: what each is to do, how far it is, and what the others are told.

mod talk;

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::fleet::cutover::{Counts, Message};
use crate::fleet::reshard::io::Stage;
use crate::id::{ShardId, Snowflake};
use crate::time::Instant;

use super::course::{Course, Role};
use super::letter::{Letter, Report};

/// How often a process says how far its parts are.
const EVERY: Duration = Duration::from_secs(1);

/// To whom a letter goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Every process, this one too: its leader has to hear it.
    All,
    /// One: the instance of a member of the register.
    Process(String),
}

/// What a process is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Make a part for this session, which runs without one. Guilds that it has are told later.
    Begin {
        /// The session.
        shard: ShardId,
        /// Which side it is to be.
        role: Role,
        /// The cutover's number.
        cutover: u64,
    },
    /// The session has these guilds.
    Include {
        /// The session.
        shard: ShardId,
        /// Guilds of a session on the other side.
        guilds: Vec<Snowflake>,
    },
    /// Whether the session's part may ask for guilds, or give any up for good.
    Ask {
        /// The session.
        shard: ShardId,
        /// Whether it may.
        is_on: bool,
    },
    /// A message of the other side.
    Message {
        /// The session that it is for.
        shard: ShardId,
        /// The message.
        message: Message,
    },
    /// The session goes on without its part.
    Stay {
        /// The session.
        shard: ShardId,
    },
    /// Send a letter.
    Send {
        /// To whom.
        to: To,
        /// The letter.
        letter: Letter,
    },
}

/// One session's part.
#[derive(Clone, Debug)]
struct Part {
    report: Report,
    /// The session's guilds, once they are known.
    guilds: Option<Vec<Snowflake>>,
    may_ask: bool,
    /// It is to end, and was told so.
    is_ending: bool,
    /// The part is over: its report stays until the change is.
    is_over: bool,
}

impl Part {
    /// The step is over, and this side's session serves. A process that heard late may have missed the moment at which
    /// it might ask: where there was nothing to ask for, nobody waited.
    fn has_joined(&self, course: &Course) -> bool {
        let (serving, shard) = (&course.serving, self.report.shard);
        let serves = serving.topology().contains(shard) || serving.overlays().contains(&shard);
        let open = [Stage::Starting, Stage::Switching, Stage::RollingBack];
        let is_open = self.report.cutover == course.cutover && open.contains(&course.stage);
        self.report.role == Role::Joining && serves && !is_open
    }
}

/// One process's parts. The [module](super) tells how they work together.
#[derive(Clone, Debug)]
pub struct Parts {
    me: String,
    course: Option<Course>,
    /// Sessions that run here, and the fencing token of each one's lease.
    running: BTreeMap<ShardId, u64>,
    /// By cutover, because a session that joined in one step may leave in another.
    parts: BTreeMap<(ShardId, u64), Part>,
    /// Where sessions are, and under which token, as far as reports say.
    places: BTreeMap<ShardId, (u64, String)>,
    /// Whom sessions have been told of, as far as reports say.
    included: BTreeMap<ShardId, (u64, BTreeSet<ShardId>)>,
    said_at: Option<Instant>,
    is_new: bool,
    todo: VecDeque<Do>,
}

impl Parts {
    /// Of the process with this instance in the register.
    #[must_use]
    pub fn new(me: &str) -> Self {
        Self {
            me: me.to_owned(),
            course: None,
            running: BTreeMap::new(),
            parts: BTreeMap::new(),
            places: BTreeMap::new(),
            included: BTreeMap::new(),
            said_at: None,
            is_new: false,
            todo: VecDeque::new(),
        }
    }

    /// What to do, in order, until `None`.
    pub fn poll_do(&mut self) -> Option<Do> {
        self.todo.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let has_parts = self.course.as_ref().is_some_and(Course::is_open) && !self.parts.is_empty();
        match self.said_at {
            _ if !has_parts => None,
            Some(_) if self.is_new => Some(Instant::ZERO),
            Some(at) => Some(at + EVERY),
            None => Some(Instant::ZERO),
        }
    }

    /// Says how far the parts are, if it is time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        let is_time = self.said_at.is_none_or(|at| at + EVERY <= now);
        self.said_at = Some(now);
        self.is_new = false;
        let reports: Vec<_> = self
            .parts
            .values()
            .map(|part| part.report.clone())
            .collect();
        for report in reports {
            let letter = Letter::Report(report);
            self.todo.push_back(Do::Send {
                to: To::All,
                letter,
            });
        }
        if is_time {
            self.tell_guilds();
        }
    }

    /// What the register says of the change; `None` if there is none.
    pub fn course(&mut self, course: Option<Course>) {
        let is_other = match (&self.course, &course) {
            (Some(before), Some(after)) => before.began_ms != after.began_ms,
            _ => false,
        };
        self.course = course;
        if is_other || self.course.is_none() {
            // What is left of an earlier change goes on by itself.
            self.places.clear();
            self.included.clear();
            self.parts.retain(|_, part| !part.is_over);
        }
        self.is_new = true;
        self.align();
    }

    /// What the register said last.
    #[must_use]
    pub const fn known(&self) -> Option<&Course> {
        self.course.as_ref()
    }

    /// What the session would do in the present step, and under which number.
    #[must_use]
    pub fn role(&self, shard: ShardId) -> Option<(Role, u64)> {
        let course = self.course.as_ref().filter(|course| course.is_open())?;
        course.role(shard).map(|role| (role, course.cutover))
    }

    /// The session runs here, under this fencing token. A part that it has already is told with
    /// [`begun`](Self::begun), before.
    pub fn running(&mut self, shard: ShardId, fencing: u64) {
        self.running.insert(shard, fencing);
        self.align();
    }

    /// Sessions that run here and whose part is over.
    pub fn over_here(&self) -> impl Iterator<Item = ShardId> {
        let over = self.parts.iter().filter(|(_, part)| part.is_over);
        over.map(|((shard, _), _)| *shard)
            .filter(|shard| self.running.contains_key(shard))
    }

    /// The session runs here no more.
    pub fn gone(&mut self, shard: ShardId) {
        self.running.remove(&shard);
        self.parts.retain(|key, part| {
            // What became of its events is part of the account.
            key.0 != shard || part.is_over
        });
    }

    /// A part was made. One that goes on from what another process stored knows its guilds.
    pub fn begun(
        &mut self,
        shard: ShardId,
        (role, cutover): (Role, u64),
        fencing: u64,
        guilds: Option<Vec<Snowflake>>,
    ) {
        let report = Report {
            cutover,
            shard,
            role,
            fencing,
            place: self.me.clone(),
            is_ready: guilds.is_some(),
            included: BTreeSet::new(),
            has_left: false,
            is_settled: false,
            is_refused: false,
            guilds: 0,
            switched: 0,
            counts: Counts::default(),
        };
        let part = Part {
            report,
            guilds,
            may_ask: false,
            is_ending: false,
            is_over: false,
        };
        self.parts.insert((shard, cutover), part);
        self.is_new = true;
        self.align();
    }

    /// These guilds are the session's: READY named them, and its part has stored them; or it was asked for them.
    pub fn ready(&mut self, shard: ShardId, guilds: Vec<Snowflake>) {
        if let Some(part) = self.part_mut(shard) {
            part.report.is_ready = true;
            part.guilds = Some(guilds);
            self.tell_guilds();
        }
    }

    /// How many guilds a part has, how many have switched, and what became of their events.
    pub fn progress(&mut self, shard: ShardId, guilds: usize, switched: usize, counts: Counts) {
        if let Some(part) = self.part_mut(shard) {
            let report = &mut part.report;
            (report.guilds, report.switched, report.counts) = (guilds, switched, counts);
        }
    }

    /// Every guild of a session that leaves is cut and taken.
    pub fn left(&mut self, shard: ShardId) {
        self.change(shard, |report| report.has_left = true);
    }

    /// A session that joins expects nothing more.
    pub fn settled(&mut self, shard: ShardId) {
        self.change(shard, |report| report.is_settled = true);
    }

    /// Discord refuses the session.
    pub fn refused(&mut self, shard: ShardId) {
        self.change(shard, |report| report.is_refused = true);
    }

    /// The part is over, and this is what became of its events.
    pub fn over(&mut self, shard: ShardId, counts: Counts) {
        if let Some(part) = self.part_mut(shard) {
            part.report.counts = counts;
            part.is_over = true;
            self.is_new = true;
            self.align();
        }
    }

    /// Brings the parts in line with the course.
    fn align(&mut self) {
        self.begin_missing();
        self.end_superfluous();
        let Some(course) = &self.course else {
            return;
        };
        let (tellers, listeners) = course.tellers();
        for ((shard, cutover), part) in &mut self.parts {
            let is_told = |it: &ShardId| !it.meets(*shard) || part.report.included.contains(it);
            let is_present = *cutover == course.cutover && !part.is_over;
            let may_ask = is_present
                && course.may_ask
                && (!listeners.contains(shard) || tellers.iter().all(is_told));
            let may_ask = may_ask || (!part.is_over && part.has_joined(course));
            if may_ask != part.may_ask {
                part.may_ask = may_ask;
                self.todo.push_back(Do::Ask {
                    shard: *shard,
                    is_on: may_ask,
                });
            }
        }
    }

    fn begin_missing(&mut self) {
        let running: Vec<_> = self.running.keys().copied().collect();
        for shard in running {
            let Some((role, cutover)) = self.role(shard) else {
                continue;
            };
            let stage = self.course.as_ref().map(|course| course.stage);
            let has_part = self.parts.contains_key(&(shard, cutover)) || self.is_busy(shard);
            // A session that was there before, or that another process started without its part being stored.
            if !has_part && stage != Some(Stage::Stopping) {
                let begin = Do::Begin {
                    shard,
                    role,
                    cutover,
                };
                if !self.todo.contains(&begin) {
                    self.todo.push_back(begin);
                }
            }
        }
    }

    /// Sides of a step that was undone, and a session that handed over the guilds of an overlay.
    fn end_superfluous(&mut self) {
        let roles: BTreeMap<_, _> = self
            .parts
            .keys()
            .map(|(shard, _)| (*shard, self.role(*shard)))
            .collect();
        for ((shard, cutover), part) in &mut self.parts {
            let role = roles.get(shard).copied().flatten();
            let is_present = role == Some((part.report.role, *cutover));
            let is_undone = part.report.role == Role::Leaving
                || self
                    .course
                    .as_ref()
                    .is_some_and(|course| course.stage == Stage::RollingBack);
            let is_here = self.running.contains_key(shard) && !part.is_over;
            if is_here && !is_present && is_undone && !part.is_ending {
                part.is_ending = true;
                self.todo.push_back(Do::Stay { shard: *shard });
            }
        }
    }

    /// Whether the session has a part that is not over.
    fn is_busy(&self, shard: ShardId) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|(key, part)| key.0 == shard && !part.is_over)
    }

    fn change(&mut self, shard: ShardId, change: impl FnOnce(&mut Report)) {
        if let Some(part) = self.part_mut(shard) {
            change(&mut part.report);
            self.is_new = true;
        }
    }

    fn part_mut(&mut self, shard: ShardId) -> Option<&mut Part> {
        let mut parts = self.parts.iter_mut();
        let found = parts.find(|(key, part)| key.0 == shard && !part.is_over);
        found.map(|(_, part)| part)
    }
}
