//! Laboratory tests and measurements: SNOMED CT codes, UCUM units and reference ranges as a UK laboratory reports them.

use super::{Code, sct};

/// A quantity that is measured. Values are whole numbers of the last decimal place: 4.1 with one place is 41.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Analyte {
    pub(crate) code: Code,
    /// The unit as people read it.
    pub(crate) unit: &'static str,
    /// The unit in UCUM.
    pub(crate) ucum: &'static str,
    pub(crate) places: u32,
    /// Reference range of women, low and high.
    pub(crate) women: (Option<i32>, Option<i32>),
    /// Reference range of men.
    pub(crate) men: (Option<i32>, Option<i32>),
}

/// A group of analytes that are asked for together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    pub(crate) code: Code,
    /// A short name for the order in HL7 v2.
    pub(crate) short: &'static str,
    /// Urine instead of blood.
    pub(crate) urine: bool,
}

macro_rules! analytes {
    ($($name:ident = $code:literal $term:literal, $unit:literal $ucum:literal, $places:literal,
       $women:expr, $men:expr;)*) => {
        $(pub(crate) static $name: Analyte = Analyte {
            code: sct($code, $term), unit: $unit, ucum: $ucum, places: $places, women: $women, men: $men,
        };)*
        /// Every analyte, for tests.
        #[cfg(test)]
        pub(crate) static ALL: &[&Analyte] = &[$(&$name),*];
    };
}

const fn between(low: i32, high: i32) -> (Option<i32>, Option<i32>) {
    (Some(low), Some(high))
}
const fn below(high: i32) -> (Option<i32>, Option<i32>) {
    (None, Some(high))
}
const fn above(low: i32) -> (Option<i32>, Option<i32>) {
    (Some(low), None)
}
const NONE: (Option<i32>, Option<i32>) = (None, None);

analytes! {
    HBA1C = "999791000000106" "Haemoglobin A1c level - International Federation of Clinical Chemistry and Laboratory Medicine standardised", "mmol/mol" "mmol/mol", 0, between(20, 41), between(20, 41);
    CREATININE = "1000731000000107" "Serum creatinine level", "umol/L" "umol/L", 0, between(49, 90), between(64, 104);
    EGFR = "1011481000000105" "Estimated glomerular filtration rate using creatinine Chronic Kidney Disease Epidemiology Collaboration equation per 1.73 square metres", "mL/min/1.73m2" "mL/min/{1.73_m2}", 0, above(60), above(60);
    SODIUM = "1000661000000107" "Serum sodium level", "mmol/L" "mmol/L", 0, between(133, 146), between(133, 146);
    POTASSIUM = "1000651000000109" "Serum potassium level", "mmol/L" "mmol/L", 1, between(35, 53), between(35, 53);
    UREA = "1028131000000104" "Serum urea level", "mmol/L" "mmol/L", 1, between(25, 78), between(25, 78);
    CHOLESTEROL = "1005671000000105" "Serum cholesterol level", "mmol/L" "mmol/L", 1, NONE, NONE;
    HDL = "1005681000000107" "Serum high density lipoprotein cholesterol level", "mmol/L" "mmol/L", 1, above(12), above(10);
    NON_HDL = "1006191000000106" "Serum non high density lipoprotein cholesterol level", "mmol/L" "mmol/L", 1, NONE, NONE;
    TRIGLYCERIDES = "1005691000000109" "Serum triglycerides level", "mmol/L" "mmol/L", 1, below(23), below(23);
    HAEMOGLOBIN = "1022431000000105" "Haemoglobin estimation", "g/L" "g/L", 0, between(115, 165), between(130, 180);
    WHITE_CELLS = "1022541000000102" "Total white cell count", "10^9/L" "10*9/L", 1, between(40, 110), between(40, 110);
    PLATELETS = "1022651000000100" "Platelet count", "10^9/L" "10*9/L", 0, between(150, 450), between(150, 450);
    CELL_VOLUME = "1022491000000106" "Mean cell volume", "fL" "fL", 0, between(80, 100), between(80, 100);
    NEUTROPHILS = "1022551000000104" "Neutrophil count", "10^9/L" "10*9/L", 1, between(20, 75), between(20, 75);
    ALT = "1018251000000107" "Serum alanine aminotransferase level", "U/L" "U/L", 0, below(33), below(41);
    ALP = "1000621000000104" "Serum alkaline phosphatase level", "U/L" "U/L", 0, between(30, 130), between(30, 130);
    BILIRUBIN = "997591000000109" "Serum total bilirubin level", "umol/L" "umol/L", 0, below(21), below(21);
    ALBUMIN = "1000821000000103" "Serum albumin level", "g/L" "g/L", 0, between(35, 50), between(35, 50);
    TSH = "1022791000000101" "Serum thyroid stimulating hormone level", "mU/L" "m[IU]/L", 1, between(3, 45), between(3, 45);
    FREE_T4 = "1016971000000106" "Serum free T4 level", "pmol/L" "pmol/L", 1, between(120, 220), between(120, 220);
    CRP = "135842001" "Serum C reactive protein level", "mg/L" "mg/L", 0, below(5), below(5);
    ACR = "1023491000000104" "Urine albumin/creatinine ratio", "mg/mmol" "mg/mmol", 1, below(30), below(30);
    PSA = "1000381000000105" "Serum prostate specific antigen level", "ug/L" "ug/L", 1, NONE, below(40);
    VITAMIN_D = "1031181000000107" "Serum vitamin D level", "nmol/L" "nmol/L", 0, above(50), above(50);
    LITHIUM_LEVEL = "1006681000000100" "Serum lithium level", "mmol/L" "mmol/L", 2, between(40, 100), between(40, 100);
}

macro_rules! panels {
    ($($name:ident = $code:literal $term:literal, $short:literal $(, $urine:ident)?;)*) => {
        $(pub(crate) static $name: Panel =
            Panel { code: sct($code, $term), short: $short, urine: panels!(@ $($urine)?) };)*
        /// Every panel, for tests.
        #[cfg(test)]
        pub(crate) static PANELS: &[&Panel] = &[$(&$name),*];
    };
    (@ urine) => { true };
    (@) => { false };
}

panels! {
    HBA1C_TEST = "43396009" "Haemoglobin A1c measurement", "HBA1C";
    KIDNEY = "252167001" "Urea and electrolytes", "UE";
    LIPIDS = "271244005" "Measurement of serum lipid level", "LIPID";
    BLOOD_COUNT = "26604007" "Full blood count", "FBC";
    LIVER = "26958001" "Liver function tests", "LFT";
    THYROID = "1016851000000107" "Thyroid function test", "TFT";
    INFLAMMATION = "135842001" "Serum C reactive protein level", "CRP";
    URINE_ALBUMIN = "1023491000000104" "Urine albumin/creatinine ratio", "ACR", urine;
    PROSTATE = "63476009" "Prostate specific antigen measurement", "PSA";
    VITAMIN_D_TEST = "1031181000000107" "Serum vitamin D level", "VITD";
    LITHIUM_TEST = "1006681000000100" "Serum lithium level", "LITH";
}

/// What the laboratory calls a test whose term nobody uses.
pub(crate) fn words(code: Code) -> Option<&'static str> {
    let known = [
        (HBA1C.code, "HbA1c (average blood sugar)"),
        (HBA1C_TEST.code, "HbA1c (average blood sugar)"),
        (EGFR.code, "eGFR (kidney function)"),
        (LIPIDS.code, "Cholesterol and other fats"),
    ];
    known.into_iter().find(|(known, _)| known.code == code.code).map(|(_, words)| words)
}

/// A measurement of the body outside the laboratory: SNOMED CT, LOINC, unit, UCUM, decimal places.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) code: Code,
    pub(crate) loinc: Option<(&'static str, &'static str)>,
    pub(crate) unit: &'static str,
    pub(crate) ucum: &'static str,
    pub(crate) places: u32,
    /// The profile of UK Core, and the category.
    pub(crate) profile: &'static str,
    pub(crate) category: &'static str,
}

macro_rules! measures {
    ($($name:ident = $code:literal $term:literal, $loinc:expr, $unit:literal $ucum:literal, $places:literal,
       $profile:literal $category:literal;)*) => {
        $(pub(crate) static $name: Measure = Measure {
            code: sct($code, $term), loinc: $loinc, unit: $unit, ucum: $ucum, places: $places,
            profile: $profile, category: $category,
        };)*
        /// Every measure, for tests.
        #[cfg(test)]
        pub(crate) static MEASURES: &[&Measure] = &[$(&$name),*];
    };
}

measures! {
    WEIGHT = "27113001" "Body weight", Some(("29463-7", "Body weight")), "kg" "kg", 1, "UKCore-Observation-VitalSigns-BodyWeight" "vital-signs";
    HEIGHT = "50373000" "Body height", Some(("8302-2", "Body height")), "cm" "cm", 0, "UKCore-Observation-VitalSigns-BodyHeight" "vital-signs";
    BMI = "60621009" "Body mass index", Some(("39156-5", "Body mass index (BMI) [Ratio]")), "kg/m2" "kg/m2", 1, "UKCore-Observation-VitalSigns-BMI" "vital-signs";
    PULSE = "364075005" "Heart rate", Some(("8867-4", "Heart rate")), "beats/minute" "/min", 0, "UKCore-Observation-VitalSigns-HeartRate" "vital-signs";
    TEMPERATURE = "276885007" "Core body temperature", Some(("8310-5", "Body temperature")), "degrees C" "Cel", 1, "UKCore-Observation-VitalSigns-BodyTemperature" "vital-signs";
    OXYGEN = "103228002" "Haemoglobin saturation with oxygen", Some(("2708-6", "Oxygen saturation in Arterial blood")), "%" "%", 0, "UKCore-Observation-VitalSigns-OxygenSaturation" "vital-signs";
    RESPIRATION = "86290005" "Respiratory rate", Some(("9279-1", "Respiratory rate")), "breaths/minute" "/min", 0, "UKCore-Observation-VitalSigns-RespirationRate" "vital-signs";
    PEAK_FLOW = "18491006" "Peak expiratory flow rate", None, "L/min" "L/min", 0, "UKCore-Observation" "exam";
    FEV1 = "59328004" "Forced expired volume in 1 second", None, "L" "L", 2, "UKCore-Observation" "exam";
    PHQ9 = "720433000" "Patient Health Questionnaire Nine Item score", None, "score" "{score}", 0, "UKCore-Observation" "survey";
    GAD7 = "445455005" "Generalised anxiety disorder 7 item score", None, "score" "{score}", 0, "UKCore-Observation" "survey";
    ALCOHOL = "1082641000000106" "Alcohol units consumed per week", None, "units/week" "{units}/wk", 0, "UKCore-Observation" "social-history";
    NEWS2 = "1104051000000101" "Royal College of Physicians National Early Warning Score 2 total score", None, "score" "{ScoreOf}", 0, "UKCore-Observation-EarlyWarningTotalScore" "survey";
    GESTATION = "57036006" "Fetal gestational age", None, "weeks" "wk", 0, "UKCore-Observation" "exam";
    HEAD_SIZE = "363812007" "Head circumference", Some(("9843-4", "Head Occipital-frontal circumference")), "cm" "cm", 1, "UKCore-Observation-VitalSigns-HeadCircumference" "vital-signs";
}

/// Blood pressure panel and its parts, with LOINC beside.
pub(crate) const BLOOD_PRESSURE: Code = sct("75367002", "Blood pressure");
pub(crate) const SYSTOLIC: Code = sct("271649006", "Systolic blood pressure");
pub(crate) const DIASTOLIC: Code = sct("271650006", "Diastolic blood pressure");
/// Whether somebody smokes, and the answers.
pub(crate) const SMOKING_STATUS: Code = sct("365981007", "Tobacco smoking behaviour - finding");
pub(crate) const NEVER_SMOKED: Code = sct("266919005", "Never smoked tobacco");
pub(crate) const EX_SMOKER: Code = sct("8517006", "Ex-smoker");
pub(crate) const SMOKER: Code = sct("77176002", "Smoker");
