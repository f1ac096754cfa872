//! Uploads: the JSON part, and how large the files are. Their bytes are not kept.

/// A file of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) bytes: usize,
}

/// A body's parts. A body that is no upload is all JSON.
pub(super) struct Parts<'a> {
    pub(super) json: &'a [u8],
    pub(super) files: Vec<File>,
}

impl<'a> Parts<'a> {
    /// Reads a body. An upload begins with its boundary, which is all that is needed to read it.
    pub(super) fn parse(body: &'a [u8]) -> Self {
        let mut parts = Self {
            json: body,
            files: Vec::new(),
        };
        if !body.starts_with(b"--") {
            return parts;
        }
        let Some(end) = find(body, b"\r\n") else {
            return parts;
        };
        let boundary = [b"\r\n", &body[..end]].concat();
        parts.json = b"";
        let mut rest = &body[end..];
        while let Some(part) = rest.strip_prefix(b"\r\n") {
            let length = find(part, &boundary).unwrap_or(part.len());
            parts.take(&part[..length]);
            rest = part.get(length + boundary.len()..).unwrap_or_default();
        }
        parts
    }

    fn take(&mut self, part: &'a [u8]) {
        let Some(end) = find(part, b"\r\n\r\n") else {
            return;
        };
        let (head, content) = (String::from_utf8_lossy(&part[..end]), &part[end + 4..]);
        match parameter(&head, "filename=") {
            Some(name) => self.files.push(File {
                name,
                bytes: content.len(),
            }),
            None if parameter(&head, "name=").as_deref() == Some("payload_json") => {
                self.json = content;
            }
            None => {}
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

/// A parameter of Content-Disposition, in quotes or not.
fn parameter(head: &str, name: &str) -> Option<String> {
    let at = head
        .match_indices(name)
        .find(|(at, _)| head[..*at].ends_with([';', ' ']))?
        .0;
    let value = &head[at + name.len()..];
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([';', '\r', '\n']).next(),
    };
    value.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_taken_apart() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\
            Content-Type: application/json\r\n\r\n\
            {\"content\":\"a\"}\r\n--x\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.txt\"\r\n\r\n\
            12345\r\n--x--\r\n";
        let parts = Parts::parse(body);
        assert_eq!(parts.json, br#"{"content":"a"}"#);
        assert_eq!(
            parts.files,
            [File {
                name: "a.txt".to_owned(),
                bytes: 5
            }]
        );
    }

    #[test]
    fn other_bodies_stay_as_they_are() {
        for body in [
            &b"{}"[..],
            b"",
            b"--",
            b"--x",
            b"--x\r\n",
            b"--x\r\nno head\r\n--x--",
        ] {
            let parts = Parts::parse(body);
            assert!(parts.files.is_empty());
        }
        assert_eq!(Parts::parse(b"{}").json, b"{}");
    }
}
