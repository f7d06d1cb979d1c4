//! The `keepwell` binary.
fn main() {}
