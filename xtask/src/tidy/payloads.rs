//! Discord's sample payloads are other people's: none of them may be committed.

use std::collections::BTreeMap;
use std::path::Path;

use super::Finding;
use crate::workspace::File;

/// Where developers keep the samples, outside of the repository. Where there is no such folder, nothing is compared.
const SAMPLES: &str = "../shared/protocol/payloads";

pub(crate) fn check(files: &[File], findings: &mut Vec<Finding>) {
    compare(files, &samples(Path::new(SAMPLES)), findings);
}

fn samples(folder: &Path) -> BTreeMap<String, String> {
    let mut samples = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return samples;
    };
    for entry in entries.flatten() {
        if let Ok(text) = std::fs::read_to_string(entry.path()) {
            samples.insert(
                normal(&text),
                entry.file_name().to_string_lossy().into_owned(),
            );
        }
    }
    samples
}

fn compare(files: &[File], samples: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    for file in files {
        if let Some(name) = samples.get(&normal(&file.text)) {
            let message = format!("is the sample payload {name}, which is not ours to publish");
            findings.push(Finding::new(&file.path, 1, message));
        }
    }
}

/// White space apart, a copy is a copy.
fn normal(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_sample_is_found() {
        let samples =
            BTreeMap::from([(normal("{ \"op\": 10 }\n"), String::from("recv.hello.json"))]);
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.into(),
        };
        let files = [file("a.json", "{\"op\":10}"), file("b.json", "{\"op\":11}")];
        let mut findings = Vec::new();
        compare(&files, &samples, &mut findings);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].path, "a.json");
    }
}
