//! Finds the template of a path, segment by segment. The tree is built by the compiler, out of the table.

use super::segments::{Segment, is_digits};
use super::table::{TABLE, is_same};

/// No node, no template.
const NONE: u16 = u16::MAX;

/// Placeholders that take any text. All others take decimal digits only.
const TEXTS: &[&str] = &[
    "{code}",
    "{emoji_name}",
    "{instance_id}",
    "{interaction_token}",
    "{webhook_token}",
];

/// What may follow one beginning of a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The segment that leads here: a literal, or a placeholder with its braces.
    text: &'static [u8],
    /// The text's first eight bytes.
    key: u64,
    /// The children that are literals.
    first: u16,
    end: u16,
    /// The child that is a placeholder.
    placeholder: u16,
    /// Whether this node is a placeholder that takes any text.
    takes_text: bool,
    /// The row that ends here.
    template: u16,
}

static NODES: [Node; count()] = build();

/// Where every path starts.
pub(super) static ROOT: &Node = &NODES[0];

impl Node {
    const fn new(text: &'static [u8]) -> Self {
        let mut takes_text = false;
        let mut at = 0;
        while at < TEXTS.len() {
            takes_text |= is_same(text, TEXTS[at].as_bytes());
            at += 1;
        }
        Self {
            text,
            key: key(text),
            first: NONE,
            end: NONE,
            placeholder: NONE,
            takes_text,
            template: NONE,
        }
    }

    /// Where `segment` leads. No segment fits both a literal and the placeholder beside it, so there is one way at
    /// most: a placeholder that takes any text has no literals beside it, and the others take no letters.
    #[inline]
    pub(super) fn step(&self, segment: &Segment<'_>) -> Option<&'static Self> {
        let text = segment.text();
        let placeholder = NODES.get(usize::from(self.placeholder));
        if let Some(node) = placeholder
            && (node.takes_text || is_id(segment))
        {
            return placeholder;
        }
        let key = key(text);
        NODES[usize::from(self.first)..usize::from(self.end)]
            .iter()
            .find(|node| node.key == key && node.text == text)
    }

    /// The position in the table of the template that ends here.
    pub(super) const fn template(&self) -> Option<u16> {
        if self.template == NONE {
            None
        } else {
            Some(self.template)
        }
    }
}

/// Whether the segment is digits that fit into an id.
#[inline]
fn is_id(segment: &Segment<'_>) -> bool {
    let text = segment.text();
    is_digits(text) && (text.len() < 20 || segment.number().is_some())
}

/// The first eight bytes, or fewer: one comparison rules most literals out.
#[inline]
const fn key(text: &[u8]) -> u64 {
    if let Some(eight) = text.first_chunk::<8>() {
        return u64::from_le_bytes(*eight);
    }
    let mut key = 0;
    let mut at = text.len();
    while at > 0 {
        at -= 1;
        key = key << 8 | text[at] as u64;
    }
    key
}

/// The segment of `text` that starts after `start` bytes and a slash.
const fn segment_after(text: &'static str, start: usize) -> &'static [u8] {
    let bytes = text.as_bytes();
    assert!(bytes[start] == b'/', "a template's segments follow a slash");
    let (_, rest) = bytes.split_at(start + 1);
    let mut len = 0;
    while len < rest.len() && rest[len] != b'/' {
        len += 1;
    }
    rest.split_at(len).0
}

/// How many nodes the table makes: one for every segment that the row before does not share, and the root.
const fn count() -> usize {
    let mut nodes = 1;
    let mut row = 0;
    while row < TABLE.len() {
        let text = TABLE[row].0;
        let mut shared = row > 0;
        let mut at = 0;
        while at < text.len() {
            let segment = segment_after(text, at);
            shared = shared
                && at < TABLE[row - 1].0.len()
                && is_same(segment, segment_after(TABLE[row - 1].0, at));
            if !shared {
                nodes += 1;
            }
            at += 1 + segment.len();
        }
        row += 1;
    }
    nodes
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the assertion rules it out when compiling"
)]
const fn narrow(index: usize) -> u16 {
    assert!(index < NONE as usize, "the table is too long");
    index as u16
}

/// Nodes in the order of their depth, so that siblings stand together.
const fn build() -> [Node; count()] {
    let mut nodes = [Node::new(b""); count()];
    // Of each node: its first row, the row after its last, and the length of their common beginning.
    let mut spans = [(0, 0, 0); count()];
    spans[0] = (0, TABLE.len(), 0);
    let mut made = 1;
    let mut at = 0;
    while at < made {
        let (mut row, end, start) = spans[at];
        if TABLE[row].0.len() == start {
            nodes[at].template = narrow(row);
            row += 1;
        }
        nodes[at].first = narrow(made);
        nodes[at].end = narrow(made);
        while row < end {
            let text = segment_after(TABLE[row].0, start);
            let mut last = row + 1;
            while last < end && is_same(text, segment_after(TABLE[last].0, start)) {
                last += 1;
            }
            nodes[made] = Node::new(text);
            spans[made] = (row, last, start + 1 + text.len());
            if text[0] == b'{' {
                assert!(last == end, "one placeholder, after its siblings");
                let alone = nodes[at].first == nodes[at].end;
                assert!(alone || !nodes[made].takes_text, "any text: ambiguous");
                nodes[at].placeholder = narrow(made);
            } else {
                let previous = nodes[made - 1].text;
                let is_first = nodes[at].first as usize == made;
                assert!(is_first || is_before(previous, text), "rows out of order");
                nodes[at].end = narrow(made + 1);
            }
            made += 1;
            row = last;
        }
        at += 1;
    }
    nodes
}

/// Whether `one` sorts before `other`, byte by byte.
const fn is_before(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() {
        if one[at] != other[at] {
            return one[at] < other[at];
        }
        at += 1;
    }
    one.len() < other.len()
}
