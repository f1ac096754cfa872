//! The first line of every source file says what the file is for.

use super::Finding;
use crate::workspace::File;

pub(crate) fn check(file: &File, findings: &mut Vec<Finding>) {
    let (marks, wanted): (&[&str], _) = match file.extension() {
        "rs" => (&["//! "], "`//! What this file is for.`"),
        "py" | "pyi" => (&["\"\"\"", "# "], "a docstring or a `#` comment"),
        "js" | "mjs" | "cjs" | "ts" => (&["// ", "/* ", "/** "], "a comment"),
        "c" | "h" => (&["// ", "/* ", "/** "], "a comment"),
        "sh" => (&["# "], "a comment"),
        _ if file.path == ".ci/run" => (&["# "], "a comment"),
        _ => return,
    };
    let mut lines = file
        .text
        .lines()
        .enumerate()
        .skip_while(|(_, line)| line.starts_with("#!/"));
    let (index, first) = lines.next().unwrap_or_default();
    // A comment or docstring may open on a line of its own.
    let opens = ["/**", "/*", "\"\"\""].contains(&first)
        && marks.iter().any(|mark| mark.trim_end() == first);
    let second = lines
        .next()
        .map_or("", |(_, line)| line.trim_start_matches([' ', '*']));
    let is_captioned = (opens && !second.is_empty())
        || marks
            .iter()
            .any(|mark| first.len() > mark.len() && first.starts_with(mark));
    if !is_captioned {
        let message = format!("no caption: the first line must be {wanted}");
        findings.push(Finding::new(&file.path, index + 1, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_captioned(path: &str, text: &str) -> bool {
        let mut findings = Vec::new();
        check(
            &File {
                path: path.into(),
                text: text.into(),
            },
            &mut findings,
        );
        findings.is_empty()
    }

    #[test]
    fn a_file_without_a_caption_is_found() {
        assert!(is_captioned("a.rs", "//! What it is for.\nuse b;\n"));
        assert!(!is_captioned("a.rs", "use b;\n//! Too late.\n"));
        assert!(!is_captioned("a.rs", "//! \n"));
        assert!(!is_captioned("a.rs", ""));
        assert!(is_captioned(
            "a.py",
            "#!/usr/bin/env python3\n\"\"\"What it is for.\"\"\"\n"
        ));
        assert!(!is_captioned("a.py", "import os\n"));
        assert!(is_captioned("a.mjs", "// What it is for.\n"));
        assert!(is_captioned("a.mjs", "/**\n * What it is for.\n */\n"));
        assert!(!is_captioned("a.mjs", "/**\n *\n */\n"));
        assert!(!is_captioned("a.rs", "/**\n * Not Rust's way.\n */\n"));
        assert!(!is_captioned(".ci/run", "#!/usr/bin/env bash\nset -e\n"));
        assert!(is_captioned("a.md", "no caption needed"));
    }
}
