//! Whatever is called, in whatever order: every request ends exactly once, none is in flight twice, nothing is kept.

#![allow(clippy::panic, reason = "a broken property is a failed test")]

mod rest_scheduler_chaos;

use proptest::collection::vec;
use proptest::prelude::*;
use rest_scheduler_chaos::run;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_ends_exactly_once_and_all_is_forgotten(bytes in vec(any::<u8>(), 0..1_500)) {
        run(&bytes);
    }

    #[test]
    fn same_calls_give_same_outputs(bytes in vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(run(&bytes), run(&bytes));
    }
}
