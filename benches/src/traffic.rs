//! A load on the REST scheduler that never ends: every answer brings the next request, so the queue keeps its length.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{
    Auth, Config, Input, Output, Priority, Refusal, RequestId, Scheduler, Submit,
};
use shardkeep_core::wire::RateLimit;
use shardkeep_core::{Instant, Machine as _, Snowflake};

const AUTH: Auth = Auth(1);
/// How many requests a channel's bucket holds, and for how long: what Discord gives messages.
const LIMIT: u32 = 5;
const WINDOW: Duration = Duration::from_secs(5);
const HASH: &str = "80c17d2f203122d936070c88c8d10f33";
/// From sending a request to its answer.
const LATENCY: Duration = Duration::from_millis(50);
/// Every so many-th request has a deadline, far enough to be met.
const DEADLINE_EVERY: u64 = 4;
const DEADLINE: Duration = Duration::from_secs(3_600);
const FIRST_CHANNEL: u64 = 1_000_000_000_000_000_000;
/// How many channels belong to one guild.
const GUILD: usize = 10;

/// What a load is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many requests wait at any time.
    pub queued: usize,
    /// Over how many channels, each of which has a bucket of its own.
    pub channels: usize,
    /// The global limit, in requests a second.
    pub global: u32,
}

/// Discord's side of a bucket: when its window ends, and what is left in it.
struct Channel {
    resets: Instant,
    remaining: u32,
}

/// A scheduler under load, and a model of Discord that answers it.
pub struct Traffic {
    scheduler: Scheduler,
    now: Instant,
    channels: Vec<Channel>,
    path: String,
    next_id: u64,
    /// When which request is answered.
    answers: VecDeque<(Instant, u64)>,
    delivered: u64,
}

impl Traffic {
    /// Fills the queue and lets every channel's bucket become known.
    ///
    /// # Panics
    ///
    /// If the scheduler refuses a request, or is refused one by the model.
    #[must_use]
    pub fn new(load: Load) -> Self {
        let mut config = Config::default();
        config.queue_size = load.queued * 2;
        config.max_in_flight = 256;
        config.global_limit = load.global;
        let channels = (0..load.channels).map(|_| Channel {
            resets: Instant::ZERO,
            remaining: LIMIT,
        });
        let mut traffic = Self {
            scheduler: Scheduler::new(config, Instant::ZERO),
            now: Instant::ZERO,
            channels: channels.collect(),
            path: String::new(),
            next_id: 0,
            answers: VecDeque::new(),
            delivered: 0,
        };
        for _ in 0..load.queued {
            traffic.submit();
        }
        // Every request that waits now has been sent once this ends: what is measured afterwards goes on like it.
        traffic.run(load.queued);
        traffic
    }

    /// Until so many more requests were delivered.
    ///
    /// # Panics
    ///
    /// If nothing is in flight and nothing is due: the scheduler has lost a request.
    pub fn run(&mut self, requests: usize) {
        let end = self.delivered + requests as u64;
        while self.delivered < end {
            let due = self.scheduler.poll_timeout().map(|timeout| timeout.at);
            let answer = self.answers.front().map(|&(at, _)| at);
            match (answer, due) {
                (Some(answer), due) if due.is_none_or(|due| answer <= due) => self.answer(),
                (_, Some(due)) => {
                    self.now = self.now.max(due);
                    self.scheduler.handle_timeout(self.now);
                    self.drain();
                }
                (_, None) => panic!("requests wait for nothing"),
            }
        }
    }

    fn submit(&mut self) {
        let id = self.next_id;
        self.next_id += 1;
        let place = self.channel_of(id);
        self.path.clear();
        write!(
            self.path,
            "/channels/{}/messages",
            FIRST_CHANNEL + place as u64
        )
        .expect("a String takes every text");
        let mut submit = Submit::new(RequestId(id), AUTH, Method::Post, &self.path);
        submit.guild = Some(Snowflake(1 + (place / GUILD) as u64));
        submit.priority = match id % 16 {
            0 => Priority::UserFacing,
            1..=3 => Priority::Background,
            _ => Priority::Normal,
        };
        if id.is_multiple_of(DEADLINE_EVERY) {
            submit.deadline = Some(self.now + DEADLINE);
        }
        self.scheduler
            .handle_input(self.now, Input::Submit(submit))
            .expect("a path, and a number that is new");
        self.drain();
    }

    /// A fixed order that goes to and fro between channels.
    fn channel_of(&self, id: u64) -> usize {
        let index = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        usize::try_from(index % self.channels.len() as u64).expect("an index of a vector")
    }

    fn answer(&mut self) {
        let Some((at, id)) = self.answers.pop_front() else {
            return;
        };
        self.now = at;
        let place = self.channel_of(id);
        let channel = &mut self.channels[place];
        if channel.resets <= at {
            channel.resets = at + WINDOW;
            channel.remaining = LIMIT;
        }
        channel.remaining = channel
            .remaining
            .checked_sub(1)
            .expect("the scheduler keeps to the limit");
        let limit = RateLimit {
            limit: Some(LIMIT),
            remaining: Some(channel.remaining),
            reset_after: Some(channel.resets.since(at)),
            bucket: Some(HASH),
            via: true,
            ..RateLimit::default()
        };
        let input = Input::Response {
            id: RequestId(id),
            status: 200,
            limit,
            body: b"",
        };
        self.scheduler
            .handle_input(at, input)
            .expect("a request in flight");
        self.drain();
        self.submit();
    }

    fn drain(&mut self) {
        while let Some(output) = self.scheduler.poll_output() {
            match output {
                Output::Send { id, .. } => self.answers.push_back((self.now + LATENCY, id.0)),
                Output::Deliver { .. } => self.delivered += 1,
                Output::Refuse { id, why, .. } => panic!("{id}: {}", Refusal::explain(why)),
                other => panic!("{other:?}"),
            }
        }
    }

    /// How many requests wait.
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.scheduler.queued()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_keeps_its_length_while_requests_come_and_go() {
        let mut traffic = Traffic::new(Load {
            queued: 300,
            channels: 30,
            global: 50,
        });
        let before = traffic.queued();
        traffic.run(1_000);
        assert!(
            traffic.queued().abs_diff(before) < 64,
            "{before} and {}",
            traffic.queued()
        );
    }
}
