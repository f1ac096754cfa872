//! A message's `reactions`: one object for each emoji, none for none.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::super::change::{Reaction, Step};
use super::{count, object};
use crate::wire::json::{self, Malformed};

pub(super) fn change(
    message: &[u8],
    reaction: &Reaction<'_>,
) -> Result<Option<Vec<u8>>, Malformed> {
    let [reactions] = json::present(message, ["reactions"])?;
    let mut list: Vec<Cow<'_, [u8]>> = reactions
        .into_iter()
        .flat_map(json::elements)
        .map(|element| element.map(Cow::Borrowed))
        .collect::<Result<_, _>>()?;
    let changed = match *reaction {
        Reaction::RemoveAll => {
            let had = !list.is_empty();
            list.clear();
            had
        }
        Reaction::RemoveEmoji { emoji } => match position(&list, emoji)? {
            Some(index) => {
                list.remove(index);
                true
            }
            None => false,
        },
        Reaction::Add {
            emoji,
            own,
            burst,
            colors,
        } => add(&mut list, emoji, own, burst, colors)?,
        Reaction::Remove { emoji, own, burst } => remove(&mut list, emoji, own, burst)?,
    };
    if !changed {
        return Ok(None);
    }
    // Discord leaves the member out where there are none.
    let array = object::array(list.iter().map(AsRef::as_ref));
    let value = (!list.is_empty()).then_some(&array[..]);
    object::with(message, "reactions", value).map(Some)
}

const fn flag(burst: bool) -> &'static str {
    if burst { "me_burst" } else { "me" }
}

const fn detail(burst: bool) -> &'static str {
    if burst { "burst" } else { "normal" }
}

fn add(
    list: &mut Vec<Cow<'_, [u8]>>,
    emoji: &[u8],
    own: bool,
    burst: bool,
    colors: &[u8],
) -> Result<bool, Malformed> {
    let Some(index) = position(list, emoji)? else {
        list.push(Cow::Owned(first(emoji, own, burst, colors)));
        return Ok(true);
    };
    let old = &list[index];
    if own && json::field(old, flag(burst)) == Some(b"true") {
        // The same dispatch again: the bot reacts once.
        return Ok(false);
    }
    let mut new = counted(old, burst, Step::Up)?;
    if own {
        new = object::with(&new, flag(burst), Some(b"true"))?;
    }
    list[index] = Cow::Owned(new);
    Ok(true)
}

fn remove(
    list: &mut Vec<Cow<'_, [u8]>>,
    emoji: &[u8],
    own: bool,
    burst: bool,
) -> Result<bool, Malformed> {
    let Some(index) = position(list, emoji)? else {
        return Ok(false);
    };
    let old = &list[index];
    if own && json::field(old, flag(burst)) == Some(b"false") {
        return Ok(false);
    }
    let mut new = counted(old, burst, Step::Down)?;
    if own {
        new = object::with(&new, flag(burst), Some(b"false"))?;
    }
    if json::field(&new, "count").and_then(json::unsigned) == Some(0) {
        list.remove(index);
    } else {
        list[index] = Cow::Owned(new);
    }
    Ok(true)
}

/// An emoji's entry with its counts one up or down.
fn counted(entry: &[u8], burst: bool, step: Step) -> Result<Vec<u8>, Malformed> {
    let new = match count::step(entry, "count", step)? {
        Some(new) => new,
        None => entry.to_vec(),
    };
    let [details] = json::present(&new, ["count_details"])?;
    match details.map(|details| count::step(details, detail(burst), step)) {
        Some(Ok(Some(details))) => object::with(&new, "count_details", Some(&details)),
        _ => Ok(new),
    }
}

/// The entry of an emoji that nobody had reacted with.
fn first(emoji: &[u8], own: bool, burst: bool, colors: &[u8]) -> Vec<u8> {
    let truth = |is: bool| if is { &b"true"[..] } else { b"false" };
    let details: &[u8] = if burst {
        br#"{"burst":1,"normal":0}"#
    } else {
        br#"{"burst":0,"normal":1}"#
    };
    let colors = if colors.is_empty() { b"[]" } else { colors };
    let parts = [
        &br#"{"emoji":"#[..],
        emoji,
        br#","count":1,"count_details":"#,
        details,
        br#","burst_colors":"#,
        colors,
        br#","me":"#,
        truth(own && !burst),
        br#","me_burst":"#,
        truth(own && burst),
        b"}",
    ];
    parts.concat()
}

/// Where the entry of an emoji is.
fn position(list: &[Cow<'_, [u8]>], emoji: &[u8]) -> Result<Option<usize>, Malformed> {
    let wanted = identity(emoji)?;
    for (index, entry) in list.iter().enumerate() {
        let [emoji] = json::present(entry, ["emoji"])?;
        if emoji.map(identity).transpose()?.flatten() == wanted {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// What tells an emoji from others.
#[derive(PartialEq, Eq)]
enum Identity<'a> {
    Custom(u64),
    Unicode(Cow<'a, str>),
}

fn identity(emoji: &[u8]) -> Result<Option<Identity<'_>>, Malformed> {
    let [id, name] = json::present(emoji, ["id", "name"])?;
    Ok(
        match (
            id.and_then(json::snowflake).filter(|id| id.0 != 0),
            name.and_then(json::string),
        ) {
            (Some(id), _) => Some(Identity::Custom(id.0)),
            (None, Some(name)) => Some(Identity::Unicode(name)),
            (None, None) => None,
        },
    )
}
