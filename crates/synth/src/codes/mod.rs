//! The codes the generator uses: SNOMED CT (UK edition), dm+d and a few of FHIR's own. Only the handful that synthetic
//! records need; no licensed release is in here. Every SNOMED CT and dm+d code is tested for its check digit.

pub(crate) mod conditions;
pub(crate) mod medicines;
pub(crate) mod tests_of;
pub(crate) mod vaccines;

use crate::sources::Role;

/// System of SNOMED CT codes.
pub(crate) const SNOMED: &str = "http://snomed.info/sct";
/// System of dm+d codes.
pub(crate) const DMD: &str = "https://dmd.nhs.uk";
/// System of UCUM units.
pub(crate) const UCUM: &str = "http://unitsofmeasure.org";
/// System of LOINC codes, which FHIR asks for beside SNOMED CT on vital signs.
pub(crate) const LOINC: &str = "http://loinc.org";

/// A SNOMED CT concept with the words shown for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Code {
    pub(crate) code: &'static str,
    pub(crate) term: &'static str,
}

/// A SNOMED CT concept.
pub(crate) const fn sct(code: &'static str, term: &'static str) -> Code {
    Code { code, term }
}

// Contacts with a service.
pub(crate) const CONSULTATION: Code = sct("11429006", "Consultation");
pub(crate) const TELEPHONE: Code = sct("386472008", "Telephone consultation");
pub(crate) const FOLLOW_UP: Code = sct("390906007", "Follow-up encounter");
pub(crate) const CHECK_UP: Code = sct("185349003", "Encounter for check up");
pub(crate) const HOSPITAL_ADMISSION: Code = sct("32485007", "Hospital admission");
pub(crate) const EMERGENCY: Code = sct("4525004", "Emergency department patient visit");
pub(crate) const OUTPATIENT: Code = sct("185349003", "Encounter for check up");
pub(crate) const HOME_VISIT: Code = sct("439708006", "Home visit");
pub(crate) const CHILDBIRTH: Code = sct("66348005", "Childbirth");
pub(crate) const MEDICATION_REVIEW: Code = sct("314530002", "Medication review done");
pub(crate) const WELL_CHILD: Code = sct("410620009", "Well child visit");

// Documents.
pub(crate) const DISCHARGE_SUMMARY: Code = sct("373942005", "Discharge summary");
pub(crate) const CLINICAL_LETTER: Code = sct("823691000000103", "Clinical letter");
pub(crate) const OUTPATIENT_LETTER: Code = sct("823681000000100", "Outpatient letter");
pub(crate) const CARE_PLAN: Code = sct("734163000", "Care plan");
pub(crate) const ENCOUNTER_REPORT: Code = sct("371531000", "Report of clinical encounter");
pub(crate) const RADIOLOGY_REPORT: Code = sct("722124004", "Radiology studies report");

// Allergies.
pub(crate) const NO_KNOWN_ALLERGY: Code = sct("716186003", "No known allergy");
pub(crate) const PENICILLIN: Code = sct("764146007", "Penicillin");
pub(crate) const TRIMETHOPRIM: Code = sct("387170002", "Trimethoprim");
pub(crate) const IBUPROFEN: Code = sct("387207008", "Ibuprofen");
pub(crate) const PEANUT: Code = sct("762952008", "Peanut");
pub(crate) const LATEX: Code = sct("111088007", "Latex");
pub(crate) const EGG: Code = sct("102263004", "Eggs");
pub(crate) const RASH: Code = sct("271807003", "Eruption of skin");
pub(crate) const URTICARIA: Code = sct("126485001", "Urticaria");
pub(crate) const ANAPHYLAXIS: Code = sct("39579001", "Anaphylaxis");
pub(crate) const WHEEZE: Code = sct("56018004", "Wheezing");

// Procedures.
pub(crate) const HIP_OPERATION: Code = sct("52734007", "Total replacement of hip");
pub(crate) const KNEE_OPERATION: Code = sct("609588000", "Total knee replacement");
pub(crate) const PCI: Code = sct("415070008", "Percutaneous coronary intervention");
pub(crate) const ECHO: Code = sct("40701008", "Echocardiography");
pub(crate) const APPENDICECTOMY: Code = sct("80146002", "Appendicectomy");
pub(crate) const CATARACT_OPERATION: Code = sct("110473004", "Cataract surgery");
pub(crate) const BREAST_OPERATION: Code = sct("64368001", "Partial mastectomy");
pub(crate) const EYE_SCREENING: Code = sct("134395001", "Diabetic retinopathy screening");
pub(crate) const FOOT_CHECK: Code = sct("401191002", "Diabetic foot examination");
pub(crate) const SPIROMETRY: Code = sct("127783003", "Spirometry");
pub(crate) const CHEST_XRAY: Code = sct("399208008", "Plain chest X-ray");
pub(crate) const SUTURE: Code = sct("288086009", "Suture open wound");
pub(crate) const WOUND_CARE: Code = sct("225358003", "Wound care");

/// The SNOMED CT occupation of a member of staff.
pub(crate) fn occupation(role: Role) -> Code {
    match role {
        Role::Doctor => sct("62247001", "General practitioner"),
        Role::Nurse | Role::MentalHealthNurse | Role::DistrictNurse | Role::HealthVisitor => {
            sct("106292003", "Professional nurse")
        }
        Role::Pharmacist => sct("46255001", "Pharmacist"),
        Role::Midwife => sct("309453006", "Registered midwife"),
        Role::Physiotherapist => sct("36682004", "Physiotherapist"),
        Role::Podiatrist => sct("159034004", "Podiatrist"),
        Role::SocialWorker => sct("106328005", "Social worker"),
        Role::OccupationalTherapist => sct("80546007", "Occupational therapist"),
        Role::CareWorker => sct("223366009", "Healthcare professional"),
        Role::Therapist => sct("59944000", "Psychologist"),
        Role::Psychiatrist => sct("80584001", "Psychiatrist"),
        Role::Surgeon => sct("304292004", "Surgeon"),
        _ => sct("405279007", "Attending physician"),
    }
}

/// The words for a member of staff.
pub(crate) fn role_words(role: Role) -> &'static str {
    match role {
        Role::Doctor => "General practitioner",
        Role::Nurse => "Practice nurse",
        Role::Pharmacist => "Clinical pharmacist",
        Role::Physician => "Consultant in acute medicine",
        Role::Surgeon => "Consultant surgeon",
        Role::Cardiologist => "Consultant cardiologist",
        Role::Nephrologist => "Consultant kidney physician",
        Role::Diabetologist => "Consultant in diabetes",
        Role::Respiratory => "Consultant in respiratory medicine",
        Role::Geriatrician => "Consultant in medicine for older people",
        Role::Obstetrician => "Consultant obstetrician",
        Role::Midwife => "Midwife",
        Role::Paediatrician => "Consultant paediatrician",
        Role::Oncologist => "Consultant oncologist",
        Role::Pathologist => "Consultant in laboratory medicine",
        Role::Ophthalmologist => "Consultant eye surgeon",
        Role::DistrictNurse => "District nurse",
        Role::Physiotherapist => "Physiotherapist",
        Role::HealthVisitor => "Health visitor",
        Role::Podiatrist => "Podiatrist",
        Role::Psychiatrist => "Consultant psychiatrist",
        Role::MentalHealthNurse => "Mental health nurse",
        Role::Therapist => "Psychological therapist",
        Role::SocialWorker => "Social worker",
        Role::OccupationalTherapist => "Occupational therapist",
        Role::CareWorker => "Care worker",
    }
}

#[cfg(test)]
mod tests {
    use super::{medicines, tests_of, vaccines};

    /// The check digit of Verhoeff that closes every SNOMED CT identifier.
    fn closes(identifier: &str) -> bool {
        const PRODUCT: [[usize; 10]; 10] = [
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
            [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
            [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
            [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
            [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
            [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
            [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
            [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
            [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
        ];
        const TURN: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        let turned = |digit: usize, times: usize| (0..times % 8).fold(digit, |d, _| TURN[d]);
        let digits = identifier.bytes().rev().map(|b| usize::from(b - b'0'));
        digits.enumerate().fold(0, |sum, (place, digit)| PRODUCT[sum][turned(digit, place)]) == 0
    }

    #[test]
    fn the_check_digit_finds_a_slip() {
        assert!(closes("44054006") && closes("999791000000106"));
        assert!(!closes("44054007") && !closes("44504006") && !closes("999791000000016"));
    }

    #[test]
    fn every_snomed_and_dmd_code_in_the_source_has_its_check_digit() {
        let texts = [
            include_str!("mod.rs"),
            include_str!("conditions.rs"),
            include_str!("medicines.rs"),
            include_str!("tests_of.rs"),
            include_str!("vaccines.rs"),
            include_str!("../fhir/results.rs"),
            include_str!("../fhir/clinical.rs"),
        ];
        let mut count = 0;
        for text in texts.map(|text| text.split("mod tests").next().unwrap()) {
            for word in text.split('"').filter(|w| w.len() >= 6 && w.bytes().all(|b| b.is_ascii_digit())) {
                assert!(closes(word), "{word}");
                count += 1;
            }
        }
        assert!(count > 200, "only {count} codes were found");
    }

    #[test]
    fn tables_have_no_code_twice() {
        let unique = |mut codes: Vec<&str>| {
            let before = codes.len();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), before);
        };
        unique(medicines::ALL.iter().map(|d| d.code).collect());
        unique(tests_of::ALL.iter().map(|a| a.code.code).collect());
        unique(tests_of::PANELS.iter().map(|p| p.code.code).collect());
        unique(tests_of::MEASURES.iter().map(|m| m.code.code).collect());
        assert_eq!(vaccines::ALL.len(), 17);
    }
}
