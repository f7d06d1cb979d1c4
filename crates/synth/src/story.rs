//! A few words on a person, for the page on which a demonstration asks whom to sign in as.

use crate::clock::Day;
use crate::codes::Code;
use crate::codes::conditions as dx;
use crate::household::Profile;
use crate::identity::Identity;
use crate::life::Record;
use crate::sources::{SOURCES, Setting};

/// Plain words for the conditions that are worth naming.
const WORDS: [(Code, &str); 22] = [
    (dx::TYPE_2_DIABETES, "type 2 diabetes"),
    (dx::TYPE_1_DIABETES, "type 1 diabetes"),
    (dx::BREAST_CANCER, "breast cancer"),
    (dx::PROSTATE_CANCER, "prostate cancer"),
    (dx::CKD_3A, "kidney disease"),
    (dx::CKD_3B, "kidney disease"),
    (dx::CKD_4, "kidney disease"),
    (dx::COPD, "COPD"),
    (dx::HEART_FAILURE, "heart failure"),
    (dx::CORONARY_DISEASE, "heart attack in the past"),
    (dx::STROKE, "stroke in the past"),
    (dx::BIPOLAR, "bipolar disorder"),
    (dx::SCHIZOPHRENIA, "schizophrenia"),
    (dx::DEMENTIA, "Alzheimer's disease"),
    (dx::LEARNING_DISABILITY, "learning disability"),
    (dx::MODERATE_FRAILTY, "frailty"),
    (dx::HYPERTENSION, "high blood pressure"),
    (dx::HYPOTHYROIDISM, "underactive thyroid"),
    (dx::ASTHMA, "asthma"),
    (dx::DEPRESSION, "depression"),
    (dx::ADHD, "ADHD"),
    (dx::ECZEMA, "eczema"),
];

/// The words.
pub(crate) fn of(who: &Identity, record: &Record, today: Day) -> String {
    let mut parts: Vec<&str> = Vec::new();
    if who.death.is_some() {
        parts.push("has died");
    }
    match who.profile {
        Profile::Pregnant => parts.push("pregnant"),
        Profile::Carer => parts.push("cares for her mother"),
        _ => {}
    }
    if who.twin {
        parts.push("twin");
    }
    if !who.births.is_empty() && today.age(who.births[0]) < 16 {
        parts.push("mother");
    }
    for (code, words) in WORDS {
        let has = record.problems.iter().any(|p| p.code == code && p.ended.is_none_or(|end| end > today));
        if has && !parts.contains(&words) && parts.len() < 4 {
            parts.push(words);
        }
    }
    if record.plans.iter().any(|p| SOURCES[p.by.source].setting == Setting::SocialCare) {
        parts.push("social care");
    }
    parts.join(", ")
}
