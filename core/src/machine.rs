//! The five verbs that every machine speaks: two ways in, two ways out, one way to stop and go on elsewhere.

use crate::time::Instant;

/// A deadline and the reason for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout<R> {
    /// When [`Machine::handle_timeout`] wants to be called.
    pub at: Instant,
    /// What the machine is waiting for.
    pub reason: R,
}

/// A state machine without clock, randomness, sockets or threads.
///
/// A driver repeats four steps:
///
/// 1. [`poll_output`](Self::poll_output) until it answers `None`, doing what each output says;
/// 2. [`poll_timeout`](Self::poll_timeout) for the next deadline;
/// 3. wait for that deadline, or for something to happen;
/// 4. [`handle_timeout`](Self::handle_timeout) or [`handle_input`](Self::handle_input).
///
/// An output borrows the machine: feeding an input while holding one does not compile. The same inputs
/// at the same times always give the same outputs.
pub trait Machine {
    /// What can happen to the machine.
    type Input<'a>;
    /// What the machine wants done, or reports.
    type Output<'a>
    where
        Self: 'a;
    /// Why the machine waits.
    type Reason: Copy;
    /// Enough to start again elsewhere.
    type Snapshot;
    /// How a caller can break the rules of the interface. Bytes from the network never cause it.
    type Misuse: Copy;

    /// Something happened. Besides time, the only way in.
    ///
    /// # Errors
    ///
    /// A `Misuse` is the caller's fault and changes nothing. Bad input from the network is an output instead.
    fn handle_input(&mut self, now: Instant, input: Self::Input<'_>) -> Result<(), Self::Misuse>;

    /// The clock reached `now`. Early, late and repeated calls are harmless.
    fn handle_timeout(&mut self, now: Instant);

    /// The next thing to do. Call until `None`.
    #[must_use]
    fn poll_output(&mut self) -> Option<Self::Output<'_>>;

    /// When to call [`handle_timeout`](Self::handle_timeout) next, and why.
    #[must_use]
    fn poll_timeout(&self) -> Option<Timeout<Self::Reason>>;

    /// Enough to start again elsewhere.
    #[must_use]
    fn snapshot(&self) -> Self::Snapshot;
}
