//! The workspace seen from outside: its root, its files, its crates and who depends on whom.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::step::Step;

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &[
    ".git",
    "target",
    "node_modules",
    "__pycache__",
    ".venv",
    "artifacts",
    "coverage",
];

/// Makes the repository's root the current directory: every path in this program starts there.
pub(crate) fn enter_root() -> Result<()> {
    let root = root()?;
    std::env::set_current_dir(&root).with_context(|| format!("cannot enter {}", root.display()))
}

/// The repository's root, for what tests call as well: they start elsewhere.
pub(crate) fn root() -> Result<PathBuf> {
    let here = std::env::var("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|_| String::from(env!("CARGO_MANIFEST_DIR")));
    let root = Path::new(&here).parent();
    Ok(root.context("xtask has no parent folder")?.to_owned())
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// Whether this runs in continuous integration, where a missing tool is a failure and not a reason to skip.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// A text file of the repository.
pub(crate) struct File {
    /// Its path from the root, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// What follows the last dot of the name; empty for a name without a dot.
    pub(crate) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Every text file of the repository, by path. Files that are not UTF-8 are passed over.
pub(crate) fn files() -> Result<Vec<File>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let listed = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder.as_path()
        };
        for entry in std::fs::read_dir(listed).with_context(|| listed.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let path = folder.join(name);
            let kind = entry.file_type()?;
            if kind.is_dir() && !SKIPPED.contains(&name) {
                folders.push(path);
            } else if kind.is_file()
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                let path = path.to_string_lossy().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// A crate of the workspace.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Its manifest, from the root.
    pub(crate) manifest: String,
    /// Crates of this workspace that it depends on, and whether only its tests do.
    pub(crate) uses: Vec<Use>,
    /// Its binaries, examples and benches.
    pub(crate) targets: Vec<Target>,
}

/// A dependency on another crate of the workspace.
pub(crate) struct Use {
    pub(crate) name: String,
    pub(crate) dev: bool,
}

/// Something that cargo builds from a crate.
pub(crate) struct Target {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Its first file, from the root.
    pub(crate) source: String,
}

/// The crates of the workspace, as cargo sees them.
pub(crate) fn members() -> Result<Vec<Member>> {
    let text = Step::cargo(["metadata", "--no-deps", "--format-version", "1"]).quiet_output()?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    Ok(packages
        .iter()
        .map(|package| member(package, root))
        .collect())
}

fn member(package: &Value, root: &str) -> Member {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let from_root = |path: &Value| {
        let path = path.as_str().unwrap_or_default();
        path.trim_start_matches(root)
            .trim_start_matches('/')
            .to_owned()
    };
    Member {
        name: text(&package["name"]),
        manifest: from_root(&package["manifest_path"]),
        uses: list(&package["dependencies"])
            .iter()
            .filter(|dependency| dependency["path"].is_string())
            .map(|dependency| Use {
                name: text(&dependency["name"]),
                dev: dependency["kind"] == "dev",
            })
            .collect(),
        targets: list(&package["targets"])
            .iter()
            .map(|target| Target {
                kind: text(&target["kind"][0]),
                name: text(&target["name"]),
                source: from_root(&target["src_path"]),
            })
            .collect(),
    }
}

/// A package that the workspace is built from.
pub(crate) struct Package {
    pub(crate) name: String,
    /// The oldest Rust that its manifest says it works with.
    pub(crate) rust: Option<RustVersion>,
    pub(crate) is_ours: bool,
}

/// A version of Rust, as `rust-version` writes it. Patch releases change no interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RustVersion {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl RustVersion {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some(Self {
            major: parts.next()??,
            minor: parts.next()??,
        })
    }
}

/// Every package in the lock file that is built here.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let text = Step::cargo(["metadata", "--format-version", "1"]).quiet_output()?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let package = |package: &Value| Package {
        name: package["name"].as_str().unwrap_or_default().to_owned(),
        rust: package["rust_version"]
            .as_str()
            .and_then(RustVersion::parse),
        is_ours: package["source"].is_null(),
    };
    Ok(packages.iter().map(package).collect())
}
