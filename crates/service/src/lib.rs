//! Use cases: authorise, read or write, audit.
