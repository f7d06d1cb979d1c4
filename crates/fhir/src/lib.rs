//! FHIR R4 documents as pure functions over their bytes.
