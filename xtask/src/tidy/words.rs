//! Words that must not stay: what is unfinished, what only debugs, and what can panic in core.

use super::Finding;
use super::mask::{Masked, numbered, words};
use crate::workspace::File;

/// Macros that mark unfinished or debugging code.
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];
/// Marks of unfinished work, in code and comments alike. They are put together here so as not to be found.
const MARKS: &[&str] = &[concat!("FIX", "ME"), concat!("XX", "X")];

pub(crate) fn check(file: &File, findings: &mut Vec<Finding>) {
    if !matches!(
        file.extension(),
        "rs" | "py" | "pyi" | "js" | "mjs" | "cjs" | "ts" | "c" | "h" | "sh"
    ) {
        return;
    }
    for (number, line) in numbered(&file.text) {
        for mark in MARKS {
            if words(line).any(|(word, _)| word == *mark) {
                let message = format!("{mark}: finish it, or write down what is true");
                findings.push(Finding::new(&file.path, number, message));
            }
        }
    }
    if file.extension() == "rs" {
        check_rust(file, findings);
    }
}

fn check_rust(file: &File, findings: &mut Vec<Finding>) {
    let masked = Masked::new(&file.text);
    for (number, line) in numbered(&masked.code) {
        for (word, end) in words(line) {
            if MACROS.contains(&word) && line[end..].starts_with('!') {
                let message = format!("`{word}!` must not be committed");
                findings.push(Finding::new(&file.path, number, message));
            }
        }
    }
    if !file.path.starts_with("core/src/") || super::is_test_file(&file.path) {
        return;
    }
    for (number, line) in numbered(&masked.without_tests) {
        if line.contains(".unwrap()") {
            let message = "`.unwrap()` in core: `expect` why it cannot happen, or return an error";
            findings.push(Finding::new(&file.path, number, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        let mut findings = Vec::new();
        check(
            &File {
                path: path.into(),
                text: text.into(),
            },
            &mut findings,
        );
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn unfinished_code_is_found() {
        assert_eq!(found("a.rs", "fn a() {\n    todo!()\n}\n"), [2]);
        assert_eq!(
            found("a.rs", "// todo!() in a comment\nlet todo = !done;\n"),
            [0; 0]
        );
        assert_eq!(
            found("a.py", &format!("a = 1\n# {} later\n", MARKS[0])),
            [2]
        );
        assert_eq!(found("a.rs", "// unfinished business\n"), [0; 0]);
    }

    #[test]
    fn unwraps_are_found_in_core_outside_its_tests() {
        let text = "a.unwrap();\n/// b.unwrap();\n#[cfg(test)]\nmod tests {\n    c.unwrap();\n}\nd.unwrap();\n";
        assert_eq!(found("core/src/a.rs", text), [1, 7]);
        assert_eq!(found("core/src/a/tests.rs", text), [0; 0]);
        assert_eq!(found("cli/src/a.rs", text), [0; 0]);
    }
}
