//! Paths that the documents name must exist.

use std::path::Path;

use super::Finding;
use super::mask::numbered;
use crate::workspace::File;

/// Checks one document against the paths of all files.
pub(crate) fn check(file: &File, files: &[File], findings: &mut Vec<Finding>) {
    let is_guide = file.path.starts_with("docs/") || !file.path.contains('/');
    if file.extension() != "md" || !is_guide {
        return;
    }
    let folder = Path::new(&file.path)
        .parent()
        .unwrap_or_else(|| Path::new(""));
    let mut fenced = false;
    for (number, line) in numbered(&file.text) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let named = quoted(line).filter(|text| is_path(text));
        for path in named
            .map(|text| text.trim_end_matches('/'))
            .chain(links(line))
        {
            let exists = Path::new(path).exists() || folder.join(path).exists();
            if !exists && !is_tail(path, files) {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    format!("`{path}` does not exist"),
                ));
            }
        }
    }
}

/// Whether `path` names a file or folder from somewhere below the root: `gateway/state/` in a chapter on core.
fn is_tail(path: &str, files: &[File]) -> bool {
    files.iter().any(|file| {
        let mut starts = file.path.match_indices('/').map(|(at, _)| at + 1);
        starts.any(|start| {
            let rest = file.path[start..].strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    })
}

/// What stands between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Where links lead, other than to other sites and within the page.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        let path = target.split('#').next()?;
        (!path.is_empty() && !target.contains("://")).then_some(path)
    })
}

/// Whether a quoted text is meant as a path of this repository: `core/src/wire`, `CHANGELOG.md`.
fn is_path(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !text.chars().all(is_plain) || text.starts_with(['/', '-']) || text.starts_with("target") {
        return false;
    }
    let is_file = [".md", ".rs", ".toml", ".json", ".py", ".mjs", ".sh"]
        .iter()
        .any(|end| text.ends_with(end));
    match text.split_once('/') {
        // `0/16` is a shard, `text/plain` a media type: a path starts in a folder of ours, or ends like a file.
        Some((first, _)) => is_file || text.ends_with('/') || Path::new(first).is_dir(),
        None => is_file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_path_is_told_from_what_is_not() {
        for text in [
            "no-such-folder/",
            "a/b.rs",
            "ARCHITECTURE.md",
            "core/src/wire/",
        ] {
            assert!(is_path(text), "{text}");
        }
        for text in [
            "0-7/16",
            "/gateway/bot",
            "text/plain",
            "--json",
            "a::b",
            "cargo xtask",
            "target/x.json",
        ] {
            assert!(!is_path(text), "{text}");
        }
    }

    #[test]
    fn a_path_that_is_not_there_is_found() {
        let text = "See `no-such-folder/` and [here](no-such-file.md#part), not [there](https://a.b/c) or [up](#x).\n\
            ```\n`no-such-folder/`\n```\n";
        let page = File {
            path: "A.md".into(),
            text: text.into(),
        };
        let mut findings = Vec::new();
        check(&page, &[], &mut findings);
        let found: Vec<_> = findings.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(
            found,
            [
                "`no-such-folder` does not exist",
                "`no-such-file.md` does not exist"
            ]
        );
    }

    #[test]
    fn a_path_may_start_below_the_root() {
        let files = [File {
            path: "core/src/gateway/state/ready.rs".into(),
            text: String::new(),
        }];
        for path in ["gateway/state", "state", "state/ready.rs", "src"] {
            assert!(is_tail(path, &files), "{path}");
        }
        for path in ["gate", "state/read", "ready", "gateway/ready.rs"] {
            assert!(!is_tail(path, &files), "{path}");
        }
    }
}
