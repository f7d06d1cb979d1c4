//! Doors for machines.

pub mod demo_provider;
