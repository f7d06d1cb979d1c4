//! What is made here, held against the rules of FHIR R4.

use std::sync::LazyLock;

use keepwell_fhir::definitions::r4;
use keepwell_fhir::validate::{Options, Validator};

/// Fails if a resource that was made here is not valid.
pub(crate) fn assert_valid(resource: &[u8]) {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new(r4()));
    let report = VALIDATOR.validate(resource, &Options::default());
    let faults: Vec<_> = report.errors().map(|it| format!("{}: {}", it.expression, it.words)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
