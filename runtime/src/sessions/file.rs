//! Sessions in a file: one line each, all of it written anew and put in place at once, so that a process that is killed
//! while it writes leaves the file as it was.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Changes;
use super::keeper::{Kept, SHAPE, TTL, seal};
use super::loaded::Loaded;
use super::tracked::Change;
use crate::clock;
use crate::store::StoreError;

/// How its files end.
const EXTENSION: &str = "sessions";

/// Under which name the identify account stands among the sessions.
const ACCOUNT: &str = "account";

/// A folder of files, one for each set of shards. A process writes its own and reads all.
#[derive(Debug)]
pub(super) struct File {
    folder: PathBuf,
    path: PathBuf,
    lines: BTreeMap<String, String>,
}

impl File {
    /// The file for `shards`, as the configuration writes them, in `folder`, which is made if need be.
    pub(super) fn open(folder: PathBuf, shards: &str) -> Result<Self, StoreError> {
        fs::create_dir_all(&folder).map_err(|error| StoreError::Refused {
            reason: format!("{}: {error}: set `session_store.path`", folder.display()),
        })?;
        let name = shards.replace('/', "of").replace(';', "+");
        let path = folder.join(name).with_extension(EXTENSION);
        Ok(Self {
            folder,
            path,
            lines: BTreeMap::new(),
        })
    }

    /// Reads every file of the folder. Those that nobody has written for a day are removed.
    pub(super) fn load(&self, loaded: &mut Loaded) -> Result<(), StoreError> {
        for entry in fs::read_dir(&self.folder).map_err(|error| away(&self.folder, &error))? {
            let path = entry.map_err(|error| away(&self.folder, &error))?.path();
            if path
                .extension()
                .is_none_or(|extension| extension != EXTENSION)
            {
                continue;
            }
            if is_old(&path) {
                // If it cannot be removed it is only read in vain.
                let _left = fs::remove_file(&path);
                continue;
            }
            let text = fs::read(&path).map_err(|error| away(&path, &error))?;
            let lines = text.split(|&byte| byte == b'\n');
            let lines = lines.filter(|line| !line.is_empty());
            lines.for_each(|line| loaded.line(&String::from_utf8_lossy(line)));
        }
        Ok(())
    }

    pub(super) fn store(&mut self, changes: &Changes) -> Result<Kept, StoreError> {
        let mut kept = Kept::default();
        for change in &changes.sessions {
            match change {
                Change::Save(capsule) => {
                    let (Some(shard), Some(line)) = (capsule.shard(), seal(capsule)) else {
                        continue;
                    };
                    self.lines.insert(shard.to_string(), line);
                    kept.saved += 1;
                }
                Change::Remove { shard, .. } => {
                    kept.removed += usize::from(self.lines.remove(&shard.to_string()).is_some());
                }
            }
        }
        let account = changes.account.as_ref().map(serde_json::to_string);
        let shape = changes.shape.as_ref().map(serde_json::to_string);
        for (name, line) in [(ACCOUNT, account), (SHAPE, shape)] {
            if let Some(Ok(line)) = line {
                self.lines.insert(name.to_owned(), line);
            }
        }
        self.replace().map_err(|error| away(&self.path, &error))?;
        Ok(kept)
    }

    fn replace(&self) -> io::Result<()> {
        let next = self.path.with_extension("next");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = io::BufWriter::new(options.open(&next)?);
        for line in self.lines.values() {
            file.write_all(line.as_bytes())?;
            file.write_all(b"\n")?;
        }
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_data()?;
        fs::rename(next, &self.path)
    }
}

fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|about| about.modified()).ok();
    let since = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    since.is_some_and(|at| at.as_millis() + TTL.as_millis() < u128::from(clock::unix_ms()))
}

fn away(path: &Path, error: &io::Error) -> StoreError {
    let reason = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { reason },
        _ => StoreError::Away { reason },
    }
}

#[cfg(test)]
mod tests {
    use shardkeep_core::ShardId;
    use shardkeep_core::gateway::Capsule;

    use super::*;

    /// A folder that is gone when the test is.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("shardkeep-sessions-{}-{name}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _never_made = fs::remove_dir_all(&self.0);
        }
    }

    fn capsule(index: u32, saved_at_ms: u64) -> Change {
        Change::Save(Capsule {
            shard_index: index,
            shard_total: 4,
            session_id: format!("s{index}"),
            saved_at_ms,
            ..Capsule::default()
        })
    }

    fn changes<const N: usize>(sessions: [Change; N]) -> Changes {
        Changes {
            sessions: sessions.into(),
            ..Changes::default()
        }
    }

    fn loaded(file: &File) -> Loaded {
        let mut loaded = Loaded::default();
        file.load(&mut loaded).unwrap();
        loaded
    }

    #[test]
    fn processes_write_their_own_and_read_all() {
        let folder = Folder::new("shared");
        let path = folder.0.join("deep/er");
        let mut first = File::open(path.clone(), "0-1/4").unwrap();
        let mut second = File::open(path.clone(), "2-3/4").unwrap();
        first
            .store(&changes([capsule(0, 1), capsule(1, 1)]))
            .unwrap();
        second
            .store(&changes([capsule(2, 1), capsule(1, 9)]))
            .unwrap();
        let all = loaded(&first);
        let saved: Vec<_> = all
            .capsules
            .values()
            .map(|found| found.saved_at_ms)
            .collect();
        assert_eq!(saved, [1, 9, 1], "the newest of each");
        let gone = Change::Remove {
            shard: ShardId::new(2, 4).unwrap(),
            fencing: 0,
            at_ms: 10,
        };
        assert_eq!(second.store(&changes([gone])).unwrap().removed, 1);
        assert_eq!(loaded(&second).capsules.len(), 2);
    }

    #[test]
    fn what_was_cut_short_costs_one_session_alone() {
        let folder = Folder::new("cut");
        let mut file = File::open(folder.0.clone(), "auto").unwrap();
        file.store(&changes([capsule(0, 1), capsule(1, 1)]))
            .unwrap();
        let text = fs::read(&file.path).unwrap();
        fs::write(&file.path, &text[..text.len() - 9]).unwrap();
        let all = loaded(&file);
        assert_eq!((all.capsules.len(), all.refused), (1, 1));
        fs::write(&file.path, b"\xff\xfe\n\n{}").unwrap();
        assert_eq!(loaded(&file).refused, 2);
    }
}
