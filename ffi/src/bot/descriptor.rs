//! What a loop watches: a descriptor that is readable from when it is rung until it is silenced.

/// An eventfd.
#[cfg(target_os = "linux")]
pub(super) struct Descriptor(std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Descriptor {
    /// Readable at first, so that nothing is missed.
    pub(super) fn open() -> std::io::Result<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        let made = eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(made))
    }

    pub(super) fn number(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.0)
    }

    pub(super) fn ring(&self) {
        // It can only be full, and is readable then anyway.
        let _full = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    pub(super) fn silence(&self) {
        // It can only be empty, and is not readable then anyway.
        let _empty = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

/// There is none elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) enum Descriptor {}

#[cfg(not(target_os = "linux"))]
impl Descriptor {
    pub(super) fn open() -> std::io::Result<Self> {
        let why = "this system has no eventfd: wait with a timeout instead";
        Err(std::io::Error::new(std::io::ErrorKind::Unsupported, why))
    }

    pub(super) fn number(&self) -> i32 {
        match *self {}
    }

    pub(super) fn ring(&self) {
        match *self {}
    }

    pub(super) fn silence(&self) {
        match *self {}
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_readable(descriptor: &Descriptor) -> bool {
        let mut watched = [PollFd::new(&descriptor.0, PollFlags::IN)];
        poll(&mut watched, Some(&Timespec::default())) == Ok(1)
    }

    #[test]
    fn it_is_readable_from_a_ring_to_a_silence() {
        let descriptor = Descriptor::open().unwrap();
        assert!(is_readable(&descriptor), "at first");
        descriptor.silence();
        assert!(!is_readable(&descriptor));
        descriptor.silence();
        descriptor.ring();
        descriptor.ring();
        assert!(is_readable(&descriptor));
        descriptor.silence();
        assert!(!is_readable(&descriptor), "one silence for all rings");
    }
}
