//! Who may do what to which entry, for what purpose; pure decisions.
