//! A change of shards whose sessions lie in several processes.
//!
//! The [register of leases](crate::fleet::lease) holds what all have to agree on: which sessions are open, and the
//! [`Course`] of the change, in one value that is replaced as a whole or not at all. One process, the [`Leader`],
//! drives a [`Reshard`](super::Reshard) by it; each process has its [`Parts`], the sessions of its own that take part.
//! What the sides of a cutover say to each other, and how far each has come, goes from process to process in
//! [`Letter`]s.
//!
//! ```text
//!  the leader                     the register                      every process
//!  a step begins -- retarget -->  the old sessions leave       -->  makes their parts
//!  all are made   -- retarget -->  the new sessions are leased  -->  runs them, with their parts
//!  all READY, guilds told <---------------- letters --------------  says how far its parts are
//!  ask            -- retarget -->  the same, switching         -->  guild by guild (letters between the sides)
//!  all have left  -- retarget -->  the new sessions serve      -->  closes the old ones for good
//! ```
//!
//! Letters may be lost, delayed and repeated: each process says all that is true of its parts once a second. What must
//! not be lost is stored by each part beside its session, before it says anything of it: see
//! [`cutover`](crate::fleet::cutover).
//!
//! A process that dies leaves its shards to whoever leases them next, who goes on with what the part had stored. If the
//! leader dies, the register says so to everybody, and one of them leads on: what was agreed on is in the course. So
//! the change outlives every process, as long as one is left.

mod course;
mod leader;
mod letter;
mod parts;
#[cfg(test)]
mod tests;

pub use course::{Course, Ended, Role};
pub use leader::{Leader, Retarget};
pub use letter::{Letter, Report, Steer};
pub use parts::{Do, Parts, To};
