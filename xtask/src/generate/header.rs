//! The C header: what `ffi/` exports, as cbindgen reads it, and the numbers of core's tables.

use std::fmt::Write;

use anyhow::{Context, Result};
use shardkeep_core::record::{
    CACHE_INPUTS, CACHE_OUTPUTS, CACHE_TIMEOUTS, FLEET_INPUTS, FLEET_OUTPUTS, FLEET_TIMEOUTS,
    REST_INPUTS, REST_OUTPUTS, REST_TIMEOUTS, Row, SESSION_INPUTS, SESSION_OUTPUTS,
    SESSION_TIMEOUTS, STATUSES,
};
use shardkeep_core::wire::EventKind;

use super::Generated;
use crate::workspace;

const PATH: &str = "include/shardkeep.h";

/// What a C programmer reads first.
const HEAD: &str = r"/*
 * Shardkeep for C. Written by `cargo xtask gen` from ffi/ and core's tables; edit those.
 *
 * The rules, for every function:
 *
 * - A handle is made by `_new` and freed once by `_free`. It may move between threads; a call while another
 *   thread is inside one with the same handle returns SHARDKEEP_BUSY and does nothing.
 * - A call returns a status. Outputs come last and are written only on SHARDKEEP_OK. NULL where something must be
 *   is SHARDKEEP_NULL_POINTER. `_error` tells more about the last call with a handle that failed.
 * - Text is UTF-8, a pointer and a length, without a zero at its end. NULL with length 0 is empty. What is passed
 *   in is read during the call only. What is handed out is a view: each function says how long it lives, and no
 *   view is freed. Calls that take a handle as `const` leave views alone.
 * - Nothing calls back. No function blocks but where it says so.
 * - A fault of the library's own returns SHARDKEEP_PANICKED; its handle then answers SHARDKEEP_POISONED until freed.
 */";

/// The tables of records, by what their names begin with.
const TABLES: &[(&str, &[Row])] = &[
    ("SESSION_INPUT", SESSION_INPUTS),
    ("SESSION_OUTPUT", SESSION_OUTPUTS),
    ("SESSION_TIMEOUT", SESSION_TIMEOUTS),
    ("SCHEDULER_INPUT", REST_INPUTS),
    ("SCHEDULER_OUTPUT", REST_OUTPUTS),
    ("SCHEDULER_TIMEOUT", REST_TIMEOUTS),
    ("CACHE_INPUT", CACHE_INPUTS),
    ("CACHE_OUTPUT", CACHE_OUTPUTS),
    ("CACHE_TIMEOUT", CACHE_TIMEOUTS),
    ("FLEET_INPUT", FLEET_INPUTS),
    ("FLEET_OUTPUT", FLEET_OUTPUTS),
    ("FLEET_TIMEOUT", FLEET_TIMEOUTS),
];

pub(crate) fn header() -> Result<Generated> {
    let root = workspace::root()?;
    let mut config = cbindgen::Config::from_file(root.join("ffi/cbindgen.toml"))
        .map_err(|error| anyhow::anyhow!("ffi/cbindgen.toml: {error}"))?;
    config.header = Some(String::from(HEAD));
    config.after_includes = Some(numbers()?);
    let bindings = cbindgen::Builder::new()
        .with_crate(root.join("ffi"))
        .with_config(config)
        .generate()
        .context("ffi/ cannot be read as C")?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    Ok(Generated {
        path: PATH,
        contents: for_c(&String::from_utf8(text)?),
    })
}

/// Leaves out what only Rust needs: the headings over what a caller must see to, which the rules at the top say.
fn for_c(text: &str) -> String {
    let mut out = String::new();
    let mut is_safety = false;
    for line in text.lines() {
        let inner = line.trim_start().trim_start_matches('*').trim();
        if inner == "# Safety" {
            // The empty line before it goes as well.
            let kept = out.trim_end().trim_end_matches('*').trim_end().len();
            out.truncate(kept);
            out.push('\n');
            is_safety = true;
        }
        if line.trim() == "*/" {
            is_safety = false;
        }
        if !is_safety {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

fn numbers() -> Result<String> {
    let mut out = String::new();
    section(&mut out, "What calls return.")?;
    for status in STATUSES {
        let name = status.name().to_uppercase();
        define(&mut out, status.explain(), &name, status.number())?;
    }
    for (prefix, rows) in TABLES {
        let (machine, what) = prefix.split_once('_').unwrap_or((prefix, ""));
        let (machine, what) = (machine.to_lowercase(), what.to_lowercase());
        section(&mut out, &format!("The {what}s of the {machine}."))?;
        for row in *rows {
            let columns: Vec<String> = row
                .columns
                .iter()
                .map(|(column, meaning)| format!("{column}: {meaning}"))
                .collect();
            let doc = match columns.is_empty() {
                true => String::from(row.doc),
                false => format!("{} {}.", row.doc, columns.join("; ")),
            };
            let name = format!("{prefix}_{}", row.name.to_uppercase());
            define(&mut out, &doc, &name, row.kind)?;
        }
    }
    section(
        &mut out,
        "Dispatches, as records and envelopes number them.",
    )?;
    for kind in EventKind::ALL {
        let name = format!("EVENT_{}", kind.name());
        define(&mut out, "", &name, u32::from(kind.number()))?;
    }
    Ok(out)
}

fn section(out: &mut String, about: &str) -> Result<()> {
    writeln!(out, "\n/* {about} */\n")?;
    Ok(())
}

fn define(out: &mut String, doc: &str, name: &str, number: u32) -> Result<()> {
    if !doc.is_empty() {
        writeln!(out, "{}", comment(doc))?;
    }
    writeln!(out, "#define SHARDKEEP_{name} {number}u")?;
    Ok(())
}

/// A comment in lines of readable length.
fn comment(text: &str) -> String {
    let mut out = String::from("/**");
    let mut width = out.len();
    for word in text.split(' ') {
        if width + word.len() > 108 {
            out.push_str("\n   ");
            width = 3;
        }
        out.push(' ');
        out.push_str(word);
        width += 1 + word.len();
    }
    out.push_str(" */");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_rust_needs_is_left_out() {
        let text = "/**\n * Frees it.\n *\n * # Safety\n *\n * `x` lives.\n */\nvoid f(void);\n";
        assert_eq!(for_c(text), "/**\n * Frees it.\n */\nvoid f(void);\n");
    }

    #[test]
    fn every_status_and_kind_has_a_number() {
        let text = header().unwrap().contents;
        assert!(text.contains("#define SHARDKEEP_OK 0u\n"), "{text}");
        assert!(text.contains("#define SHARDKEEP_SESSION_INPUT_CONNECTED 1u\n"));
        assert!(text.contains("#define SHARDKEEP_EVENT_MESSAGE_CREATE "));
        assert!(text.contains("shardkeep_session_poll_output("));
        assert!(!text.contains("# Safety"));
    }
}
