//! The scenarios of the envelope scanner.

use super::Source;
use super::model::EnvelopeVector;

pub(crate) fn files() -> Vec<Source<EnvelopeVector>> {
    Vec::new()
}
