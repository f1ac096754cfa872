//! The reference of records: the flat form of inputs and outputs that every language shares.

use std::fmt::Write;

use anyhow::Result;
use shardkeep_core::record::{
    CACHE_INPUTS, CACHE_OUTPUTS, CACHE_TIMEOUTS, FLEET_INPUTS, FLEET_OUTPUTS, FLEET_TIMEOUTS,
    REST_INPUTS, REST_OUTPUTS, REST_TIMEOUTS, Row, SESSION_INPUTS, SESSION_OUTPUTS,
    SESSION_TIMEOUTS, STATUSES,
};

use super::{Generated, NOTE};

/// Every table, with its heading.
const TABLES: &[(&str, &[Row])] = &[
    ("Inputs of a session", SESSION_INPUTS),
    ("Outputs of a session", SESSION_OUTPUTS),
    ("Why a session waits", SESSION_TIMEOUTS),
    ("Inputs of the fleet", FLEET_INPUTS),
    ("Outputs of the fleet", FLEET_OUTPUTS),
    ("Why the fleet waits", FLEET_TIMEOUTS),
    ("Inputs of the scheduler", REST_INPUTS),
    ("Outputs of the scheduler", REST_OUTPUTS),
    ("Why the scheduler waits", REST_TIMEOUTS),
    ("Inputs of the cache", CACHE_INPUTS),
    ("Outputs of the cache", CACHE_OUTPUTS),
    ("Why the cache waits", CACHE_TIMEOUTS),
];

pub(crate) fn page() -> Result<Generated> {
    let mut page = format!("# Records\n\n{NOTE}\n\n");
    page.push_str(
        "Every input and output has a flat form with six columns, the same in every language: `kind`, `code`, `id`, \
         `value`, `text` and `data`. A column that is not named is 0 or empty. Times are in microseconds; `value` \
         stays below 2^53, `id` takes all 64 bits; a shard in `id` is its total times 2^32 plus its \
         index. Numbers are stable and never reused.\n",
    );
    for (heading, rows) in TABLES {
        write!(
            page,
            "\n## {heading}\n\n| Kind | Name | What it says | Columns |\n|---:|---|---|---|\n"
        )?;
        for Row {
            kind,
            name,
            doc,
            columns,
        } in *rows
        {
            let columns: Vec<String> = columns
                .iter()
                .map(|(column, meaning)| format!("`{column}`: {meaning}"))
                .collect();
            writeln!(
                page,
                "| {kind} | `{name}` | {doc} | {} |",
                columns.join("; ")
            )?;
        }
    }
    page.push_str(
        "\n## Statuses\n\nWhat a call returns. From 100 on the caller broke a rule, from 200 on a value cannot be \
         used; nothing was changed then.\n\n| Number | Name | Meaning |\n|---:|---|---|\n",
    );
    for status in STATUSES {
        writeln!(
            page,
            "| {} | `{}` | {} |",
            status.number(),
            status.name(),
            status.explain()
        )?;
    }
    Ok(Generated {
        path: "docs/reference/records.md",
        contents: page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_with_its_columns() {
        let page = page().unwrap().contents;
        assert!(page.contains("| 1 | `connect` |"), "{page}");
        assert!(page.contains("`text`: the URL"), "{page}");
        assert!(page.contains("| 0 | `ok` | success |"), "{page}");
    }
}
