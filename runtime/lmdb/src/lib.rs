//! Opens LMDB environments: the few lines of LMDB that need unsafe code, apart from everything else.

use std::path::Path;

pub use heed;
use heed::{Env, EnvFlags, EnvOpenOptions, WithoutTls};

/// What survives when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Whatever happens to processes or to the machine, the store is whole. The last writes before a power failure may
    /// be missing.
    #[default]
    Machine,
    /// Whatever happens to processes, the store is whole. A power failure may destroy it: for folders in memory, such
    /// as `/dev/shm`, and for stores that can be filled again.
    Process,
}

/// How to open an environment.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most that it can grow to. All processes must agree.
    pub map_bytes: usize,
    /// Reading transactions at once, of all processes together.
    pub readers_max: u32,
    /// Named databases.
    pub databases_max: u32,
    /// What survives when.
    pub durability: Durability,
}

/// Opens the environment in a folder that exists.
///
/// # Errors
///
/// What LMDB says.
#[expect(
    unsafe_code,
    reason = "LMDB maps a file into memory; see the comment on each block"
)]
pub fn open(folder: &Path, options: Options) -> heed::Result<Env<WithoutTls>> {
    let mut open = EnvOpenOptions::new().read_txn_without_tls();
    open.map_size(options.map_bytes)
        .max_readers(options.readers_max)
        .max_dbs(options.databases_max);
    let flags = match options.durability {
        Durability::Machine => EnvFlags::NO_META_SYNC,
        Durability::Process => EnvFlags::NO_SYNC,
    };
    // SAFETY: both flags change when pages reach the disk, and nothing of what processes see of each other. A power
    // failure under `NO_SYNC` may leave a file that LMDB refuses or misreads; whoever asks for it is told so.
    unsafe { open.flags(flags) };
    // SAFETY: the file is written through LMDB alone, which locks it for processes and threads; locking is never
    // turned off, and this crate hands out no way to the file. What is left is a program that overwrites or shortens
    // the file behind LMDB's back: no library can prevent that, and the folder is the store's own.
    unsafe { open.open(folder) }
}
