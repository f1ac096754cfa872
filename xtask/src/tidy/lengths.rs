//! How long files, functions and lines may be.

use super::Finding;
use super::mask::{ItemEnd, Masked, count_lines, item_end, line_of};
use crate::workspace::File;

/// Lines of a file without its tests, and in all.
const FILE: usize = 400;
const FILE_WITH_TESTS: usize = 600;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION: usize = 70;
/// Characters of a line.
const LINE: usize = 120;

const SOURCES: &[&str] = &["rs", "py", "pyi", "js", "mjs", "cjs", "ts", "c", "h", "sh"];

/// What other programs write.
fn is_generated(path: &str) -> bool {
    path == "include/shardkeep.h" || path.ends_with(".d.ts")
}

pub(crate) fn check(file: &File, findings: &mut Vec<Finding>) {
    let is_source = SOURCES.contains(&file.extension()) || file.path == ".ci/run";
    if !is_source || is_generated(&file.path) {
        return;
    }
    check_file(file, findings);
    check_lines(file, findings);
    let functions = match file.extension() {
        "rs" => rust_functions(&Masked::new(&file.text).code),
        "py" => python_functions(&file.text),
        "js" | "mjs" | "cjs" | "ts" | "c" => indented_functions(&file.text),
        _ => Vec::new(),
    };
    for Function { name, line, length } in functions.iter().filter(|found| found.length > FUNCTION)
    {
        let message = format!("`{name}` has {length} lines; a function has at most {FUNCTION}");
        findings.push(Finding::new(&file.path, *line, message));
    }
}

fn check_file(file: &File, findings: &mut Vec<Finding>) {
    let all = file.text.lines().count();
    let tests = match file.extension() {
        "rs" => Masked::new(&file.text).test_lines,
        _ => 0,
    };
    if all - tests > FILE {
        let message = format!(
            "{} lines without its tests; a file has at most {FILE}",
            all - tests
        );
        findings.push(Finding::new(&file.path, FILE + 1, message));
    }
    if all > FILE_WITH_TESTS {
        let message = format!("{all} lines; with its tests a file has at most {FILE_WITH_TESTS}");
        findings.push(Finding::new(&file.path, FILE_WITH_TESTS + 1, message));
    }
}

fn check_lines(file: &File, findings: &mut Vec<Finding>) {
    for (index, line) in file.text.lines().enumerate() {
        let columns = line.chars().count();
        // An address cannot be broken. A row of a table (they start with a number) reads best unbroken.
        let is_row = line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        if columns > LINE && !line.contains("://") && !is_row {
            let message = format!("{columns} columns; a line has at most {LINE}");
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
}

/// A function, where it starts and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    line: usize,
    length: usize,
}

/// Every function with a body, nested ones too. `code` holds neither comments nor literals.
fn rust_functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let starts_a_word =
            at > 0 && code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let after = code[at + 3..].trim_start();
        let name: String = after
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if starts_a_word || name.is_empty() {
            continue;
        }
        if let Some(ItemEnd::Brace(end)) = item_end(code, at) {
            let length = 1 + count_lines(&code[at..end]);
            found.push(Function {
                name,
                line: line_of(code, at),
                length,
            });
        }
    }
    found
}

/// Every function of JavaScript or C whose head ends in `{`: up to the `}` under the start of the head.
fn indented_functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_head(line) else {
            continue;
        };
        let closing = lines[start + 1..]
            .iter()
            .position(|other| indent(other) == indent(line) && other.trim_start().starts_with('}'));
        if let Some(inside) = closing {
            let name = String::from(name);
            found.push(Function {
                name,
                line: start + 1,
                length: inside + 2,
            });
        }
    }
    found
}

/// The name of the function that begins on this line, or its whole head where it has none.
fn function_head(line: &str) -> Option<&str> {
    const OTHERS: &[&str] = &["if", "for", "while", "switch", "catch", "do", "else", "}"];
    let head = line.trim().strip_suffix('{')?.trim_end();
    let first = head.split([' ', '(']).next()?;
    let is_function = head.ends_with(')') || head.ends_with("=>") || head.contains("function");
    if !is_function || OTHERS.contains(&first) {
        return None;
    }
    let before = head.split('(').next()?;
    before.split_whitespace().next_back().or(Some(head))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Every `def`: up to the last line that is indented deeper than it.
fn python_functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let head = line.trim_start();
        let head = head.strip_prefix("async ").unwrap_or(head);
        let Some(rest) = head.strip_prefix("def ") else {
            continue;
        };
        // The signature may close on a line that is not indented: `) -> None:`.
        let belongs = |other: &str| {
            let text = other.trim_start();
            text.is_empty() || indent(other) > indent(line) || text.starts_with(')')
        };
        let body = lines[start + 1..].iter().take_while(|other| belongs(other));
        let body: Vec<_> = body.collect();
        let blank = body
            .iter()
            .rev()
            .take_while(|other| other.trim().is_empty())
            .count();
        let name = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        found.push(Function {
            name,
            line: start + 1,
            length: 1 + body.len() - blank,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
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

    fn function(lines: usize) -> String {
        format!(
            "//! A caption.\nfn long(x: [u8; 3]) {{\n{}}}\n",
            "    x;\n".repeat(lines - 2)
        )
    }

    #[test]
    fn a_function_that_is_too_long_is_found() {
        assert!(findings("a.rs", &function(FUNCTION)).is_empty());
        let found = findings("a.rs", &function(FUNCTION + 1));
        assert_eq!(found, ["2: `long` has 71 lines; a function has at most 70"]);
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_end_a_function() {
        let text =
            "fn a() {\n    let b = \"}\"; // }\n    '}';\n}\nfn c();\nimpl D {\n    fn e() {}\n}\n";
        let found = rust_functions(&Masked::new(text).code);
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.length))
            .collect();
        assert_eq!(found, [("a", 1, 4), ("e", 7, 1)]);
    }

    #[test]
    fn a_function_pointer_is_no_function() {
        assert!(rust_functions("type F = fn (u8) -> u8;\nstruct S { f: fn () }").is_empty());
    }

    #[test]
    fn a_python_function_ends_where_its_indent_does() {
        let text =
            "async def a(\n    b,\n) -> None:\n    if b:\n\n        c()\n\n\ndef d():\n    pass\n";
        let found = python_functions(text);
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.length))
            .collect();
        assert_eq!(found, [("a", 1, 6), ("d", 9, 2)]);
    }

    #[test]
    fn a_function_of_javascript_or_c_ends_under_its_head() {
        let text = "async function a(b) {\n  if (b) {\n  }\n}\nclass C {\n  d() {\n  }\n}\nint e(void) {\n}\n\
            it('f', () => {\n});\n";
        let found = indented_functions(text);
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.length))
            .collect();
        assert_eq!(
            found,
            [("a", 1, 4), ("d", 6, 2), ("e", 9, 2), ("it", 11, 2)]
        );
    }

    #[test]
    fn tests_do_not_count_up_to_the_hard_limit() {
        let code = "//! A caption.\n".to_owned() + &"\n".repeat(FILE - 1);
        assert!(findings("a.rs", &code).is_empty());
        let tests = format!(
            "{code}#[cfg(test)]\n{}",
            "\n".repeat(FILE_WITH_TESTS - FILE - 1)
        );
        assert!(findings("a.rs", &tests).is_empty());
        assert_eq!(findings("a.rs", &format!("{code}\n")).len(), 1);
        assert_eq!(findings("a.rs", &format!("{tests}\n")).len(), 1);
    }

    #[test]
    fn a_line_that_is_too_long_is_found() {
        assert_eq!(findings("a.py", &"é".repeat(LINE)).len(), 0);
        assert_eq!(findings("a.py", &"é".repeat(LINE + 1)).len(), 1);
        assert_eq!(findings("a.md", &"é".repeat(LINE + 1)).len(), 0);
        assert_eq!(
            findings("a.py", &format!("    4004 {}", "x".repeat(LINE))).len(),
            0
        );
    }
}
