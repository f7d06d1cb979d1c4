//! Deterministic synthetic residents of Leeds and their care.
