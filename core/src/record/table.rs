//! How the tables of records are written down.

macro_rules! table {
    ($(#[$meta:meta])* $name:ident {
        $($kind:literal $row:literal $doc:literal { $($column:ident: $meaning:literal),* })*
    }) => {
        $(#[$meta])*
        pub const $name: &[$crate::record::Row] = &[$($crate::record::Row {
            kind: $kind,
            name: $row,
            doc: $doc,
            columns: &[$((stringify!($column), $meaning)),*],
        },)*];
    };
}

pub(super) use table;
