//! The counts in a message's poll.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::super::change::{Step, Vote};
use super::{count, object};
use crate::wire::json::{self, Malformed};

pub(super) fn change(message: &[u8], vote: &Vote) -> Result<Option<Vec<u8>>, Malformed> {
    let [poll] = json::present(message, ["poll"])?;
    let Some(poll) = poll else { return Ok(None) };
    let [results] = json::present(poll, ["results"])?;
    let Some(results) = results else {
        return Ok(None);
    };
    let [counts] = json::present(results, ["answer_counts"])?;
    let mut list: Vec<Cow<'_, [u8]>> = counts
        .into_iter()
        .flat_map(json::elements)
        .map(|element| element.map(Cow::Borrowed))
        .collect::<Result<_, _>>()?;
    if !tally(&mut list, vote)? {
        return Ok(None);
    }
    let array = object::array(list.iter().map(AsRef::as_ref));
    let results = object::with(results, "answer_counts", Some(&array))?;
    let poll = object::with(poll, "results", Some(&results))?;
    object::with(message, "poll", Some(&poll)).map(Some)
}

/// Counts the vote; `false` if nothing changes.
fn tally(list: &mut Vec<Cow<'_, [u8]>>, vote: &Vote) -> Result<bool, Malformed> {
    let given = vote.step == Step::Up;
    let is_meant =
        |entry: &[u8]| json::field(entry, "id").and_then(json::unsigned) == Some(vote.answer);
    let Some(index) = list.iter().position(|entry| is_meant(entry)) else {
        if given {
            list.push(Cow::Owned(first(vote)));
        }
        return Ok(given);
    };
    let old = &list[index];
    let voted: &[u8] = if given { b"true" } else { b"false" };
    if vote.own && json::field(old, "me_voted") == Some(voted) {
        // The same dispatch again: the bot votes once.
        return Ok(false);
    }
    let Some(mut new) = count::step(old, "count", vote.step)? else {
        return Ok(false);
    };
    if vote.own {
        new = object::with(&new, "me_voted", Some(voted))?;
    }
    list[index] = Cow::Owned(new);
    Ok(true)
}

/// The entry of an answer that nobody had chosen.
fn first(vote: &Vote) -> Vec<u8> {
    let mut entry = br#"{"id":"#.to_vec();
    json::write_unsigned(&mut entry, vote.answer);
    entry.extend_from_slice(br#","count":1,"me_voted":"#);
    entry.extend_from_slice(if vote.own { b"true}" } else { b"false}" });
    entry
}
