//! Rust source with comments and literals blanked out, so that a scanner sees code and nothing else.

/// What of a source is code, and which of it is tests.
pub(crate) struct Masked {
    /// As long as the source, line for line; comments and the insides of literals are spaces.
    pub(crate) code: String,
    /// The same with everything under `#[cfg(test)]` blanked too.
    pub(crate) without_tests: String,
    /// How many lines stand under `#[cfg(test)]`.
    pub(crate) test_lines: usize,
}

impl Masked {
    pub(crate) fn new(source: &str) -> Self {
        let mut scan = Scan {
            source: source.as_bytes(),
            at: 0,
            code: Vec::new(),
        };
        while scan.at < scan.source.len() {
            scan.step();
        }
        // What is kept is ASCII, so the bytes are a text.
        let code = String::from_utf8_lossy(&scan.code).into_owned();
        let (without_tests, test_lines) = blank_tests(&code);
        Self {
            code,
            without_tests,
            test_lines,
        }
    }
}

/// The lines of a text, numbered from 1.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// The number of the line that holds the byte `at`.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + count_lines(&text[..at])
}

/// How many lines end in `text`.
pub(crate) fn count_lines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

/// Where an item that starts at `at` ends: with its closing brace, or with a semicolon if it has no body.
pub(crate) fn item_end(code: &str, at: usize) -> Option<ItemEnd> {
    // Parentheses and brackets: a semicolon inside them belongs to an array's type.
    let mut nested = 0_i32;
    let mut braces = 0_i32;
    for (offset, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested -= 1,
            b';' if braces == 0 && nested == 0 => return Some(ItemEnd::Semicolon(offset)),
            b'{' => braces += 1,
            b'}' if braces == 1 => return Some(ItemEnd::Brace(offset)),
            b'}' => braces -= 1,
            _ => {}
        }
    }
    None
}

/// How an item ends, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemEnd {
    Semicolon(usize),
    Brace(usize),
}

/// Blanks every item under `#[cfg(test)]` and counts its lines.
fn blank_tests(code: &str) -> (String, usize) {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut lines = 0;
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let end = match item_end(code, start + MARK.len()) {
            Some(ItemEnd::Semicolon(end) | ItemEnd::Brace(end)) => end + 1,
            None => code.len(),
        };
        kept.push_str(&code[from..start]);
        kept.extend(
            code[start..end]
                .chars()
                .map(|c| if c == '\n' { c } else { ' ' }),
        );
        lines += 1 + count_lines(&code[start..end]);
        from = end;
    }
    kept.push_str(&code[from..]);
    (kept, lines)
}

/// The whole words of a line of code: names, keywords and numbers, each with where it ends.
pub(crate) fn words(line: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut from = 0;
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter_map(move |word| {
            let end = from + word.len();
            // What separates two words is one character, and what is not ASCII has been blanked.
            from = end + 1;
            (!word.is_empty()).then_some((word, end))
        })
}

struct Scan<'a> {
    source: &'a [u8],
    at: usize,
    code: Vec<u8>,
}

impl Scan<'_> {
    fn step(&mut self) {
        let rest = &self.source[self.at..];
        match rest {
            [b'/', b'/', ..] => self.blank(line_comment(rest)),
            [b'/', b'*', ..] => self.blank(block_comment(rest)),
            [b'"', ..] => self.blank_inside(1, quoted(rest, 1), 1),
            [b'\'', ..] => match char_literal(rest) {
                Some(length) => self.blank_inside(1, length, 1),
                None => self.keep(1),
            },
            [byte, ..] if is_word(*byte) => self.word(),
            _ => self.keep(1),
        }
    }

    /// A name, or the prefix of a literal: `r"`, `b"`, `c"`, `br#"`, `b'`.
    fn word(&mut self) {
        let rest = &self.source[self.at..];
        let length = rest.iter().take_while(|&&byte| is_word(byte)).count();
        let after = &rest[length..];
        let hashes = after.iter().take_while(|&&byte| byte == b'#').count();
        let is_raw = matches!(&rest[..length], b"r" | b"br" | b"cr");
        self.keep(length);
        if is_raw && after.get(hashes) == Some(&b'"') {
            self.blank_inside(hashes + 1, raw(after, hashes), hashes + 1);
        }
    }

    fn keep(&mut self, count: usize) {
        for &byte in &self.source[self.at..self.at + count] {
            self.code.push(if byte.is_ascii() { byte } else { b' ' });
        }
        self.at += count;
    }

    fn blank(&mut self, count: usize) {
        for &byte in &self.source[self.at..self.at + count] {
            self.code.push(if byte == b'\n' { b'\n' } else { b' ' });
        }
        self.at += count;
    }

    /// Keeps the delimiters of a literal that is `length` bytes long.
    fn blank_inside(&mut self, open: usize, length: usize, close: usize) {
        self.keep(open);
        self.blank(length.saturating_sub(open + close));
        self.keep(close.min(self.source.len() - self.at));
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn line_comment(rest: &[u8]) -> usize {
    rest.iter().take_while(|&&byte| byte != b'\n').count()
}

/// Block comments nest.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a literal whose inside starts at `from`, up to and with the closing `"`.
fn quoted(rest: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a raw literal, from its first `#` or quote.
fn raw(rest: &[u8], hashes: usize) -> usize {
    let mut at = hashes + 1;
    while at < rest.len() {
        let tail = &rest[at..];
        if tail[0] == b'"' && tail.len() > hashes && tail[1..=hashes].iter().all(|&b| b == b'#') {
            return at + 1 + hashes;
        }
        at += 1;
    }
    rest.len()
}

/// The length of a character literal; `None` for a lifetime.
fn char_literal(rest: &[u8]) -> Option<usize> {
    match rest {
        [_, b'\\', _, ..] => rest[3..]
            .iter()
            .position(|&byte| byte == b'\'')
            .map(|length| length + 4),
        [_, first, ..] => {
            let width = match *first {
                ..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0.. => 4,
            };
            (rest.get(1 + width) == Some(&b'\'')).then_some(2 + width)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        let code = Masked::new(source).code;
        assert_eq!(code.lines().count(), source.lines().count());
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        assert_eq!(code("let a = 1; // unsafe {"), "let a = 1;");
        assert_eq!(code("a /* b /* c */ d */ e"), "a e");
        assert_eq!(code(r#"f("}\"{", b"{")"#), r#"f(" ", b" ")"#);
        assert_eq!(code("r#\"a \" }\"# + 1"), "r#\" \"# + 1");
        assert_eq!(code("('{', '\\'', '\\u{7d}', 'é')"), "(' ', ' ', ' ', ' ')");
    }

    #[test]
    fn lifetimes_are_not_literals() {
        assert_eq!(
            code("fn f<'a>(x: &'a str) -> &'a str {}"),
            "fn f<'a>(x: &'a str) -> &'a str {}"
        );
    }

    #[test]
    fn what_is_never_closed_ends_with_the_file() {
        assert_eq!(code("a /* b"), "a");
        assert_eq!(code("a \"bc"), "a \" c");
        assert_eq!(code("a r#\"bcd"), "a r#\" cd");
    }

    #[test]
    fn tests_are_left_out() {
        let source =
            "a;\n\"#[cfg(test)]\";\n#[cfg(test)]\nmod c;\nd;\n#[cfg(test)]\nmod e {\n}\nf;\n";
        let masked = Masked::new(source);
        let kept: Vec<_> = masked.without_tests.split_whitespace().collect();
        assert_eq!(kept, ["a;", "\"", "\";", "d;", "f;"]);
        assert_eq!(masked.test_lines, 5);
        assert_eq!(count_lines(&masked.without_tests), count_lines(source));
    }

    #[test]
    fn words_are_whole() {
        let found: Vec<_> = words("use crate::fleet_of;").collect();
        assert_eq!(found, [("use", 3), ("crate", 9), ("fleet_of", 19)]);
    }
}
