//! What an installation decides for the use cases.

/// Settings. `Default` is right for a live service.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// Whether NHS numbers of the range reserved for tests (900 to 999 million) are taken (NN-5). Only a demonstration
    /// says yes.
    pub test_numbers: bool,
    /// Seconds without use after which a session ends (NL-4).
    pub session_idle: i64,
    /// Seconds after sign-in at which a session ends whatever happens (NL-4).
    pub session_absolute: i64,
    /// Items on one page of a list.
    pub page_size: usize,
    /// Largest Bundle that is read, in bytes.
    pub max_bundle: usize,
    /// Most entries in one Bundle.
    pub max_entries: usize,
    /// Seconds after which a search is given up.
    pub search_seconds: i64,
    /// Most records that one page of a search across people opens.
    pub search_records: usize,
    /// Milliseconds that an export waits before it looks at the first record, so that whatever was being written when it
    /// was asked for has arrived. What arrives later than that could be missed by this export and by the next one since.
    pub export_wait: u64,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            test_numbers: false,
            session_idle: 30 * 60,
            session_absolute: 12 * 3_600,
            page_size: 20,
            max_bundle: 32 * 1024 * 1024,
            max_entries: 50_000,
            search_seconds: 20,
            search_records: 10_000,
            export_wait: 2_000,
        }
    }
}

impl ServiceConfig {
    /// The settings of a demonstration: test NHS numbers are welcome, and nothing is waited for.
    #[must_use]
    pub fn demonstration() -> Self {
        Self { test_numbers: true, export_wait: 0, ..Self::default() }
    }
}
