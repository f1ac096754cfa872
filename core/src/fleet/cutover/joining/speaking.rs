//! What the new side says, and when it looks at the clock.

use crate::fleet::cutover::messages::{Ask, Body, Lone, Message, Silence, VERSION};
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Asked, Joining, Phase};

impl Joining {
    /// The next message to the old side, to be sent now. That a guild was taken is said only after it was
    /// [`stored`](Self::stored): the old side forgets what it could tell about the cut, and may leave.
    pub fn poll_message(&mut self, now: Instant) -> Option<Message> {
        while let Some(id) = self.saying.pop_first() {
            let Some(Phase::Asked(asked)) = self.guilds.get_mut(&id).map(|guild| &mut guild.phase)
            else {
                continue;
            };
            asked.said_at = now;
            let number = asked.number;
            let body = if asked.is_broken {
                Body::Withdraw
            } else {
                Body::Ask(words(now, asked))
            };
            return Some(self.say(id, number, body));
        }
        let ready = |version: &u64| *version <= self.stored;
        let id = *self
            .confirming
            .iter()
            .find(|(_, version)| ready(version))?
            .0;
        self.confirming.remove(&id);
        Some(self.say(id, 0, Body::Taken))
    }

    const fn say(&self, guild: Snowflake, number: u64, body: Body) -> Message {
        Message {
            version: VERSION,
            cutover: self.config.cutover,
            guild,
            number,
            body,
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout): when an answer has not come for so long that the question
    /// is repeated, or expected duplicates are no longer waited for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let again = self.asked.iter().filter_map(|id| self.said_at(*id)).min();
        let again = again.map(|at| at + self.config.say_again);
        let expires = self.expiring.front().map(|(at, _)| *at);
        [again, expires].into_iter().flatten().min()
    }

    /// When an ask was said last; nothing while it waits to be said.
    fn said_at(&self, id: Snowflake) -> Option<Instant> {
        match &self.guilds.get(&id)?.phase {
            Phase::Asked(asked) if !self.saying.contains(&id) => Some(asked.said_at),
            _ => None,
        }
    }

    /// The clock reached `now`. Early, late and repeated calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = self.asked.iter().copied().filter(|id| {
            self.said_at(*id)
                .is_some_and(|at| now >= at + self.config.say_again)
        });
        let due: alloc::vec::Vec<_> = due.collect();
        self.saying.extend(due);
        self.expire(now);
    }
}

fn words(now: Instant, asked: &Asked) -> Ask {
    let ago = |at: Instant| asked.asked_at.as_millis().saturating_sub(at.as_millis());
    let lone = asked.lone.iter().map(|&(index, at)| Lone {
        index,
        before_ms: ago(at),
    });
    Ask {
        asked_ms: now.as_millis().saturating_sub(asked.asked_at.as_millis()),
        seen: asked.seen.clone(),
        unlisted: asked.unlisted,
        silence: asked.silence.map(|(middle, after)| Silence {
            after,
            before_ms: ago(middle),
        }),
        lone: lone.collect(),
    }
}
