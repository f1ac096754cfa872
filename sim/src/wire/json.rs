//! A writer of compact JSON: no tree, one buffer, commas taken care of.

/// Bytes of JSON as they grow. Every value is followed by a comma, which the closing bracket takes the place of.
#[derive(Debug, Default)]
pub(crate) struct Json {
    out: Vec<u8>,
}

impl Json {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    /// One object as bytes.
    pub(crate) fn build(capacity: usize, fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self::with_capacity(capacity);
        json.item_object(fill);
        json.finish()
    }

    /// One array as bytes.
    pub(crate) fn build_array(capacity: usize, fill: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self::with_capacity(capacity);
        json.item_array(fill);
        json.finish()
    }

    /// Bytes written so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    fn finish(mut self) -> Vec<u8> {
        self.out.pop();
        self.out
    }

    fn key(&mut self, key: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn close(&mut self, bracket: u8) {
        if self.out.last() == Some(&b',') {
            self.out.pop();
        }
        self.out.extend_from_slice(&[bracket, b',']);
    }

    pub(crate) fn item_object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.out.push(b'{');
        fill(self);
        self.close(b'}');
    }

    pub(crate) fn item_array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.out.push(b'[');
        fill(self);
        self.close(b']');
    }

    pub(crate) fn item_text(&mut self, text: &str) {
        self.out.push(b'"');
        for &byte in text.as_bytes() {
            match byte {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                0..0x20 => self
                    .out
                    .extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.out.push(byte),
            }
        }
        self.out.extend_from_slice(b"\",");
    }

    pub(crate) fn item_number(&mut self, number: u64) {
        push_decimal(&mut self.out, number);
        self.out.push(b',');
    }

    /// A snowflake, or any other number that JSON carries as a string.
    pub(crate) fn item_id(&mut self, id: u64) {
        self.out.push(b'"');
        push_decimal(&mut self.out, id);
        self.out.extend_from_slice(b"\",");
    }

    /// A value that is JSON already.
    pub(crate) fn item_raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
        self.out.push(b',');
    }

    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.item_object(fill);
    }

    pub(crate) fn array(&mut self, key: &str, fill: impl FnOnce(&mut Self)) {
        self.key(key);
        self.item_array(fill);
    }

    pub(crate) fn empty_array(&mut self, key: &str) {
        self.key(key);
        self.item_raw(b"[]");
    }

    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.item_text(text);
    }

    pub(crate) fn number(&mut self, key: &str, number: u64) {
        self.key(key);
        self.item_number(number);
    }

    pub(crate) fn id(&mut self, key: &str, id: u64) {
        self.key(key);
        self.item_id(id);
    }

    pub(crate) fn flag(&mut self, key: &str, flag: bool) {
        self.key(key);
        self.item_raw(if flag { b"true" } else { b"false" });
    }

    pub(crate) fn null(&mut self, key: &str) {
        self.key(key);
        self.item_raw(b"null");
    }

    pub(crate) fn nulls(&mut self, keys: &[&str]) {
        for key in keys {
            self.null(key);
        }
    }

    pub(crate) fn raw(&mut self, key: &str, json: &[u8]) {
        self.key(key);
        self.item_raw(json);
    }

    pub(crate) fn id_or_null(&mut self, key: &str, id: Option<u64>) {
        match id {
            Some(id) => self.id(key, id),
            None => self.null(key),
        }
    }

    /// A 32-digit hash, as avatars and icons have.
    pub(crate) fn hash(&mut self, key: &str, bits: u64) {
        let mixed = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        self.text(key, &format!("{bits:016x}{mixed:016x}"));
    }
}

/// Appends `number` in decimal.
pub(crate) fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let bytes = Json::build(64, |json| {
            json.text("text", "a \"quoted\"\n\u{1} \\ line");
            json.array("items", |json| {
                json.item_number(0);
                json.item_id(u64::MAX);
                json.item_object(|_| ());
            });
            json.empty_array("none");
            json.nulls(&["a", "b"]);
            json.flag("flag", true);
        });
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["text"], "a \"quoted\"\n\u{1} \\ line");
        assert_eq!(value["items"][1], u64::MAX.to_string());
        assert_eq!(value["items"][2], serde_json::json!({}));
    }
}
