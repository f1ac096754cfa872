//! The states of a session, drawn from core's table of every move there is.

use std::fmt::Write;

use anyhow::Result;
use shardkeep_core::gateway::{EDGES, StateName};

use super::{Generated, NOTE};

/// The page of the guide: what each state means, and a diagram.
pub(crate) fn page() -> Result<Generated> {
    let mut page = format!("# States of a session\n\n{NOTE}\n\n");
    page.push_str("| Number | State | What the session is doing |\n|---:|---|---|\n");
    for state in StateName::ALL {
        writeln!(
            page,
            "| {} | `{state}` | {} |",
            state.number(),
            state.explain()
        )?;
    }
    page.push_str("\nEvery move there is. A session makes no other.\n\n");
    page.push_str("```mermaid\nstateDiagram-v2\n    [*] --> disconnected\n");
    for Move { from, to, labels } in moves() {
        writeln!(page, "    {from} --> {to}: {}", labels.join(" / "))?;
    }
    page.push_str("    closed --> [*]\n```\n");
    Ok(Generated {
        path: "docs/reference/states.md",
        contents: page,
    })
}

/// The same moves as text, for the documentation of core's module `gateway`.
pub(crate) fn module_docs() -> Result<Generated> {
    let mut text = format!("{NOTE}\n\nEvery move between states ([`EDGES`]):\n\n```text\n");
    for Move { from, to, labels } in moves() {
        let (from, to) = (from.as_str(), to.as_str());
        writeln!(text, "{from:<18} -> {to:<18} {}", labels.join(", "))?;
    }
    text.push_str("```\n");
    Ok(Generated {
        path: "core/src/gateway/states.md",
        contents: text,
    })
}

/// All edges between two states.
struct Move {
    from: StateName,
    to: StateName,
    labels: Vec<String>,
}

fn moves() -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    for edge in EDGES {
        let label = edge.on.to_string();
        match moves
            .iter_mut()
            .find(|known| known.from == edge.from && known.to == edge.to)
        {
            Some(known) => known.labels.push(label),
            None => moves.push(Move {
                from: edge.from,
                to: edge.to,
                labels: vec![label],
            }),
        }
    }
    moves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edge_is_drawn_once() {
        assert_eq!(
            moves().iter().map(|one| one.labels.len()).sum::<usize>(),
            EDGES.len()
        );
        let page = page().unwrap().contents;
        assert!(page.contains("    resuming --> ready: RESUMED"), "{page}");
    }
}
