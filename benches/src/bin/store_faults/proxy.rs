//! A proxy on the loopback before a server, which is late with answers or changes them.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What happens to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    Pass = 0,
    /// Each piece comes 300 ms late.
    Late = 1,
    /// Each piece is another answer: well-formed, and none to the question.
    Wrong = 2,
}

const LATE: Duration = Duration::from_millis(300);

/// A proxy, which lives as long as the process.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    mode: Arc<AtomicU8>,
}

impl Proxy {
    pub(crate) fn before(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let own = listener.local_addr()?.port();
        let mode = Arc::new(AtomicU8::new(Mode::Pass as u8));
        let shared = Arc::clone(&mode);
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let mode = Arc::clone(&shared);
                std::thread::spawn(move || carry(&client, port, mode));
            }
        });
        Ok(Self { port: own, mode })
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }
}

fn carry(client: &TcpStream, port: u16, mode: Arc<AtomicU8>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let server = TcpStream::connect(("127.0.0.1", port))?;
    server.set_nodelay(true)?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let len = from_server.read(&mut buffer)?;
            if len == 0 {
                return to_client.shutdown(Shutdown::Both);
            }
            let now = mode.load(Ordering::SeqCst);
            if now == Mode::Late as u8 {
                std::thread::sleep(LATE);
            }
            match now == Mode::Wrong as u8 {
                true => to_client.write_all(b"$5\r\nhello\r\n")?,
                false => to_client.write_all(&buffer[..len])?,
            }
        }
    });
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let ended = io::copy(&mut from_client, &mut to_server).map(drop);
    // The other direction reads from it, and ends with it. Whoever has closed it already is right.
    let _closed = server.shutdown(Shutdown::Both);
    ended
}
