//! Who may import whom: crates by their manifests, core's modules by their paths; and what core may not touch.

use super::Finding;
use super::mask::{Masked, line_of, numbered, words};
use crate::workspace::{File, Member};

/// The machines of core. They know nothing of each other, and `wire` knows none of them.
const MACHINES: &[&str] = &["gateway", "rest", "cache", "fleet"];

/// What core does without, and why.
const NOT_IN_CORE: &[(&str, &str)] = &[
    ("std", "core is no_std: use core:: or alloc::"),
    ("tokio", "core knows no runtime"),
    (
        "async",
        "core is sans-IO: inputs and outputs are carried by a driver",
    ),
    (
        "await",
        "core is sans-IO: inputs and outputs are carried by a driver",
    ),
    (
        "HashMap",
        "its order differs from run to run: use a BTreeMap",
    ),
    (
        "HashSet",
        "its order differs from run to run: use a BTreeSet",
    ),
    ("SystemTime", "time is passed in"),
];

/// Where `unsafe` may stand: the C interface and what calls it, the program that stands in for std, and the opening of
/// LMDB.
const UNSAFE: &[&str] = &[
    "ffi/",
    "fuzz/fuzz_targets/c_api",
    "core/no-std/",
    "runtime/lmdb/",
];

/// A crate, what of ours it may depend on, and what its tests may use besides.
type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CRATES: &[Rule] = &[
    ("shardkeep-core", &[], &[]),
    ("shardkeep-sim", &["shardkeep-core"], &[]),
    ("shardkeep-lmdb", &[], &[]),
    (
        "shardkeep",
        &["shardkeep-core", "shardkeep-lmdb"],
        &["shardkeep-sim"],
    ),
    (
        "shardkeep-ffi",
        &["shardkeep-core", "shardkeep"],
        &["shardkeep-sim"],
    ),
    (
        "shardkeep-cli",
        &["shardkeep-core", "shardkeep-sim", "shardkeep"],
        &[],
    ),
    ("xtask", &["shardkeep-core"], &[]),
];

/// The crate that nobody may depend on.
const TOP: &str = "shardkeep-cli";

pub(crate) fn check(file: &File, findings: &mut Vec<Finding>) {
    if file.extension() != "rs" {
        return;
    }
    let masked = Masked::new(&file.text);
    if !UNSAFE.iter().any(|folder| file.path.starts_with(folder)) {
        for (number, line) in numbered(&masked.code) {
            if words(line).any(|(word, _)| word == "unsafe") {
                let message = format!("`unsafe` belongs to {} alone", UNSAFE.join(", "));
                findings.push(Finding::new(&file.path, number, message));
            }
        }
    }
    let Some(inner) = file.path.strip_prefix("core/src/") else {
        return;
    };
    if super::is_test_file(&file.path) {
        return;
    }
    for (number, line) in numbered(&masked.without_tests) {
        for (name, why) in NOT_IN_CORE {
            if words(line).any(|(word, _)| word == *name) {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    format!("`{name}` in core: {why}"),
                ));
            }
        }
    }
    let room = inner.split(['/', '.']).next().unwrap_or_default();
    if room != "wire" && !MACHINES.contains(&room) {
        return;
    }
    for (line, name) in modules_named(&masked.without_tests) {
        if name != room && MACHINES.contains(&name) {
            let message =
                format!("`{room}` must not know `{name}`: the driver carries what they exchange");
            findings.push(Finding::new(&file.path, line, message));
        }
    }
}

/// The first module after every `crate::` and `super::`, those in braces too, with its line.
fn modules_named(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let from = at + root.len();
            let inside_braces = code[from..].starts_with('{');
            let mut depth = 0;
            let mut expects_name = true;
            for (offset, c) in code[from..].char_indices() {
                let here = from + offset;
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => expects_name = true,
                    c if expects_name && depth <= 1 && (c.is_alphabetic() || c == '_') => {
                        expects_name = false;
                        if let Some((name, _)) = words(&code[here..]).next() {
                            found.push((line_of(code, here), name));
                        }
                    }
                    _ => {}
                }
                let is_over = if inside_braces {
                    depth == 0
                } else {
                    !expects_name
                };
                if is_over {
                    break;
                }
            }
        }
    }
    found
}

/// Checks which crates of ours each crate depends on.
pub(crate) fn check_members(members: &[Member], findings: &mut Vec<Finding>) {
    for member in members {
        let rule = CRATES.iter().find(|(name, ..)| *name == member.name);
        for used in &member.uses {
            let name = used.name.as_str();
            let is_allowed = match rule {
                Some((_, normal, tests)) => {
                    normal.contains(&name) || (used.dev && tests.contains(&name))
                }
                None => name != TOP,
            };
            if !is_allowed {
                let kind = if used.dev { "the tests of " } else { "" };
                let message = format!("{kind}{} must not depend on {name}", member.name);
                findings.push(Finding::new(&member.manifest, 1, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Use;

    fn found(path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check(
            &File {
                path: path.into(),
                text: text.into(),
            },
            &mut findings,
        );
        findings
            .into_iter()
            .map(|Finding { line, message, .. }| format!("{line}: {message}"))
            .collect()
    }

    #[test]
    fn core_may_not_touch_the_world() {
        let text = "use std::time::SystemTime;\n// std is fine here\nasync fn a() {}\n";
        let found = found("core/src/a.rs", text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found.iter().all(|finding| !finding.starts_with('2')),
            "{found:?}"
        );
    }

    #[test]
    fn tests_of_core_and_other_crates_may() {
        let text = "#[cfg(test)]\nmod tests {\n    extern crate std;\n}\n";
        assert!(found("core/src/a.rs", text).is_empty());
        assert!(found("core/src/gateway/tests.rs", "use std::vec;").is_empty());
        assert!(found("runtime/src/a.rs", "use std::vec;").is_empty());
    }

    #[test]
    fn machines_do_not_know_each_other() {
        assert_eq!(
            found("core/src/gateway/io.rs", "use crate::fleet::Fleet;").len(),
            1
        );
        assert_eq!(
            found(
                "core/src/gateway/io.rs",
                "use crate::{\n    time,\n    rest::{Route},\n};"
            )
            .len(),
            1
        );
        assert_eq!(
            found(
                "core/src/fleet/mod.rs",
                "let x = super::cache::Cache::new();"
            )
            .len(),
            1
        );
        assert_eq!(
            found(
                "core/src/wire/mod.rs",
                "fn f(x: crate::gateway::Session) {}"
            )
            .len(),
            1
        );
        assert!(
            found(
                "core/src/gateway/io.rs",
                "use crate::{time, wire::{fleet}};"
            )
            .is_empty()
        );
        assert!(
            found(
                "core/src/gateway/io.rs",
                "use crate::gateway::io; use super::state;"
            )
            .is_empty()
        );
        assert!(found("core/src/record/mod.rs", "use crate::{gateway, fleet};").is_empty());
    }

    #[test]
    fn unsafe_has_its_places() {
        assert_eq!(found("sim/src/a.rs", "unsafe { f() }").len(), 1);
        assert!(found("sim/src/a.rs", "#![forbid(unsafe_code)]").is_empty());
        assert!(found("ffi/src/a.rs", "unsafe { f() }").is_empty());
        assert!(found("runtime/lmdb/src/a.rs", "unsafe { f() }").is_empty());
        assert_eq!(found("runtime/src/a.rs", "unsafe { f() }").len(), 1);
    }

    #[test]
    fn dependencies_run_one_way() {
        let breaches = |name: &str, used: &str, dev: bool| {
            let uses = vec![Use {
                name: used.into(),
                dev,
            }];
            let member = Member {
                name: name.into(),
                manifest: "Cargo.toml".into(),
                uses,
                targets: Vec::new(),
            };
            let mut findings = Vec::new();
            check_members(&[member], &mut findings);
            findings.len()
        };
        assert_eq!(breaches("shardkeep", "shardkeep-core", false), 0);
        assert_eq!(breaches("shardkeep", "shardkeep-sim", true), 0);
        assert_eq!(breaches("shardkeep", "shardkeep-sim", false), 1);
        assert_eq!(breaches("shardkeep-core", "shardkeep", true), 1);
        assert_eq!(breaches("shardkeep-sim", "shardkeep", true), 1);
        assert_eq!(breaches("shardkeep-benches", "shardkeep-sim", false), 0);
        assert_eq!(breaches("shardkeep-benches", "shardkeep-cli", false), 1);
    }
}
