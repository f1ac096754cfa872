//! A token that never prints.

use alloc::string::String;
use core::fmt;

use crate::id::Snowflake;

/// A bot token. `Debug` and `Display` redact it; [`Token::expose`] is the one way to its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token as Discord's developer portal shows it. A `Bot ` prefix and surrounding white space are removed.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if nothing is left, or if what is left holds a character that no token has (white space,
    /// controls, quotes, anything outside ASCII): such a token would be refused with close code 4004 at best.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let text = text.strip_prefix("Bot ").unwrap_or(text).trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        {
            return Err(TokenError::Malformed);
        }
        Ok(Self(String::from(text)))
    }

    /// The token's text. For the identify and resume payloads and the `Authorization` header, nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The id of the bot's user, which a token begins with. It is no secret. `None` if this one begins otherwise.
    ///
    /// ```
    /// use shardkeep_core::{Snowflake, Token};
    ///
    /// let token = Token::new("ODAzNTExMTAyMjQ2Nzg5MTI.made.up")?;
    /// assert_eq!(token.bot_id(), Some(Snowflake(80_351_110_224_678_912)));
    /// # Ok::<(), shardkeep_core::TokenError>(())
    /// ```
    #[must_use]
    pub fn bot_id(&self) -> Option<Snowflake> {
        let first = self.expose().split('.').next()?;
        let mut bits: u32 = 0;
        let mut held = 0;
        let mut id: u64 = 0;
        for digit in first.bytes() {
            let six = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
            held += 6;
            if held >= 8 {
                held -= 8;
                let byte = u8::try_from(bits >> held & 0xff).ok()?;
                let digit = char::from(byte).to_digit(10)?;
                id = id.checked_mul(10)?.checked_add(digit.into())?;
            }
        }
        (id > 0).then_some(Snowflake(id))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a text cannot be a token. It never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// There is nothing but white space.
    Empty,
    /// It holds a character that no token has.
    Malformed,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the token is empty: set DISCORD_TOKEN, or `token` in the configuration",
            Self::Malformed => {
                "the token holds a character that no token has: copy it again from the developer portal"
            }
        })
    }
}

impl core::error::Error for TokenError {}
