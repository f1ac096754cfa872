//! The vectors as flat text, which a C program reads without a JSON library: a line per call and expectation, and texts
//! and bytes with their lengths before them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use shardkeep_core::cache::Cache;
use shardkeep_core::fleet::Fleet;
use shardkeep_core::gateway::Session;
use shardkeep_core::record::{Flat, Row, STATUSES, row_named};
use shardkeep_core::rest::Scheduler;

/// A kind that no machine has.
const NO_KIND: u32 = 99;

/// Writes every vector to `to`, and says how many there are.
pub(crate) fn write(to: &Path) -> Result<usize> {
    let mut out = Out::default();
    let mut folders: Vec<_> = fs::read_dir("vectors")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    for folder in folders {
        let mut files: Vec<_> = fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        files.sort();
        for path in files {
            let text = fs::read_to_string(&path)?;
            let file = serde_json::from_str(&text);
            let file: Value = file.with_context(|| path.display().to_string())?;
            out.file(&file)
                .with_context(|| path.display().to_string())?;
        }
    }
    fs::write(to, &out.bytes).with_context(|| to.display().to_string())?;
    Ok(out.count)
}

#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    count: usize,
}

impl Out {
    fn line(&mut self, line: &str) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
    }

    fn blob(&mut self, blob: impl AsRef<[u8]>) {
        let blob = blob.as_ref();
        self.bytes
            .extend_from_slice(format!("{} ", blob.len()).as_bytes());
        self.bytes.extend_from_slice(blob);
        self.bytes.push(b'\n');
    }

    fn file(&mut self, file: &Value) -> Result<()> {
        let machine = text(&file["machine"])?;
        if machine == "capsule" {
            // What the runtime stores is not C's to open: core's own tests replay these.
            return Ok(());
        }
        let vectors = file["vectors"].as_array().context("no vectors")?;
        for vector in vectors {
            let name = text(&vector["name"])?;
            self.line(&format!("vector {machine}"));
            self.blob(name);
            let done = match machine {
                Session::NAME => self.machine::<Session>(vector),
                Fleet::NAME => self.machine::<Fleet>(vector),
                Scheduler::NAME => self.machine::<Scheduler>(vector),
                Cache::NAME => self.machine::<Cache>(vector),
                "plan" => self.plan(vector),
                "cutover" => self.cutover(vector),
                "envelope" => self.envelope(vector),
                other => bail!("no replayer for {other}"),
            };
            done.with_context(|| String::from(name))?;
            self.line("end");
            self.count += 1;
        }
        Ok(())
    }

    /// A JSON value, or nothing where there is none.
    fn json(&mut self, keyword: &str, value: &Value) {
        if !value.is_null() {
            self.line(keyword);
            self.blob(value.to_string());
        }
    }

    fn machine<M: Flat>(&mut self, vector: &Value) -> Result<()> {
        self.json("config", &vector["config"]);
        self.json("snapshot", &vector["snapshot"]);
        if let Some(refused) = vector["refused"].as_str() {
            self.line("refused");
            self.blob(refused);
            return Ok(());
        }
        self.line("start");
        for step in vector["steps"].as_array().into_iter().flatten() {
            self.step::<M>(step)?;
        }
        for (name, count) in vector["stats"].as_object().into_iter().flatten() {
            self.line(&format!("count {count}"));
            self.blob(name);
        }
        self.json("snapshot_after", &vector["snapshot_after"]);
        Ok(())
    }

    fn step<M: Flat>(&mut self, step: &Value) -> Result<()> {
        let at = number(&step["at_us"])?;
        let status = step["status"].as_str().unwrap_or("ok");
        let status = STATUSES.iter().find(|known| known.name() == status);
        let status = status.context("a status without a number")?.number();
        match &step["input"] {
            Value::Null => self.line(&format!("timeout {at} {status}")),
            input => {
                self.line(&format!("input {at} {status}"));
                self.record(M::INPUTS, input)?;
            }
        }
        for output in step["outputs"].as_array().context("no outputs")? {
            self.line("output");
            self.record(M::OUTPUTS, output)?;
        }
        self.line("drained");
        if let Some(state) = step["state"].as_str() {
            self.line("state");
            self.blob(state);
        }
        match &step["next"] {
            Value::Null => self.line("idle"),
            next => {
                let row = row_named(M::TIMEOUTS, text(&next["reason"])?);
                let kind = row.context("a reason that no table has")?.kind;
                self.line(&format!("next {} {kind}", number(&next["at_us"])?));
            }
        }
        Ok(())
    }

    fn record(&mut self, table: &'static [Row], record: &Value) -> Result<()> {
        let kind = row_named(table, text(&record["kind"])?).map_or(NO_KIND, |row| row.kind);
        let code = record["code"].as_u64().unwrap_or_default();
        let id = record["id"].as_str().unwrap_or("0");
        let value = record["value"].as_u64().unwrap_or_default();
        self.line(&format!("{kind} {code} {id} {value}"));
        self.blob(record["text"].as_str().unwrap_or_default());
        match record["hex"].as_str() {
            Some(hex) => self.blob(unhex(hex)?),
            None => self.blob(record["data"].as_str().unwrap_or_default()),
        }
        Ok(())
    }

    fn plan(&mut self, vector: &Value) -> Result<()> {
        let mut request = json!({"topology": vector["topology"], "target": vector["target"]});
        if !vector["facts"].is_null() {
            request["facts"] = vector["facts"].clone();
        }
        self.json("ask", &request);
        self.json("answer", &vector["answer"]);
        Ok(())
    }

    fn cutover(&mut self, vector: &Value) -> Result<()> {
        self.json("config", &vector["config"]);
        self.line("start");
        for step in vector["steps"].as_array().context("no steps")? {
            self.json(&format!("call {}", number(&step["at_ms"])?), &step["call"]);
            self.json("gives", &step["gives"]);
        }
        self.line("ledger");
        self.blob(vector["ledger"].to_string());
        Ok(())
    }

    fn envelope(&mut self, vector: &Value) -> Result<()> {
        // What is no text stands in the vector with U+FFFD, so it cannot be compared.
        let is_text = vector["text"].is_string();
        let bytes = match vector["hex"].as_str() {
            Some(hex) => unhex(hex)?,
            None => text(&vector["text"])?.as_bytes().to_vec(),
        };
        self.line("scan");
        self.blob(bytes);
        for scan in vector["scans"].as_array().context("no scans")? {
            if let Some(error) = scan["error"].as_str() {
                self.line(&format!("fault {}", number(&scan["at"])?));
                self.blob(error);
                continue;
            }
            let (has, sequence) = match scan["s"].as_u64() {
                Some(sequence) => (1, sequence),
                None => (0, 0),
            };
            let [op, kind, end] = ["op", "kind", "end"].map(|key| number(&scan[key]));
            let (op, kind, end) = (op?, kind?, end?);
            let exact = u8::from(is_text);
            self.line(&format!("found {op} {has} {sequence} {kind} {end} {exact}"));
            self.blob(text(&scan["t"])?);
            self.blob(text(&scan["d"])?);
        }
        Ok(())
    }
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("no text: {value}"))
}

fn number(value: &Value) -> Result<u64> {
    value
        .as_u64()
        .with_context(|| format!("no number: {value}"))
}

fn unhex(hex: &str) -> Result<Vec<u8>> {
    let digits = |at: usize| {
        let pair = hex.get(at..at + 2).context("an odd number of hex digits")?;
        u8::from_str_radix(pair, 16).context("two hex digits")
    };
    (0..hex.len()).step_by(2).map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_lengths_before_them() {
        let mut out = Out::default();
        out.record(Session::INPUTS, &json!({"kind": "text", "hex": "00ff"}))
            .unwrap();
        assert_eq!(out.bytes, b"2 0 0 0\n0 \n2 \x00\xff\n");
        assert!(
            out.record(Session::INPUTS, &json!({"kind": "text", "hex": "0"}))
                .is_err()
        );
    }
}
