//! Measurements that people take: their codes, units and plausible ranges, reading a filled-in form, the severe blood
//! pressure threshold, and the NICE NG136 home average. Pure functions. It must not know who may see a measurement, how it
//! is stored or how a page looks, and it never says that somebody has a condition.

mod average;
mod blood_pressure;
mod form;
mod local;
mod measurement;
mod number;

pub use average::{Average, Gap, HomeReading, Session, Thresholds, Use, average};
pub use blood_pressure::{BloodPressure, SAFETY_MESSAGE, is_severe, observation};
pub use form::{FieldError, Problem, RawBloodPressure, read_form};
pub use local::{LocalTime, LocalTimeError, in_london, london};
pub use measurement::{Code, DEFINITIONS, Definition, LOINC, SNOMED, UCUM, Unit, definition, definition_of};
