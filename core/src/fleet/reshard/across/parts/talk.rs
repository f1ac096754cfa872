//! What a process's parts say to those of others, and hear.

use alloc::vec::Vec;

use crate::fleet::cutover::{Body, Message};
use crate::fleet::reshard::across::course::Role;
use crate::fleet::reshard::across::letter::{GUILDS_MAX, Letter};
use crate::fleet::reshard::io::Side;
use crate::id::{ShardId, Snowflake};

use super::{Do, Part, Parts, To};

impl Part {
    /// The other side has not heard that a guild was taken, and would wait for it for ever: whoever took it is through,
    /// and says nothing any more.
    fn answer_afterwards(&self, message: &Message) -> Option<Message> {
        let asks = matches!(message.body, Body::Cut(_) | Body::Lost(_));
        let has_taken = self.report.role == Role::Joining && self.report.is_settled;
        (asks && has_taken).then(|| Message {
            number: 0,
            body: Body::Taken,
            ..message.clone()
        })
    }
}

impl Parts {
    /// A part has something to say to the other side.
    pub fn say(&mut self, shard: ShardId, message: Message) {
        let to = match message.body {
            Body::Ask(_) | Body::Withdraw | Body::Taken => Side::Leaving,
            Body::Cut(_) | Body::Kept | Body::Lost(_) => Side::Joining,
        };
        let course = self.course.as_ref();
        let course = course.filter(|course| course.cutover == message.cutover);
        let partner = course.and_then(|course| course.partner(message.guild, to));
        let Some(partner) = partner.filter(|partner| *partner != shard) else {
            return;
        };
        self.deliver(
            partner,
            Letter::Message {
                to: partner,
                message,
            },
        );
    }

    /// A letter came.
    pub fn letter(&mut self, letter: Letter) {
        match letter {
            Letter::Report(report) => {
                let shard = report.shard;
                let known = self.places.get(&shard).map(|(fencing, _)| *fencing);
                if known.is_some_and(|known| known > report.fencing) {
                    return;
                }
                let included = (report.cutover, report.included);
                self.included.insert(shard, included);
                self.places.insert(shard, (report.fencing, report.place));
            }
            Letter::Guilds { .. } | Letter::Message { .. } => self.take(letter),
            Letter::Steer(_) | Letter::News { .. } => {}
        }
    }

    /// For a session here, or on its way to one elsewhere.
    fn deliver(&mut self, shard: ShardId, letter: Letter) {
        if self.running.contains_key(&shard) {
            return self.take(letter);
        }
        // Who does not know where it is says it again in a while.
        if let Some((_, place)) = self.places.get(&shard) {
            let to = To::Process(place.clone());
            self.todo.push_back(Do::Send { to, letter });
        }
    }

    fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Message { to, message } => {
                let Some(part) = self.parts.get(&(to, message.cutover)) else {
                    return;
                };
                if !part.is_over {
                    self.todo.push_back(Do::Message { shard: to, message });
                } else if let Some(answer) = part.answer_afterwards(&message) {
                    self.say(to, answer);
                }
            }
            Letter::Guilds {
                cutover,
                from,
                to,
                guilds,
                is_last,
            } => {
                let Some(part) = self.parts.get_mut(&(to, cutover)) else {
                    return;
                };
                if part.is_over {
                    return;
                }
                let is_first = is_last && part.report.included.insert(from);
                self.is_new |= is_first;
                self.todo.push_back(Do::Include { shard: to, guilds });
                self.align();
            }
            Letter::Report(_) | Letter::Steer(_) | Letter::News { .. } => {}
        }
    }

    /// Tells sessions the guilds of those on the other side that are here, until they say that they know them.
    pub(super) fn tell_guilds(&mut self) {
        let Some(course) = self.course.as_ref().filter(|course| course.is_open()) else {
            return;
        };
        let cutover = course.cutover;
        let (tellers, listeners) = course.tellers();
        let mut letters = Vec::new();
        for from in tellers {
            let part = self.parts.get(&(from, cutover));
            let Some(guilds) = part.and_then(|part| part.guilds.as_ref()) else {
                continue;
            };
            for &to in &listeners {
                let is_known = match self.parts.get(&(to, cutover)) {
                    Some(part) => part.report.included.contains(&from),
                    None => (self.included.get(&to))
                        .is_some_and(|(of, known)| *of == cutover && known.contains(&from)),
                };
                if !is_known && to.meets(from) {
                    let guilds: Vec<_> = (guilds.iter().copied())
                        .filter(|guild| to.carries(*guild))
                        .collect();
                    letters.extend(in_letters(cutover, from, to, &guilds));
                }
            }
        }
        for (to, letter) in letters {
            self.deliver(to, letter);
        }
    }
}

/// The guilds of one session for another, in letters that can be read.
fn in_letters(
    cutover: u64,
    from: ShardId,
    to: ShardId,
    guilds: &[Snowflake],
) -> Vec<(ShardId, Letter)> {
    let mut rest = guilds;
    let mut letters = Vec::new();
    loop {
        let (now, later) = rest.split_at(rest.len().min(GUILDS_MAX));
        let letter = Letter::Guilds {
            cutover,
            from,
            to,
            guilds: now.to_vec(),
            is_last: later.is_empty(),
        };
        letters.push((to, letter));
        if later.is_empty() {
            return letters;
        }
        rest = later;
    }
}
