//! The command as a user runs it: its processes, its output, its exit codes.

mod bad_input;
mod bench;
mod demo;
mod run;
mod support;
