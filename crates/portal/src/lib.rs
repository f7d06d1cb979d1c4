//! Web pages for people.
