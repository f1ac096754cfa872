//! Reference pages from core's tables: close codes, events, intents, opcodes.

use std::fmt::Write;

use anyhow::Result;
use shardkeep_core::wire::{AfterClose, CloseCode, EventKind, Intents, Opcode};

use super::{Generated, NOTE};

pub(crate) fn close_codes() -> Result<Generated> {
    let mut page = format!("# Close codes\n\n{NOTE}\n\n");
    page.push_str("What a session does after the gateway closed its connection, by the code of the close frame. ");
    page.push_str("A code that is not listed leaves the session resumable.\n\n");
    page.push_str("| Code | Name | Next | What it means |\n|---:|---|---|---|\n");
    for code in CloseCode::ALL {
        let name = code.name().unwrap_or_default();
        let next = match code.after() {
            AfterClose::Resume => "resume",
            AfterClose::Identify => "identify",
            AfterClose::Stop => "stop",
            _ => "see the API documentation",
        };
        writeln!(
            page,
            "| {} | `{name}` | {next} | {} |",
            code.0,
            code.explain()
        )?;
    }
    Ok(Generated {
        path: "docs/reference/close-codes.md",
        contents: page,
    })
}

pub(crate) fn events() -> Result<Generated> {
    let mut page = format!("# Events\n\n{NOTE}\n\n");
    page.push_str("The dispatches that have a number of their own, and the intents of which one lets each through. ");
    page.push_str("Other names are passed on with their text.\n\n");
    page.push_str("| Number | Event | Intents |\n|---:|---|---|\n");
    for &kind in EventKind::ALL {
        writeln!(
            page,
            "| {} | `{}` | {} |",
            kind as u8,
            kind.name(),
            names(kind.intents())
        )?;
    }
    Ok(Generated {
        path: "docs/reference/events.md",
        contents: page,
    })
}

pub(crate) fn intents() -> Result<Generated> {
    let mut page = format!("# Intents\n\n{NOTE}\n\n");
    page.push_str("Names are read in any case; `all` and `non_privileged` are read too. ");
    page.push_str("A privileged intent must be enabled in the developer portal, under Bot.\n\n");
    page.push_str("| Bit | Name | Privileged | Events |\n|---:|---|---|---|\n");
    for &(name, intent) in Intents::NAMED {
        let privileged = if Intents::PRIVILEGED.intersects(intent) {
            "yes"
        } else {
            ""
        };
        let events: Vec<String> = EventKind::ALL
            .iter()
            .filter(|kind| kind.intents().intersects(intent))
            .map(|kind| format!("`{}`", kind.name()))
            .collect();
        let bit = intent.bits().trailing_zeros();
        writeln!(
            page,
            "| {bit} | `{name}` | {privileged} | {} |",
            events.join(", ")
        )?;
    }
    Ok(Generated {
        path: "docs/reference/intents.md",
        contents: page,
    })
}

pub(crate) fn opcodes() -> Result<Generated> {
    let mut page = format!("# Gateway opcodes\n\n{NOTE}\n\n");
    page.push_str("The opcodes that bots send or receive. Others are counted and passed by.\n\n");
    page.push_str("| Opcode | Name |\n|---:|---|\n");
    for &opcode in Opcode::ALL {
        writeln!(page, "| {} | `{opcode:?}` |", opcode.number())?;
    }
    Ok(Generated {
        path: "docs/reference/opcodes.md",
        contents: page,
    })
}

fn names(intents: Intents) -> String {
    let named: Vec<String> = Intents::NAMED
        .iter()
        .filter(|(_, intent)| intents.intersects(*intent))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if named.is_empty() {
        String::from("none needed")
    } else {
        named.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_the_rows_that_users_look_up() {
        let codes = close_codes().unwrap().contents;
        assert!(
            codes.contains("| 4014 | `DISALLOWED_INTENTS` | stop |"),
            "{codes}"
        );
        let events = events().unwrap().contents;
        assert!(events.contains("| `READY` | none needed |"), "{events}");
        let intents = intents().unwrap().contents;
        assert!(intents.contains("`MESSAGE_CREATE`"), "{intents}");
        assert!(opcodes().unwrap().contents.contains("| 10 | `Hello` |"));
    }
}
