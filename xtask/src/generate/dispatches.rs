//! The reference of the cache: what each dispatch does to records, and the kinds of records that there are.

use std::fmt::Write;

use anyhow::Result;
use shardkeep_core::cache::Kind;
use shardkeep_core::cache::entity::{Effect, Row, TABLE};

use super::{Generated, NOTE};

/// The columns: an effect, and what its column is called.
const EFFECTS: &[(Effect, &str)] = &[
    (Effect::Replace, "Replaces"),
    (Effect::Merge, "Merges"),
    (Effect::Update, "Changes"),
    (Effect::Remove, "Deletes"),
    (Effect::Sweep, "Lists all"),
];

const INTRODUCTION: &str = "\
What each of Discord's dispatches does to the records of the cache. **Replaces**: the record is created, or replaced \
by what the dispatch has. **Merges**: it is created, or changed where the dispatch says something. **Changes**: it is \
changed if it is known. **Deletes**: it goes, and what is under it. **Lists all**: the list that the dispatch has is \
all there is, and the others go. Where a user stands in several columns, the bot's own is merged and others are \
replaced, or it depends on whether a member comes or goes. What cannot be read is passed over and counted.\n\n";

pub(crate) fn page() -> Result<Generated> {
    let mut page = format!("# What dispatches change\n\n{NOTE}\n\n{INTRODUCTION}");
    page.push_str("| Event |");
    for (_, heading) in EFFECTS {
        write!(page, " {heading} |")?;
    }
    page.push_str(" Note |\n|---|");
    page.push_str(&"---|".repeat(EFFECTS.len() + 1));
    page.push('\n');
    for row in TABLE {
        write!(page, "| `{}` |", row.event.name())?;
        for (effect, _) in EFFECTS {
            write!(page, " {} |", kinds(row, *effect))?;
        }
        writeln!(page, " {} |", row.note)?;
    }
    page.push_str(
        "\n## Kinds of records\n\nA key is a kind and its ids: `user:7`, or `member:1:7` where ids are unique within \
         something, which comes first.\n\n| Number | Kind | Key | What it is |\n|---:|---|---|---|\n",
    );
    for kind in Kind::ALL {
        let (scope, id) = (kind.scope(), kind.id());
        let key = if scope.is_empty() {
            format!("{kind}:*{id}*")
        } else {
            format!("{kind}:*{scope}*:*{id}*")
        };
        writeln!(
            page,
            "| {} | `{kind}` | {key} | {} |",
            kind.number(),
            kind.explain()
        )?;
    }
    Ok(Generated {
        path: "docs/reference/dispatches.md",
        contents: page,
    })
}

/// The kinds that a dispatch does this to.
fn kinds(row: &Row, effect: Effect) -> String {
    let touched = row.touches.iter().filter(|touch| touch.1 == effect);
    let names: Vec<String> = touched.map(|(kind, _)| format!("`{kind}`")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dispatch_has_a_row_and_every_effect_a_column() {
        let page = page().unwrap().contents;
        let rows = page.lines().filter(|line| line.starts_with("| `"));
        assert_eq!(rows.count(), TABLE.len());
        let row = "| `GUILD_ROLE_CREATE` | `role` |  |  |  |  |  |";
        assert!(page.contains(row), "{page}");
        let row = "| `GUILD_EMOJIS_UPDATE` | `emoji` |  |  |  | `emoji` |  |";
        assert!(page.contains(row), "{page}");
        for (_, effect) in TABLE.iter().flat_map(|row| row.touches) {
            assert!(EFFECTS.iter().any(|(listed, _)| listed == effect));
        }
    }
}
