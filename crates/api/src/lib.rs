//! Doors for machines.
