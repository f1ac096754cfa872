//! Writes trees in every way that JSON permits: members in any order, white space, escapes.

use serde_json::Value;
use shardkeep_core::Rng;

/// The JSON of `value`, as `rng` likes it.
pub(crate) fn write(value: &Value, rng: &mut Rng) -> Vec<u8> {
    let mut out = String::new();
    let style = Style {
        spaces: rng.below(4) == 0,
        escapes: rng.below(8) == 0,
        shuffle: rng.below(2) == 0,
    };
    style.value(value, rng, &mut out);
    out.into_bytes()
}

struct Style {
    spaces: bool,
    escapes: bool,
    shuffle: bool,
}

impl Style {
    fn space(&self, rng: &mut Rng, out: &mut String) {
        if self.spaces && rng.below(3) == 0 {
            out.push([' ', '\n', '\t', '\r'][rng.below(4) as usize]);
        }
    }

    fn string(&self, text: &str, rng: &mut Rng, out: &mut String) {
        out.push('"');
        for char in text.chars() {
            if self.escapes && rng.below(6) == 0 || char < ' ' {
                let mut units = [0; 2];
                for unit in char.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            } else if matches!(char, '"' | '\\') {
                out.push('\\');
                out.push(char);
            } else {
                out.push(char);
            }
        }
        out.push('"');
    }

    fn value(&self, value: &Value, rng: &mut Rng, out: &mut String) {
        match value {
            Value::Object(object) => {
                let mut members: Vec<_> = object.iter().collect();
                if self.shuffle {
                    for at in (1..members.len()).rev() {
                        members.swap(at, rng.below(at as u64 + 1) as usize);
                    }
                }
                out.push('{');
                for (at, (key, value)) in members.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.space(rng, out);
                    self.string(key, rng, out);
                    self.space(rng, out);
                    out.push(':');
                    self.space(rng, out);
                    self.value(value, rng, out);
                    self.space(rng, out);
                }
                out.push('}');
            }
            Value::Array(array) => {
                out.push('[');
                for (at, value) in array.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.space(rng, out);
                    self.value(value, rng, out);
                    self.space(rng, out);
                }
                out.push(']');
            }
            Value::String(text) => self.string(text, rng, out),
            _ => out.push_str(&value.to_string()),
        }
    }
}
