//! The index of a namespace: which ids may have values, so that listing them needs no search of the whole server.
//!
//! An id is noted before its value is written. So an id may stand there without a value, and heals; a value never
//! stands without its id.

use std::collections::HashSet;
use std::time::Duration;

use super::super::memory::millis;
use super::super::remote::removal;
use super::super::{RemoteStore as _, StoreError, VERSION_GRACE, Version};
use super::RedisStore;
use crate::redis::{Command, RedisError, Reply};

/// Ids that one script is given, and that one page of an index has, about.
pub(super) const PAGE: usize = 500;

/// Pages after which reading an index ends, whatever the server says.
const PAGES_MAX: usize = 1 << 20;

/// Ids of an index with their scores.
struct Page {
    ids: Vec<String>,
    scores: Vec<String>,
}

impl RedisStore {
    /// Notes ids that are about to be written.
    pub(super) async fn note(
        &self,
        namespace: &str,
        ids: &[&str],
        ttl: Option<Duration>,
    ) -> Result<(), RedisError> {
        let key = self.keys.index(namespace);
        let holds = ttl.map_or(0, millis).to_string();
        let grace = millis(VERSION_GRACE).to_string();
        for page in ids.chunks(PAGE) {
            let mut args: Vec<&[u8]> = vec![holds.as_bytes(), grace.as_bytes()];
            args.extend(page.iter().map(|id| id.as_bytes()));
            let keys = [key.as_bytes()];
            let noted = self.redis.run_script(&self.scripts.note, &keys, &args);
            noted.await?.into_int()?;
        }
        Ok(())
    }

    /// All values of a namespace.
    pub(super) async fn list(&self, namespace: &str) -> Result<Vec<String>, StoreError> {
        let mut seen = HashSet::new();
        let mut values = Vec::new();
        let mut cursor = String::from("0");
        for _ in 0..PAGES_MAX {
            let (next, page) = self.page(namespace, &cursor).await?;
            let found = self.look_up(namespace, &page).await?;
            for (id, value) in page.ids.into_iter().zip(found) {
                // While an index changes, the server may name an id twice.
                if let Some(value) = value
                    && seen.insert(id)
                {
                    values.push(value);
                }
            }
            if next == "0" {
                break;
            }
            cursor = next;
        }
        Ok(values)
    }

    /// Removes what is older than `before` from a namespace, page by page.
    pub(super) async fn clear_namespace(
        &self,
        namespace: &str,
        before: Version,
    ) -> Result<(), StoreError> {
        let mut cursor = String::from("0");
        for _ in 0..PAGES_MAX {
            let (next, page) = self.page(namespace, &cursor).await?;
            let gone = page
                .ids
                .into_iter()
                .map(|id| removal(namespace, id, before));
            for outcome in self.write(&gone.collect::<Vec<_>>()).await {
                outcome?;
            }
            if next == "0" {
                break;
            }
            cursor = next;
        }
        Ok(())
    }

    async fn page(&self, namespace: &str, cursor: &str) -> Result<(String, Page), StoreError> {
        let command = Command::new("ZSCAN")
            .key(self.keys.index(namespace))
            .arg(cursor)
            .arg("COUNT")
            .arg(PAGE.to_string())
            .repeatable();
        let reply = self.redis.run(&command).await;
        reply
            .and_then(read_page)
            .map_err(|error| self.failed(error))
    }

    /// The values of a page. What has none is doubted; what was doubted and has one is not any more.
    async fn look_up(
        &self,
        namespace: &str,
        page: &Page,
    ) -> Result<Vec<Option<String>>, StoreError> {
        let ids: Vec<&str> = page.ids.iter().map(String::as_str).collect();
        let values = self.values(namespace, &ids).await?;
        let mut missing: Vec<&[u8]> = Vec::new();
        let mut back = Vec::new();
        for ((id, score), value) in ids.iter().zip(&page.scores).zip(&values) {
            match value {
                None => missing.extend([id.as_bytes(), score.as_bytes()]),
                Some(_) if score.starts_with('-') => back.push(*id),
                Some(_) => {}
            }
        }
        // The answer does not depend on it: an index that could not be mended is mended by the next who reads it.
        if !missing.is_empty() {
            let _ = self.doubt(namespace, &missing).await;
        }
        if !back.is_empty() {
            let _ = self.note(namespace, &back, self.settings.ttl).await;
        }
        Ok(values)
    }

    async fn doubt(&self, namespace: &str, ids_and_scores: &[&[u8]]) -> Result<(), RedisError> {
        let key = self.keys.index(namespace);
        let grace = millis(VERSION_GRACE).to_string();
        for some in ids_and_scores.chunks(2 * PAGE) {
            let mut args: Vec<&[u8]> = vec![grace.as_bytes()];
            args.extend(some);
            let keys = [key.as_bytes()];
            let doubted = self.redis.run_script(&self.scripts.doubt, &keys, &args);
            doubted.await?.into_int()?;
        }
        Ok(())
    }
}

fn read_page(reply: Reply) -> Result<(String, Page), RedisError> {
    let wrong = |got| RedisError::WrongAnswer {
        wanted: "a page of an index",
        got,
    };
    let mut parts = reply.into_list()?.into_iter();
    let (Some(cursor), Some(entries)) = (parts.next(), parts.next()) else {
        return Err(wrong("less"));
    };
    let mut page = Page {
        ids: Vec::new(),
        scores: Vec::new(),
    };
    let mut entries = entries.into_list()?.into_iter();
    while let Some(id) = entries.next() {
        let score = entries
            .next()
            .ok_or_else(|| wrong("an id without a score"))?;
        page.ids.push(id.into_text()?);
        page.scores.push(score.into_text()?);
    }
    Ok((cursor.into_text()?, page))
}
