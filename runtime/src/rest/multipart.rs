//! Bodies: JSON alone, or a form of JSON and files.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};
use shardkeep_core::rest::route::Method;
use tokio::io::AsyncRead;
use tokio::sync::watch;

use super::body::{Body, Piece, Progress};
use super::error::RestError;
use super::raw::RawRequest;

/// What a file holds.
pub(super) enum Content {
    Bytes(Bytes),
    Stream(Piece),
}

impl Content {
    pub(super) fn reader<R: AsyncRead + Send + 'static>(reader: R, len: Option<u64>) -> Self {
        Self::Stream(Piece::reader(reader, len))
    }

    fn into_piece(self) -> Piece {
        match self {
            Self::Bytes(bytes) => Piece::Bytes(bytes),
            Self::Stream(piece) => piece,
        }
    }
}

struct File {
    /// The form's field; `files[n]` unless the route asks for another.
    field: Option<String>,
    filename: String,
    description: Option<String>,
    content: Content,
}

/// What a request is to carry.
#[derive(Default)]
pub(super) struct Form {
    pub(super) json: Option<Bytes>,
    pub(super) progress: Option<watch::Sender<Progress>>,
    files: Vec<File>,
    fields: Vec<(String, String)>,
}

impl Form {
    pub(super) fn add_file(&mut self, field: Option<String>, filename: String, content: Content) {
        self.files.push(File {
            field,
            filename,
            description: None,
            content,
        });
    }

    pub(super) fn add_field(&mut self, field: String, text: String) {
        self.fields.push((field, text));
    }

    pub(super) fn describe(&mut self, text: String) -> bool {
        self.files
            .last_mut()
            .map(|file| file.description = Some(text))
            .is_some()
    }

    /// Makes the body of `raw`, unless it has one already and nothing else was asked for.
    pub(super) fn fill(self, raw: &mut RawRequest) -> Result<(), RestError> {
        let is_form = !(self.files.is_empty() && self.fields.is_empty());
        if !raw.body.is_empty() && (is_form || self.json.is_some()) {
            let reason = "it has a body of its own and JSON or files besides: keep one of the two";
            return Err(RestError::bad_request(reason));
        }
        let progress = self.progress.clone();
        if is_form {
            self.fill_form(raw)?;
        } else if let Some(json) = self.json {
            raw.headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            raw.body = Body::from(json);
        }
        if let Some(progress) = progress {
            raw.body.report_to(progress);
        }
        Ok(())
    }

    fn fill_form(mut self, raw: &mut RawRequest) -> Result<(), RestError> {
        // Whether it may be sent twice is written in the JSON, which a form hides.
        if let Some(json) = &self.json {
            raw.look_into(json);
        }
        let payload = self.payload(raw)?;
        let boundary = format!("shardkeep-{:016x}", RandomState::new().hash_one("boundary"));
        let mut writer = Writer {
            boundary: &boundary,
            pieces: Vec::new(),
            text: String::new(),
        };
        if let Some(json) = payload {
            writer.begin("payload_json", None, "application/json");
            writer.append(Piece::Bytes(json));
        }
        for (field, text) in self.fields {
            writer.begin(&field, None, "text/plain; charset=utf-8");
            writer.append(Piece::Bytes(Bytes::from(text)));
        }
        for (n, file) in self.files.into_iter().enumerate() {
            let field = file.field.unwrap_or_else(|| format!("files[{n}]"));
            writer.begin(&field, Some(&file.filename), "application/octet-stream");
            writer.append(file.content.into_piece());
        }
        raw.body = Body::from_pieces(writer.finish());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let content_type = HeaderValue::try_from(content_type).expect("a boundary is plain ASCII");
        raw.headers.insert(header::CONTENT_TYPE, content_type);
        Ok(())
    }

    /// The JSON part. A new message lists its files by number, so that descriptions find them; an edited one does not,
    /// because a list would take away the attachments that it does not name.
    fn payload(&mut self, raw: &RawRequest) -> Result<Option<Bytes>, RestError> {
        let is_described = self.files.iter().any(|file| file.description.is_some());
        let lists = self.files.iter().any(|file| file.field.is_none())
            && (raw.method == Method::Post || is_described);
        if !lists {
            return Ok(self.json.take());
        }
        let mut payload = match &self.json {
            None => Value::Object(Map::new()),
            Some(json) => serde_json::from_slice(json).map_err(RestError::bad_request)?,
        };
        let Some(message) = message_in(&mut payload, &raw.path) else {
            let reason = "JSON beside files is an object";
            return Err(RestError::bad_request(reason));
        };
        if raw.method == Method::Post && !message.contains_key("attachments") || is_described {
            let attachments = message.entry("attachments").or_insert_with(|| json!([]));
            let Value::Array(attachments) = attachments else {
                return Err(RestError::bad_request("attachments is a list"));
            };
            list(attachments, &self.files);
        }
        Ok(Some(Bytes::from(payload.to_string())))
    }
}

/// Adds the files that `attachments` does not list yet.
fn list(attachments: &mut Vec<Value>, files: &[File]) {
    for (n, file) in files
        .iter()
        .enumerate()
        .filter(|(_, file)| file.field.is_none())
    {
        let is_listed = |item: &Value| match item.get("id") {
            Some(Value::Number(id)) => id.as_u64() == Some(n as u64),
            Some(Value::String(id)) => *id == n.to_string(),
            _ => false,
        };
        if attachments.iter().any(is_listed) {
            continue;
        }
        let mut item = json!({ "id": n, "filename": file.filename });
        if let Some(description) = &file.description {
            item["description"] = Value::from(description.as_str());
        }
        attachments.push(item);
    }
}

/// The message within a payload: an interaction's callback wraps it, and so does a post in a forum.
fn message_in<'a>(payload: &'a mut Value, path: &str) -> Option<&'a mut Map<String, Value>> {
    let path = path.split('?').next().unwrap_or_default();
    let wrapper = if path.ends_with("/callback") {
        Some("data")
    } else if path.ends_with("/threads") {
        Some("message")
    } else {
        None
    };
    match wrapper {
        Some(name) if payload.get(name).is_some() => payload.get_mut(name)?.as_object_mut(),
        _ => payload.as_object_mut(),
    }
}

/// Writes the parts of a form.
struct Writer<'a> {
    boundary: &'a str,
    pieces: Vec<Piece>,
    /// What comes before the next piece.
    text: String,
}

impl Writer<'_> {
    fn begin(&mut self, field: &str, filename: Option<&str>, content_type: &str) {
        let text = &mut self.text;
        text.push_str("--");
        text.push_str(self.boundary);
        text.push_str("\r\nContent-Disposition: form-data; name=\"");
        quote(text, field);
        if let Some(filename) = filename {
            text.push_str("\"; filename=\"");
            quote(text, filename);
        }
        text.push_str("\"\r\nContent-Type: ");
        text.push_str(content_type);
        text.push_str("\r\n\r\n");
    }

    fn append(&mut self, piece: Piece) {
        let head = std::mem::take(&mut self.text);
        self.pieces.push(Piece::Bytes(Bytes::from(head)));
        self.pieces.push(piece);
        self.text.push_str("\r\n");
    }

    fn finish(mut self) -> Vec<Piece> {
        let end = format!("{}--{}--\r\n", self.text, self.boundary);
        self.pieces.push(Piece::Bytes(Bytes::from(end)));
        self.pieces
    }
}

/// A name as browsers quote it.
fn quote(text: &mut String, name: &str) {
    for c in name.chars() {
        match c {
            '"' => text.push_str("%22"),
            '\r' => text.push_str("%0D"),
            '\n' => text.push_str("%0A"),
            c => text.push(c),
        }
    }
}
