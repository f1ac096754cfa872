//! Reasons as tables: enums whose values each have a stable number and a sentence for the user.

macro_rules! reasons {
    ($(#[$meta:meta])* $type:ident { $($number:literal $variant:ident $explain:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum $type {
            $(#[doc = $explain] $variant = $number,)*
        }

        impl $type {
            /// Every value, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number in records and bindings: stable, never reused.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// One sentence for the user.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self {
                    $(Self::$variant => $explain,)*
                }
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.explain())
            }
        }
    };
}

pub(crate) use reasons;
