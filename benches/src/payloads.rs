//! GUILD_CREATEs in a file, one a line: everybody who fills a cache reads the same bytes.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use shardkeep_sim::WholeGuilds;

/// Everything follows from it.
const SEED: u64 = 7;

/// What is in such a file.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Sizes {
    /// Guilds, a line each.
    pub guilds: u32,
    /// Members in all of them.
    pub members: u64,
    /// Bytes of JSON.
    pub bytes: u64,
    /// Bytes of the longest line.
    pub longest: usize,
}

/// Writes the file.
///
/// # Errors
///
/// If it cannot be written.
pub fn write(path: &Path, guilds: u32, members: u32, presences: bool) -> io::Result<Sizes> {
    let catalog = WholeGuilds::new(SEED, guilds, members);
    let mut out = BufWriter::new(File::create(path)?);
    let mut sizes = Sizes {
        guilds,
        ..Sizes::default()
    };
    for index in 0..guilds {
        let d = catalog.create(index, presences);
        out.write_all(&d)?;
        out.write_all(b"\n")?;
        sizes.members += u64::from(catalog.member_count(index));
        sizes.bytes += d.len() as u64;
        sizes.longest = sizes.longest.max(d.len());
    }
    out.flush()?;
    Ok(sizes)
}

/// Lines through one buffer, which has its size from the beginning: what a process grows by is not this.
#[derive(Debug)]
pub struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// A buffer for lines of so many bytes, all of it touched.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self {
            line: vec![b'\n'; longest + 2],
        }
    }

    /// Opens a file.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(&mut self, path: &Path) -> io::Result<Reading<'_>> {
        Ok(Reading {
            line: &mut self.line,
            file: BufReader::new(File::open(path)?),
        })
    }
}

/// A file of which one line after the other is read.
#[derive(Debug)]
pub struct Reading<'a> {
    line: &'a mut Vec<u8>,
    file: BufReader<File>,
}

impl Reading<'_> {
    /// The next line; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let length = self.file.read_until(b'\n', self.line)?;
        Ok((length > 0).then(|| self.line.trim_ascii_end()))
    }
}
