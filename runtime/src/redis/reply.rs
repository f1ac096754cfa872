//! What the server answered, as plain values, and how to take out what a command must answer.

use redis::Value;

use super::RedisError;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing is there.
    Nil,
    /// A number.
    Int(i64),
    /// A string of bytes, or a status line such as `OK`.
    Bytes(Vec<u8>),
    /// Several answers. An error among them is the error of the whole.
    List(Vec<Self>),
}

impl Reply {
    pub(super) fn from_value(value: Value) -> Result<Self, RedisError> {
        Ok(match value {
            Value::Nil => Self::Nil,
            Value::Int(number) => Self::Int(number),
            Value::Boolean(truth) => Self::Int(truth.into()),
            Value::BulkString(bytes) | Value::BigNumber(bytes) => Self::Bytes(bytes),
            Value::SimpleString(text) | Value::VerbatimString { text, .. } => {
                Self::Bytes(text.into_bytes())
            }
            Value::Okay => Self::Bytes(b"OK".to_vec()),
            Value::Double(number) => Self::Bytes(number.to_string().into_bytes()),
            Value::Array(values) | Value::Set(values) => Self::list(values)?,
            Value::Push { data, .. } => Self::list(data)?,
            Value::Map(pairs) => {
                Self::list(pairs.into_iter().flat_map(|(key, value)| [key, value]))?
            }
            Value::Attribute { data, .. } => Self::from_value(*data)?,
            Value::ServerError(error) => {
                return Err(RedisError::refused(
                    error.code(),
                    error.details().unwrap_or_default(),
                ));
            }
            // The library may learn new kinds.
            _ => return Err(wrong("a known kind of answer", "another")),
        })
    }

    fn list(values: impl IntoIterator<Item = Value>) -> Result<Self, RedisError> {
        let values: Result<_, _> = values.into_iter().map(Self::from_value).collect();
        values.map(Self::List)
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nothing",
            Self::Int(_) => "a number",
            Self::Bytes(_) => "a string",
            Self::List(_) => "a list",
        }
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// [`RedisError::WrongAnswer`] for anything else.
    pub fn into_int(self) -> Result<i64, RedisError> {
        match self {
            Self::Int(number) => Ok(number),
            other => Err(wrong("a number", other.kind())),
        }
    }

    /// A string of bytes.
    ///
    /// # Errors
    ///
    /// [`RedisError::WrongAnswer`] for anything else.
    pub fn into_bytes(self) -> Result<Vec<u8>, RedisError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(wrong("a string", other.kind())),
        }
    }

    /// A string of bytes, or nothing.
    ///
    /// # Errors
    ///
    /// [`RedisError::WrongAnswer`] for anything else.
    pub fn into_maybe_bytes(self) -> Result<Option<Vec<u8>>, RedisError> {
        match self {
            Self::Nil => Ok(None),
            Self::Bytes(bytes) => Ok(Some(bytes)),
            other => Err(wrong("a string or nothing", other.kind())),
        }
    }

    /// Text.
    ///
    /// # Errors
    ///
    /// [`RedisError::WrongAnswer`] for anything else.
    pub fn into_text(self) -> Result<String, RedisError> {
        String::from_utf8(self.into_bytes()?).map_err(|_| wrong("text", "bytes that are no UTF-8"))
    }

    /// Several answers.
    ///
    /// # Errors
    ///
    /// [`RedisError::WrongAnswer`] for anything else.
    pub fn into_list(self) -> Result<Vec<Self>, RedisError> {
        match self {
            Self::List(list) => Ok(list),
            other => Err(wrong("a list", other.kind())),
        }
    }
}

pub(crate) fn wrong(wanted: &'static str, got: &'static str) -> RedisError {
    RedisError::WrongAnswer { wanted, got }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_kind_says_what_was_wanted() {
        let error = Reply::Int(3).into_list().unwrap_err();
        assert_eq!(
            error.to_string(),
            "Redis answered a number where a list belongs"
        );
        assert!(Reply::Bytes(vec![0xff]).into_text().is_err());
        assert_eq!(Reply::Nil.into_maybe_bytes(), Ok(None));
        let nested = Value::Array(vec![Value::Okay, Value::Nil]);
        assert_eq!(
            Reply::from_value(nested),
            Ok(Reply::List(vec![Reply::Bytes(b"OK".to_vec()), Reply::Nil]))
        );
    }
}
