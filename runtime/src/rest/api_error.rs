//! What Discord says when it refuses a request: a code, a sentence, and which fields were wrong.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};

use super::transport::Answer;

/// How much of an answer that is no JSON is shown.
const SHOWN_CHARS: usize = 200;

/// How many wrong fields are listed, and how deep they may lie: Discord's own limits are far below.
const FIELDS_MAX: usize = 100;
const DEPTH_MAX: usize = 16;

/// Discord's refusal of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// Method and path, without tokens.
    pub request: String,
    /// The HTTP status.
    pub status: u16,
    /// Discord's JSON error code, such as 50013 for missing permissions; 0 if it gave none.
    pub code: u32,
    /// What Discord says, or the start of an answer that is no JSON.
    pub message: String,
    /// Which fields of the request were wrong.
    pub fields: Vec<FieldError>,
}

/// A field of the request that Discord does not accept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldError {
    /// Where it stands: `embeds[0].title`. Empty for the request as a whole.
    pub path: String,
    /// Discord's word for the mistake, such as `BASE_TYPE_MAX_LENGTH`.
    pub code: String,
    /// Discord's sentence.
    pub message: String,
}

impl ApiError {
    /// Reads the answer to `request`.
    pub(crate) fn read(request: String, answer: &Answer) -> Self {
        let status = answer.status;
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(&answer.body) else {
            let message = start(&answer.body);
            return Self {
                request,
                status,
                message,
                ..Self::default()
            };
        };
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        // The OAuth routes answer in the words of OAuth.
        let message = text("message")
            .or_else(|| text("error_description"))
            .or_else(|| text("error"));
        let code = body
            .get("code")
            .and_then(Value::as_u64)
            .and_then(|code| u32::try_from(code).ok());
        let mut fields = Vec::new();
        if let Some(Value::Object(errors)) = body.get("errors") {
            collect(errors, "", 0, &mut fields);
        }
        Self {
            request,
            status,
            code: code.unwrap_or_default(),
            message: message.unwrap_or_default().to_owned(),
            fields,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self.status {
            400 if self.code == 50_035 => "correct the fields that are named",
            400 => "correct the request",
            401 => "set the current token from the developer portal",
            403 => "give the bot the permission it lacks",
            404 => "check the ids: it does not exist, or the bot cannot see it",
            405 => "check the method: the route does not take it",
            413 => "send less at once",
            429 => "slow down: it was tried again as often as allowed",
            500.. => "Discord failed: try again later",
            _ => "see the code in Discord's documentation",
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was refused with HTTP {}", self.request, self.status)?;
        if self.code != 0 {
            write!(f, ", code {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        for field in &self.fields {
            write!(f, "; {}: {} ({})", field.path, field.message, field.code)?;
        }
        write!(f, "; {}", self.advice())
    }
}

impl std::error::Error for ApiError {}

/// The start of a text that may be anything, such as the page of a proxy.
fn start(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN_CHARS * 4)]);
    text.chars()
        .filter(|c| !c.is_control())
        .take(SHOWN_CHARS)
        .collect()
}

/// `errors` mirrors the request: names and indices lead to lists named `_errors`.
fn collect(errors: &Map<String, Value>, path: &str, depth: usize, found: &mut Vec<FieldError>) {
    for (name, value) in errors {
        if found.len() >= FIELDS_MAX || depth >= DEPTH_MAX {
            return;
        }
        match value {
            Value::Array(list) if name == "_errors" => {
                let text = |item: &Value, name: &str| {
                    item.get(name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                found.extend(list.iter().take(FIELDS_MAX).map(|item| FieldError {
                    path: path.to_owned(),
                    code: text(item, "code"),
                    message: text(item, "message"),
                }));
            }
            Value::Object(inner) => collect(inner, &joined(path, name), depth + 1, found),
            _ => {}
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    let mut joined = path.to_owned();
    let is_index = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    if is_index && !path.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(joined, "[{name}]");
    } else {
        if !path.is_empty() {
            joined.push('.');
        }
        joined.push_str(name);
    }
    joined
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn read(status: u16, body: &str) -> ApiError {
        let body = Bytes::copy_from_slice(body.as_bytes());
        let answer = Answer {
            status,
            body,
            ..Answer::default()
        };
        ApiError::read("POST /channels/1/messages".to_owned(), &answer)
    }

    #[test]
    fn wrong_fields_are_listed_by_their_path() {
        let error = read(
            400,
            r#"{"code":50035,"message":"Invalid Form Body","errors":{"_errors":[{"code":"A","message":"all"}],
            "embeds":{"0":{"fields":{"12":{"name":{"_errors":[{"code":"BASE_TYPE_REQUIRED","message":"x"}]}}}}}}}"#,
        );
        assert_eq!((error.code, error.fields.len()), (50_035, 2));
        let found: Vec<_> = error
            .fields
            .iter()
            .map(|field| (field.path.as_str(), field.code.as_str()))
            .collect();
        assert!(found.contains(&("", "A")), "{found:?}");
        assert!(
            found.contains(&("embeds[0].fields[12].name", "BASE_TYPE_REQUIRED")),
            "{found:?}"
        );
        assert!(
            error
                .to_string()
                .ends_with("correct the fields that are named"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_json_or_not_as_expected_is_still_an_error() {
        let long = "x".repeat(5_000);
        for (body, message) in [
            ("<html>\n502</html>", "<html>502</html>"),
            ("", ""),
            ("[]", "[]"),
            (
                r#"{"error":"invalid_grant","error_description":"no"}"#,
                "no",
            ),
            (r#"{"code":"x","message":5,"errors":[1]}"#, ""),
            (&long, &long[..SHOWN_CHARS]),
        ] {
            let error = read(502, body);
            assert_eq!((error.message.as_str(), error.code), (message, 0));
        }
    }
}
