//! Bots that are killed and start again: nothing is lost, what comes twice says so, and no identify is spent.

mod child;
mod killed;
#[path = "../redis_support/mod.rs"]
mod redis_support;
mod resharded;
mod stored;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("shardkeep-restart-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn text(&self) -> String {
        self.0.to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _never_made = std::fs::remove_dir_all(&self.0);
    }
}
