//! HL7 v2 messages: pure parsing and mapping.
