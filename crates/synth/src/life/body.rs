//! The body behind the measurements: what they would be untreated, and what treatment does to them. A value is never
//! made up on its own, so trends follow the conditions and the medicines.

use super::{By, Life, Reading, Value, value};
use crate::clock::{Day, Moment};
use crate::codes::Code;
use crate::codes::medicines::Effect;
use crate::codes::tests_of::{self as lab, Analyte};
use crate::identity::Identity;
use crate::names::Sex;
use crate::rng::{Rng, exp, ln};

/// The lasting traits of a body.
pub(crate) struct Body {
    /// Added to the systolic pressure all life long.
    pressure: i32,
    /// Untreated hypertension adds this, from this day on.
    pub(crate) hypertension: Option<(Day, i32)>,
    /// HbA1c on the day diabetes was found, and its rise in tenths of a mmol/mol a year.
    pub(crate) diabetes: Option<(Day, i32, i32)>,
    /// eGFR on a day, and its fall in tenths a year.
    pub(crate) kidney: Option<(Day, i32, i32)>,
    /// Kidneys of people of the same age differ by this.
    filtration: i32,
    /// Untreated cholesterol and HDL, in tenths of a mmol/L.
    cholesterol: i32,
    hdl: i32,
    /// Haemoglobin when well, g/L.
    haemoglobin: i32,
    /// Low haemoglobin and small cells between two days.
    pub(crate) iron_deficient: Option<(Day, Day)>,
    /// TSH without treatment, in tenths, from this day on, and the day it came right.
    pub(crate) thyroid: Option<(Day, i32, Day)>,
    /// Adult height in cm.
    height: i32,
    /// Adult body mass index in tenths.
    mass_index: i32,
    /// Tobacco: never, given up, or daily.
    pub(crate) smoking: Code,
    /// Albumin in urine, in tenths of mg/mmol.
    pub(crate) albumin: i32,
}

impl Body {
    pub(crate) fn new(rng: &mut Rng, who: &Identity) -> Self {
        let man = who.sex == Sex::Male;
        Self {
            pressure: rng.around(9),
            hypertension: None,
            diabetes: None,
            kidney: None,
            filtration: rng.around(10),
            cholesterol: 52 + rng.around(9),
            hdl: if man { 13 } else { 16 } + rng.around(3),
            haemoglobin: if man { 149 } else { 134 } + rng.around(9),
            iron_deficient: None,
            thyroid: None,
            height: if man { 177 } else { 163 } + rng.around(7),
            mass_index: 262 + rng.around(42) + if rng.chance(200) { 40 } else { 0 },
            smoking: *rng.weighted(&[(58, lab::NEVER_SMOKED), (28, lab::EX_SMOKER), (14, lab::SMOKER)]),
            albumin: 8 + rng.range(0, 8),
        }
    }

    /// Body mass index as an adult, in tenths.
    pub(crate) fn adult_mass_index(&self) -> i32 {
        self.mass_index
    }

    /// Whether the person smokes or did.
    pub(crate) fn smoked(&self) -> bool {
        self.smoking != lab::NEVER_SMOKED
    }

    /// Lungs that tobacco has harmed.
    pub(crate) fn smoke(&mut self, still: bool) {
        if still || !self.smoked() {
            self.smoking = if still { lab::SMOKER } else { lab::EX_SMOKER };
        }
    }

    /// Makes the body heavier.
    pub(crate) fn heavier(&mut self, tenths: i32) {
        self.mass_index += tenths;
    }
}

/// Median weight in hundreds of grams and height in cm of children at each birthday, boys; girls differ little.
const CHILD: [(i32, i32); 19] = [
    (35, 51),
    (96, 76),
    (122, 87),
    (144, 95),
    (163, 102),
    (184, 109),
    (207, 116),
    (231, 122),
    (257, 128),
    (286, 133),
    (317, 138),
    (353, 143),
    (400, 149),
    (456, 156),
    (514, 163),
    (567, 168),
    (611, 173),
    (646, 175),
    (670, 176),
];

impl Life<'_> {
    /// How far the courses of a kind have taken effect on a day.
    fn effect(&self, day: Day, ramp: i32, of: impl Fn(Effect) -> i32) -> i32 {
        let running = |c: &&super::Course| c.start <= day && c.end.is_none_or(|end| end > day);
        let part = |c: &super::Course| of(c.drug.effect) * (day.0 - c.start.0).min(ramp) / ramp;
        self.record.courses.iter().filter(running).map(part).sum()
    }

    /// Systolic and diastolic pressure on a day.
    pub(crate) fn pressure(&mut self, day: Day) -> (i32, i32) {
        let age = self.age_on(day);
        let mut systolic = 108 + age.min(85) / 4 + self.body.pressure;
        if let Some((onset, extra)) = self.body.hypertension {
            // It builds up over the five years before it is found.
            let years = (day.0 - onset.0 + 1_825).clamp(0, 1_825);
            systolic += extra * years / 1_825;
        }
        systolic -= self.effect(day, 45, |e| if let Effect::Pressure(drop) = e { drop } else { 0 });
        if age < 12 {
            systolic -= (12 - age) * 3;
        }
        systolic = (systolic + self.rng.around(5)).clamp(78, 208);
        let stiff = (age - 62).clamp(0, 30) / 3;
        let diastolic = (systolic * 46 / 100 + 19 - stiff + self.rng.around(4)).clamp(46, 118);
        (systolic, diastolic)
    }

    /// Records a blood pressure.
    pub(crate) fn measure_pressure(&mut self, at: Moment, visit: Option<usize>, by: By) -> (i32, i32) {
        let (systolic, diastolic) = self.pressure(at.day);
        self.vital(at, Reading::Pressure(systolic, diastolic), visit, by);
        (systolic, diastolic)
    }

    /// HbA1c on a day.
    pub(crate) fn hba1c(&mut self, day: Day) -> i32 {
        let noise = self.rng.around(2);
        let Some((onset, start, rise)) = self.body.diabetes else {
            return (34 + self.age_on(day) / 16 + (self.body.mass_index - 260).max(0) / 40 + noise).min(46);
        };
        let years_ten = (day.0 - onset.0) * 10 / 365;
        let untreated = start + rise * years_ten / 100;
        let less = self.effect(day, 100, |e| if let Effect::Glucose(drop) = e { drop } else { 0 });
        (untreated - less + noise).clamp(38, 135)
    }

    /// eGFR that the kidneys give on a day, before it is measured.
    fn filtration(&mut self, day: Day) -> i32 {
        let age = self.age_on(day);
        let normal = 112 - (age - 25).max(0) * 7 / 10 + self.body.filtration;
        let now = match self.body.kidney {
            Some((onset, start, fall)) => {
                // It takes about six years to fall from the normal of the age to the first low result.
                let before = (onset.0 - day.0).clamp(0, 2_190);
                let after = (day.0 - onset.0).max(0);
                start + (normal - start).max(0) * before / 2_190 - fall * after / 3_650
            }
            None => normal.max(62),
        };
        (now + self.rng.around(3)).clamp(9, 130)
    }

    /// Creatinine in umol/L and the eGFR that a laboratory works out from it (CKD-EPI 2009).
    pub(crate) fn creatinine(&mut self, day: Day) -> (i32, i32) {
        let wanted = f64::from(self.filtration(day));
        let age = f64::from(self.age_on(day).max(18));
        let (kappa, alpha, factor) =
            if self.who.sex == Sex::Male { (0.9, -0.411, 141.0) } else { (0.7, -0.329, 141.0 * 1.018) };
        let top = factor * exp(ln(0.993) * age);
        let exponent = if wanted > top { alpha } else { -1.209 };
        let creatinine = kappa * exp(ln(wanted / top) / exponent) * 88.42;
        let micromoles = creatinine.round();
        let ratio = micromoles / 88.42 / kappa;
        let exponent = if ratio < 1.0 { alpha } else { -1.209 };
        let egfr = (top * exp(ln(ratio) * exponent)).round();
        // Both are small whole numbers after rounding, so the conversions are exact.
        #[expect(clippy::cast_possible_truncation, reason = "rounded and far within the range of i32")]
        (micromoles as i32, egfr as i32)
    }

    /// Urea, electrolytes, creatinine and eGFR.
    pub(crate) fn kidney_values(&mut self, day: Day) -> Vec<Value> {
        let (creatinine, egfr) = self.creatinine(day);
        let acidotic = (60 - egfr).max(0) / 12;
        let mut values = vec![
            value(&lab::SODIUM, 139 + self.rng.around(2)),
            value(&lab::POTASSIUM, 43 + acidotic + self.rng.around(3)),
            value(&lab::UREA, 52 + (75 - egfr.min(75)) + self.rng.around(8)),
            value(&lab::CREATININE, creatinine),
        ];
        if self.age_on(day) >= 18 {
            // Laboratories do not report an exact figure above 90.
            let (value, more_than) = if egfr > 90 { (90, true) } else { (egfr, false) };
            values.push(Value { analyte: &lab::EGFR, value, more_than });
        }
        values
    }

    /// Cholesterol and its parts.
    pub(crate) fn lipid_values(&mut self, day: Day) -> Vec<Value> {
        let less = self.effect(day, 60, |e| if let Effect::Lipids(cut) = e { cut } else { 0 }).min(60);
        let hdl = (self.body.hdl + self.rng.around(1)).clamp(7, 28);
        let rest = (self.body.cholesterol - self.body.hdl) * (100 - less) / 100 + self.rng.around(2);
        let rest = rest.max(11);
        let triglycerides = (8 + (self.body.mass_index - 200) / 14 + self.rng.around(3)).max(5);
        vec![
            value(&lab::CHOLESTEROL, hdl + rest),
            value(&lab::HDL, hdl),
            value(&lab::NON_HDL, rest),
            value(&lab::TRIGLYCERIDES, triglycerides),
        ]
    }

    /// Full blood count; `infection` raises the white cells.
    pub(crate) fn blood_count(&mut self, day: Day, infection: bool) -> Vec<Value> {
        let mut haemoglobin = self.body.haemoglobin + self.rng.around(3);
        let mut volume = 90 + self.rng.around(3);
        if let Some((onset, treated)) = self.body.iron_deficient
            && day >= onset.plus(-90)
            && day < treated.plus(120)
        {
            let healed = (day.0 - treated.0).clamp(0, 120);
            haemoglobin -= 38 * (120 - healed) / 120;
            volume -= 17 * (120 - healed) / 120;
        }
        if let Some((_, start, _)) = self.body.kidney {
            haemoglobin -= (40 - start).max(0) / 2;
        }
        let white = 66 + self.rng.around(12) + if infection { 75 } else { 0 };
        let neutrophils = white * if infection { 82 } else { 58 } / 100;
        vec![
            value(&lab::HAEMOGLOBIN, haemoglobin),
            value(&lab::WHITE_CELLS, white),
            value(&lab::PLATELETS, 258 + self.rng.around(38)),
            value(&lab::CELL_VOLUME, volume),
            value(&lab::NEUTROPHILS, neutrophils),
        ]
    }

    /// Liver function.
    pub(crate) fn liver_values(&mut self) -> Vec<Value> {
        let fat = (self.body.mass_index - 290).max(0) / 5;
        vec![
            value(&lab::ALT, (23 + fat + self.rng.around(6)).max(7)),
            value(&lab::ALP, 74 + self.rng.around(14)),
            value(&lab::BILIRUBIN, 9 + self.rng.around(3)),
            value(&lab::ALBUMIN, 43 + self.rng.around(2)),
        ]
    }

    /// Thyroid function.
    pub(crate) fn thyroid_values(&mut self, day: Day) -> Vec<Value> {
        let noise = self.rng.around(4);
        let (mut tsh, mut thyroxine) = ((20 + noise).max(5), 150 + noise * 3);
        if let Some((onset, untreated, right)) = self.body.thyroid
            && day >= onset.plus(-30)
            && day < right
        {
            let whole = (right.0 - onset.0).max(1);
            let left = (right.0 - day.0).clamp(0, whole);
            tsh += (untreated - tsh) * left / whole;
            thyroxine -= 60 * left / whole;
        }
        vec![value(&lab::TSH, tsh), value(&lab::FREE_T4, thyroxine)]
    }

    /// Albumin to creatinine in urine.
    pub(crate) fn urine_value(&mut self) -> Value {
        let spread = (self.body.albumin / 8).max(1);
        value(&lab::ACR, (self.body.albumin + self.rng.around(spread)).max(3))
    }

    /// Weight in hundreds of grams and height in cm on a day.
    pub(crate) fn size(&mut self, day: Day) -> (i32, i32) {
        let days = day.0 - self.who.birth.0;
        let age = self.age_on(day);
        if age >= 18 {
            let height = self.body.height;
            let drift = (age - 45).clamp(-25, 20) / 3;
            let index = self.body.mass_index + drift + self.rng.around(3);
            return (index * height * height / 10_000, height);
        }
        let at = usize::try_from(age).expect("an age is not negative");
        let (from, to) = (CHILD[at], CHILD[at + 1]);
        let part = (days - at_birthday(age)).clamp(0, 366);
        let mut weight = from.0 + (to.0 - from.0) * part / 366;
        let mut height = from.1 + (to.1 - from.1) * part / 366;
        if age == 0 {
            // Babies double their weight by five months.
            weight = if days < 150 { 35 + 36 * days / 150 } else { 71 + 25 * (days - 150) / 216 };
        }
        let trait_ = self.body.pressure;
        weight += weight * trait_ / 120;
        height += height * trait_ / 400;
        (weight + self.rng.around((weight / 100).max(1)), height)
    }

    /// Records weight, and height and body mass index where asked for.
    pub(crate) fn measure_size(&mut self, at: Moment, full: bool, visit: Option<usize>, by: By) {
        let (weight, height) = self.size(at.day);
        self.vital(at, Reading::Quantity(&lab::WEIGHT, weight), visit, by);
        if full {
            self.vital(at, Reading::Quantity(&lab::HEIGHT, height), visit, by);
            if self.age_on(at.day) >= 18 {
                let index = (weight * 10_000 + height * height / 2) / (height * height);
                self.vital(at, Reading::Quantity(&lab::BMI, index), visit, by);
            }
        }
    }

    /// One value of an analyte that follows nothing but its range.
    pub(crate) fn plain_value(&mut self, analyte: &'static Analyte, middle: i32, spread: i32) -> Value {
        value(analyte, (middle + self.rng.around(spread)).max(1))
    }
}

/// Days from birth to a birthday.
fn at_birthday(age: i32) -> i32 {
    age * 1_461 / 4
}
