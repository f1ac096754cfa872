//! No dependency may need a newer Rust than the workspace promises.

use super::Finding;
use crate::workspace::Package;

/// Checks every package of the lock file. Those of the workspace hold the promise.
pub(crate) fn check(packages: &[Package], findings: &mut Vec<Finding>) {
    let own = packages
        .iter()
        .filter(|package| package.is_ours)
        .map(|package| package.rust);
    let Some(promised) = own.flatten().min() else {
        return;
    };
    for Package { name, rust, .. } in packages {
        if let Some(needed) = rust.filter(|needed| *needed > promised) {
            let message = format!(
                "{name} needs Rust 1.{}, and `rust-version` promises 1.{}",
                needed.minor, promised.minor
            );
            findings.push(Finding::new("Cargo.toml", 1, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::RustVersion;

    fn package(name: &str, rust: &str, is_ours: bool) -> Package {
        Package {
            name: name.into(),
            rust: RustVersion::parse(rust),
            is_ours,
        }
    }

    #[test]
    fn a_dependency_that_needs_a_newer_rust_is_found() {
        let packages = [
            package("ours", "1.88", true),
            package("old", "1.60.0", false),
            package("same", "1.88.0", false),
            package("silent", "", false),
            package("new", "1.89", false),
        ];
        let mut findings = Vec::new();
        check(&packages, &mut findings);
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0].message.starts_with("new needs Rust 1.89"),
            "{findings:?}"
        );
    }
}
