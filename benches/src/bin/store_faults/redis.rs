//! A Redis server of the bench's own.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start() -> io::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("shardkeep-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()?;
        let server = Self {
            child,
            folder,
            port,
        };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        Err(io::Error::other("redis-server does not start"))
    }

    /// Stops it without ending it: connections stay open, and nobody answers.
    pub(crate) fn pause(&self) -> io::Result<()> {
        self.signal("-STOP")
    }

    pub(crate) fn go_on(&self) -> io::Result<()> {
        self.signal("-CONT")
    }

    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status()?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other("redis-server is gone")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already, and the folder is empty.
        let _gone = self.kill();
        let _left = std::fs::remove_dir_all(&self.folder);
    }
}
