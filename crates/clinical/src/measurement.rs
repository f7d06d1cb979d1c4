//! What Keepwell knows of each measurement. The codes are those of SNOMED CT (UK) and LOINC; the plausible range is what a
//! living person's reading can be, in the one unit given, so that a slip or a mixed-up code is noticed (UC-5).

/// The code system of SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// The code system of LOINC.
pub const LOINC: &str = "http://loinc.org";
/// The system of UCUM units.
pub const UCUM: &str = "http://unitsofmeasure.org";

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// Its system.
    pub system: &'static str,
    /// The code.
    pub code: &'static str,
    /// The words that go with it.
    pub display: &'static str,
}

/// A unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// UCUM code.
    pub ucum: &'static str,
    /// What people read.
    pub display: &'static str,
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Definition {
    /// Key for pages and translations.
    pub key: &'static str,
    /// Name in plain words.
    pub name: &'static str,
    /// Its codes; the first is the one that Keepwell writes.
    pub codes: &'static [Code],
    /// Its unit; `None` for a panel, whose parts have their own.
    pub unit: Option<Unit>,
    /// The lowest plausible value.
    pub low: f64,
    /// The highest plausible value.
    pub high: f64,
    /// Keys of the parts of a panel.
    pub parts: &'static [&'static str],
}

impl Definition {
    /// Whether a value in the definition's unit can be true of a living person.
    #[must_use]
    pub fn is_plausible(&self, value: f64) -> bool {
        value.is_finite() && (self.low..=self.high).contains(&value)
    }
}

const fn sct(code: &'static str, display: &'static str) -> Code {
    Code { system: SNOMED, code, display }
}

const fn loinc(code: &'static str, display: &'static str) -> Code {
    Code { system: LOINC, code, display }
}

const fn unit(ucum: &'static str, display: &'static str) -> Option<Unit> {
    Some(Unit { ucum, display })
}

macro_rules! single {
    ($key:literal, $name:literal, $unit:expr, $low:literal ..= $high:literal, $codes:expr) => {
        Definition { key: $key, name: $name, codes: $codes, unit: $unit, low: $low, high: $high, parts: &[] }
    };
}

/// Every measurement that Keepwell knows.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        key: "blood-pressure",
        name: "Blood pressure",
        codes: &[
            sct("75367002", "Blood pressure"),
            loinc("85354-9", "Blood pressure panel with all children optional"),
            loinc("55284-4", "Blood pressure systolic and diastolic"),
        ],
        unit: None,
        low: 0.0,
        high: 0.0,
        parts: &["systolic", "diastolic", "pulse"],
    },
    single!(
        "systolic",
        "Systolic blood pressure",
        unit("mm[Hg]", "mmHg"),
        40.0..=300.0,
        &[
            sct("271649006", "Systolic blood pressure"),
            loinc("8480-6", "Systolic blood pressure"),
            sct("72313002", "Systolic arterial pressure"),
            sct("413606001", "Average home systolic blood pressure"),
            sct("1162737008", "Self reported systolic blood pressure"),
        ]
    ),
    single!(
        "diastolic",
        "Diastolic blood pressure",
        unit("mm[Hg]", "mmHg"),
        20.0..=200.0,
        &[
            sct("271650006", "Diastolic blood pressure"),
            loinc("8462-4", "Diastolic blood pressure"),
            sct("1091811000000102", "Diastolic arterial pressure"),
            sct("413605002", "Average home diastolic blood pressure"),
            sct("1162735000", "Self reported diastolic blood pressure"),
        ]
    ),
    single!(
        "pulse",
        "Pulse",
        unit("/min", "beats a minute"),
        20.0..=300.0,
        &[sct("78564009", "Pulse rate"), loinc("8867-4", "Heart rate"), sct("364075005", "Heart rate"),]
    ),
    single!(
        "respiratory-rate",
        "Breathing rate",
        unit("/min", "breaths a minute"),
        4.0..=80.0,
        &[sct("86290005", "Respiratory rate"), loinc("9279-1", "Respiratory rate"),]
    ),
    single!(
        "weight",
        "Weight",
        unit("kg", "kg"),
        0.3..=500.0,
        &[sct("27113001", "Body weight"), loinc("29463-7", "Body weight"),]
    ),
    single!(
        "height",
        "Height",
        unit("cm", "cm"),
        20.0..=260.0,
        &[sct("50373000", "Body height measure"), loinc("8302-2", "Body height"),]
    ),
    single!(
        "bmi",
        "Body mass index",
        unit("kg/m2", "kg/m²"),
        5.0..=150.0,
        &[sct("60621009", "Body mass index"), loinc("39156-5", "Body mass index (BMI) [Ratio]"),]
    ),
    single!(
        "temperature",
        "Temperature",
        unit("Cel", "°C"),
        25.0..=45.0,
        &[
            sct("386725007", "Body temperature"),
            loinc("8310-5", "Body temperature"),
            loinc("8331-1", "Oral temperature"),
            sct("276885007", "Core body temperature"),
        ]
    ),
    single!(
        "peak-flow",
        "Peak flow",
        unit("L/min", "L/min"),
        30.0..=900.0,
        &[
            sct("18491006", "Peak expiratory flow rate"),
            loinc("19935-6", "Maximum expiratory gas flow Respiratory system airway by Peak flow meter"),
        ]
    ),
    single!(
        "glucose",
        "Blood glucose",
        unit("mmol/L", "mmol/L"),
        0.5..=60.0,
        &[
            sct("434912009", "Blood glucose concentration"),
            loinc("15074-8", "Glucose [Moles/volume] in Blood"),
            loinc("14743-9", "Glucose [Moles/volume] in Capillary blood by Glucometer"),
        ]
    ),
    single!(
        "oxygen-saturation",
        "Oxygen saturation",
        unit("%", "%"),
        40.0..=100.0,
        &[
            sct("431314004", "Peripheral oxygen saturation"),
            loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
            loinc("2708-6", "Oxygen saturation in Arterial blood"),
        ]
    ),
    single!(
        "head-circumference",
        "Head circumference",
        unit("cm", "cm"),
        15.0..=80.0,
        &[sct("363812007", "Head circumference"), loinc("9843-4", "Head Occipital-frontal circumference"),]
    ),
];

/// The definition with a key.
#[must_use]
pub fn definition(key: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.key == key)
}

/// The definition that a code belongs to.
#[must_use]
pub fn definition_of(system: &str, code: &str) -> Option<&'static Definition> {
    DEFINITIONS
        .iter()
        .find(|definition| definition.codes.iter().any(|known| known.system == system && known.code == code))
}
