//! The privacy labels of what arrives: what the sender says in `meta.security`, and otherwise what its kind of care is.

use keepwell_fhir::resource::Resource;
use keepwell_model::{Label, Labels};

use crate::systems::CareSetting;

/// HL7's codes for kinds of sensitive information.
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// HL7's codes for confidentiality.
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// Keepwell's own codes: `sexual-health`, `mental-health`, `social-care`, `safeguarding`.
const OWN: &str = "urn:keepwell:label";

/// A code that is not known adds nothing; a source whose care is sensitive labels all that it sends.
pub(super) fn labels(resource: &Resource<'_>, setting: CareSetting) -> Labels {
    let mut found = Vec::new();
    if setting.label() != Label::General {
        found.push(setting.label());
    }
    for node in resource.fields.all("meta.security") {
        let (system, code) = (node.get_text("system"), node.get_text("code"));
        found.extend(label(system.as_deref().unwrap_or_default(), code.as_deref().unwrap_or_default()));
    }
    Labels::of(&found)
}

fn label(system: &str, code: &str) -> Option<Label> {
    match (system, code) {
        (ACT_CODE, "SEX" | "STD" | "HIV") | (OWN, "sexual-health") => Some(Label::SexualHealth),
        (ACT_CODE, "MH" | "PSY" | "PSYTHPN" | "BH" | "EMOTDIS" | "SUD" | "ETH" | "ETHUD" | "OPIOIDUD")
        | (OWN, "mental-health") => Some(Label::MentalHealth),
        (OWN, "social-care") => Some(Label::SocialCare),
        // "Very restricted" has no nearer label, and must not end up as ordinary care.
        (ACT_CODE, "SDV" | "VIO" | "ABUSE") | (CONFIDENTIALITY, "V") | (OWN, "safeguarding") => {
            Some(Label::Safeguarding)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(security: &str, setting: CareSetting) -> Labels {
        let json = format!("{{\"resourceType\":\"Observation\",\"meta\":{{\"security\":[{security}]}}}}");
        labels(&Resource::new(json.as_bytes()).unwrap(), setting)
    }

    #[test]
    fn what_arrives_is_general_unless_the_sender_or_its_kind_of_care_says_otherwise() {
        let hiv = format!("{{\"system\":\"{ACT_CODE}\",\"code\":\"HIV\"}}");
        let odd = "{\"system\":\"urn:x\",\"code\":\"HIV\"}";
        assert_eq!(of("", CareSetting::General), Labels::GENERAL);
        assert_eq!(of(odd, CareSetting::General), Labels::GENERAL);
        assert_eq!(of(&hiv, CareSetting::General), Labels::of(&[Label::SexualHealth]));
        assert_eq!(of("", CareSetting::SocialCare), Labels::of(&[Label::SocialCare]));
        assert_eq!(of(&hiv, CareSetting::MentalHealth), Labels::of(&[Label::SexualHealth, Label::MentalHealth]));
    }
}
