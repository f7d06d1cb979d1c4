//! The policy, printed whole and tried out.

mod matrix;
mod rules;
