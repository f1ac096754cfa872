//! A second envelope scanner, byte by byte and as plain as can be, for the fast one to be compared with.

use shardkeep_core::wire::{Envelope, EnvelopeErrorKind};

pub(crate) mod document;

type Outcome<T> = Result<T, EnvelopeErrorKind>;

struct Plain<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Reads an envelope by the rules that `shardkeep_core::wire::scan` documents.
pub(crate) fn scan(bytes: &[u8]) -> Outcome<Envelope> {
    let mut plain = Plain { bytes, at: 0 };
    plain.white();
    if plain.at == bytes.len() {
        return Err(EnvelopeErrorKind::Empty);
    }
    if bytes[plain.at] != b'{' {
        return Err(EnvelopeErrorKind::NotAnObject);
    }
    plain.at += 1;
    let mut op = None;
    let mut envelope = Envelope {
        op: 0,
        sequence: None,
        name: 0..0,
        name_escaped: false,
        data: 0..0,
        end: 0,
    };
    let mut first = true;
    loop {
        plain.white();
        if plain.next()? == b'}' {
            plain.at += 1;
            break;
        }
        if !first {
            plain.expect(b',', EnvelopeErrorKind::BadValue)?;
            plain.white();
        }
        first = false;
        if plain.next()? != b'"' {
            return Err(EnvelopeErrorKind::BadKey);
        }
        let key = plain.string()?;
        plain.white();
        plain.expect(b':', EnvelopeErrorKind::BadKey)?;
        plain.white();
        match unescaped(&bytes[key]).as_deref() {
            Some("op") => op = Some(plain.unsigned()?),
            Some("s") if plain.next()? != b'n' => envelope.sequence = Some(plain.unsigned()?),
            Some("s") => {
                plain.value()?;
                envelope.sequence = None;
            }
            Some("t") => match plain.next()? {
                b'"' => {
                    envelope.name = plain.string()?;
                    envelope.name_escaped = bytes[envelope.name.clone()].contains(&b'\\');
                }
                b'n' => {
                    plain.value()?;
                    (envelope.name, envelope.name_escaped) = (0..0, false);
                }
                _ => return Err(EnvelopeErrorKind::BadValue),
            },
            Some("d") => envelope.data = plain.value()?,
            _ => {
                plain.value()?;
            }
        }
    }
    envelope.op = op.ok_or(EnvelopeErrorKind::MissingOpcode)?;
    plain.white();
    envelope.end = plain.at;
    Ok(envelope)
}

fn unescaped(raw: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", raw, b"\""].concat()).ok()
}

impl Plain<'_> {
    fn next(&self) -> Outcome<u8> {
        self.bytes
            .get(self.at)
            .copied()
            .ok_or(EnvelopeErrorKind::Incomplete)
    }

    fn white(&mut self) {
        while self.at < self.bytes.len() && b" \t\r\n".contains(&self.bytes[self.at]) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, otherwise: EnvelopeErrorKind) -> Outcome<()> {
        if self.next()? != byte {
            return Err(otherwise);
        }
        self.at += 1;
        Ok(())
    }

    /// From an opening quote past the closing one. Answers what is between.
    fn string(&mut self) -> Outcome<std::ops::Range<usize>> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(start..self.at - 1)
    }

    fn unsigned(&mut self) -> Outcome<u64> {
        let start = self.at;
        if !self.next()?.is_ascii_digit() {
            return Err(EnvelopeErrorKind::BadNumber);
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        let digits = std::str::from_utf8(&self.bytes[start..self.at]).unwrap();
        let number = digits.parse().map_err(|_| EnvelopeErrorKind::BadNumber)?;
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(EnvelopeErrorKind::BadNumber);
        }
        if b",} \t\r\n".contains(&self.next()?) {
            Ok(number)
        } else {
            Err(EnvelopeErrorKind::BadNumber)
        }
    }

    fn value(&mut self) -> Outcome<std::ops::Range<usize>> {
        let start = self.at;
        match self.next()? {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.container()?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        Ok(start..self.at)
    }

    fn container(&mut self) -> Outcome<()> {
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'\\' => return Err(EnvelopeErrorKind::BadValue),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Outcome<()> {
        for &byte in word {
            self.expect(byte, EnvelopeErrorKind::BadValue)?;
        }
        Ok(())
    }

    fn number(&mut self) -> Outcome<()> {
        if self.next()? == b'-' {
            self.at += 1;
        }
        if self.next()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Outcome<()> {
        if !self.next()?.is_ascii_digit() {
            return Err(EnvelopeErrorKind::BadValue);
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }
}
