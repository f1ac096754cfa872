//! The five HTTP methods of Discord's API.

use core::fmt;
use core::str::FromStr;

macro_rules! methods {
    ($($number:literal $name:ident $text:literal $doc:literal;)*) => {
        /// An HTTP method that Discord's API has.
        ///
        /// ```
        /// use shardkeep_core::rest::route::Method;
        ///
        /// assert_eq!("patch".parse(), Ok(Method::Patch));
        /// assert!(Method::Patch.is_idempotent());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Method {
            $(#[doc = $doc] $name = $number,)*
        }

        impl Method {
            /// Every method, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it stands in a request: upper case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

methods! {
    1 Get "GET" "Reads.";
    2 Post "POST" "Creates or executes.";
    3 Put "PUT" "Sets, whether it was there or not.";
    4 Patch "PATCH" "Changes some fields.";
    5 Delete "DELETE" "Removes.";
}

impl Method {
    /// The number in records and bindings: stable, never reused.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether sending a request twice does what sending it once does: all but POST. Discord's PATCH sets fields to
    /// values, so it may be repeated; a POST that arrived twice is two messages.
    #[must_use]
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post)
    }

    /// Its bit in a set of methods.
    pub(super) const fn bit(self) -> u8 {
        1 << (self.number() - 1)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = MethodError;

    /// Reads a method in any case.
    fn from_str(text: &str) -> Result<Self, MethodError> {
        Self::ALL
            .iter()
            .copied()
            .find(|method| method.as_str().eq_ignore_ascii_case(text))
            .ok_or(MethodError)
    }
}

/// A text is no method of Discord's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodError;

impl fmt::Display for MethodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discord's API has no such method: use GET, POST, PUT, PATCH or DELETE")
    }
}

impl core::error::Error for MethodError {}
