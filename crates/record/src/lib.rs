//! The record engine: sealed, chained blocks in two stores.
