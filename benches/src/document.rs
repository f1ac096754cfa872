//! Where figures go: tables between two marks in a document, so that every figure in it was printed by a command.

use std::io;
use std::path::{Path, PathBuf};

/// The project's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// Puts `text` between `<!-- name -->` and `<!-- /name -->` in `docs/benchmarks.md`.
///
/// # Errors
///
/// If the document or the marks are missing.
pub fn put(name: &str, text: &str) -> io::Result<()> {
    let path = root().join("docs/benchmarks.md");
    let document = std::fs::read_to_string(&path)?;
    let replaced = replace(&document, name, text)
        .ok_or_else(|| io::Error::other(format!("docs/benchmarks.md has no <!-- {name} -->")))?;
    std::fs::write(path, replaced)
}

/// Writes a picture to `docs/img`.
///
/// # Errors
///
/// If the folder cannot be written.
pub fn picture(name: &str, svg: &str) -> io::Result<()> {
    let folder = root().join("docs/img");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), svg)
}

fn replace(document: &str, name: &str, text: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = document.find(&open)? + open.len();
    let end = start + document[start..].find(&close)?;
    Some(format!(
        "{}\n{}\n\n{}",
        &document[..start],
        text.trim(),
        &document[end..]
    ))
}

/// Rows as a table of Markdown, the first of them its head.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> String {
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| format!("| {} |", row.join(" | ")))
        .collect();
    if let Some(head) = rows.first() {
        let rule: Vec<&str> = (0..head.len())
            .map(|column| if column == 0 { "---" } else { "---:" })
            .collect();
        lines.insert(1, format!("| {} |", rule.join(" | ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_changes() {
        let before = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        let after = replace(before, "x", "new").unwrap();
        assert_eq!(after, "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n");
        assert_eq!(replace(before, "y", "new"), None);
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = [
            vec!["who".to_owned(), "us".to_owned()],
            vec!["we".to_owned(), "1".to_owned()],
        ];
        assert_eq!(table(&rows), "| who | us |\n| --- | ---: |\n| we | 1 |");
    }
}
