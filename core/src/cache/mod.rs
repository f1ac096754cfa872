//! The cache: records packed small, what is kept hot, and what each dispatch changes.

pub mod hot_set;
pub mod packed;
