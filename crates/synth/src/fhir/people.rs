//! Organisations, staff, the person and their contacts.

use super::{Feed, NHS_NUMBER, ODS, UK_CORE, coding, concept, concepts, local_number, staff_used};
use crate::codes::{self, SNOMED};
use crate::json::Json;
use crate::names::Sex;
use crate::places::Address;
use crate::sources::{HOSPITAL, Role, SOURCES, Setting, Source, staff_number};

/// The laboratory's doctor, among the staff of the large hospital.
pub(super) fn pathologist() -> usize {
    SOURCES[HOSPITAL].find(Role::Pathologist)
}

fn phone(j: &mut Json, number: &str, r#use: &str) {
    j.object(|j| {
        j.str("system", "phone");
        j.str("value", number);
        j.str("use", r#use);
    });
}

fn organisation(j: &mut Json, source: &Source, name: &str, code: &str) {
    j.one("identifier", |j| {
        j.str("system", ODS);
        j.str("value", code);
    });
    j.bool("active", true);
    j.str("name", name);
    j.arr("telecom", |j| phone(j, source.phone, "work"));
    j.one("address", |j| {
        j.arr("line", |j| j.item(source.address.0));
        j.str("city", "Leeds");
        j.str("postalCode", source.address.1);
    });
}

fn address(j: &mut Json, address: &Address, r#use: &str, period: Option<(&str, crate::clock::Day)>) {
    j.object(|j| {
        j.str("use", r#use);
        j.str("type", "both");
        j.arr("line", |j| j.item(&address.line));
        j.str("city", address.town);
        j.str("district", "West Yorkshire");
        j.str("postalCode", &address.postcode);
        if let Some((end, day)) = period {
            j.obj("period", |j| j.day(end, day));
        }
    });
}

fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "female",
        Sex::Male => "male",
    }
}

/// HL7's code for a relation.
fn relation(words: &str) -> (&'static str, &'static str) {
    match words {
        "mother" => ("MTH", "mother"),
        "father" => ("FTH", "father"),
        "daughter" => ("DAUC", "daughter"),
        "son" => ("SONC", "son"),
        "wife" => ("WIFE", "wife"),
        _ => ("HUSB", "husband"),
    }
}

impl Feed<'_> {
    /// Organisations, staff and the person.
    pub(super) fn people(&mut self) {
        let (source, number) = (self.source(), self.source);
        self.entry("Organization", "org", "UKCore-Organization", |j, _| {
            organisation(j, source, source.organisation, source.code);
        });
        if self.source == HOSPITAL && !self.record.reports.is_empty() {
            self.entry("Organization", "org-lab", "UKCore-Organization", |j, refs| {
                organisation(j, source, "Aire Valley Pathology Laboratory", "KWH0L");
                refs.organisation(j, "partOf");
            });
        }
        for (at, _) in staff_used(self).into_iter().enumerate().filter(|(_, used)| *used) {
            let staff = &source.staff[at];
            let id = format!("staff-{}", at + 1);
            self.entry("Practitioner", &id, "UKCore-Practitioner", |j, _| {
                j.one("identifier", |j| {
                    j.str("system", "https://fhir.nhs.uk/Id/sds-user-id");
                    j.str("value", &staff_number(number, at));
                });
                j.one("name", |j| {
                    j.str("use", "official");
                    j.str("family", staff.family);
                    j.arr("given", |j| j.item(staff.given));
                    j.arr("prefix", |j| j.item(staff.title));
                });
            });
            let id = format!("role-{}", at + 1);
            self.entry("PractitionerRole", &id, "UKCore-PractitionerRole", |j, _| {
                j.obj("practitioner", |j| j.parts("reference", &["Practitioner/staff-", &(at + 1).to_string()]));
                j.obj("organization", |j| j.str("reference", "Organization/org"));
                let occupation = codes::occupation(staff.role);
                j.one("code", |j| {
                    j.one("coding", |j| coding(j, SNOMED, occupation.code, occupation.term));
                    j.str("text", codes::role_words(staff.role));
                });
            });
        }
        self.patient(true);
        if self.gp() {
            self.contacts();
        }
    }

    /// The person alone, for what residents send themselves.
    pub(super) fn patient_only(&mut self) {
        self.patient(false);
    }

    fn patient(&mut self, full: bool) {
        let who = self.who;
        let (source, at, today) = (self.source(), self.source, self.today);
        let id = format!("pt-{}", self.number);
        self.entry("Patient", &id, "UKCore-Patient", |j, refs| {
            if full {
                let (code, display) = who.community.ethnic_category();
                j.arr("extension", |j| {
                    j.object(|j| {
                        j.parts("url", &[UK_CORE, "Extension-UKCore-EthnicCategory"]);
                        let system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland";
                        concept(j, "valueCodeableConcept", system, code, display);
                    });
                    if let Some(day) = who.death {
                        j.object(|j| {
                            j.parts("url", &[UK_CORE, "Extension-UKCore-DeathNotificationStatus"]);
                            j.arr("extension", |j| {
                                j.object(|j| {
                                    j.str("url", "deathNotificationStatus");
                                    let system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-DeathNotificationStatus";
                                    concept(
                                        j,
                                        "valueCodeableConcept",
                                        system,
                                        "2",
                                        "Formal - death notice received from Registrar of Deaths",
                                    );
                                });
                                j.object(|j| {
                                    j.str("url", "systemEffectiveDate");
                                    j.moment("valueDateTime", day.plus(4).working().at(600));
                                });
                            });
                        });
                    }
                });
            }
            j.arr("identifier", |j| {
                j.object(|j| {
                    j.one("extension", |j| {
                        j.parts("url", &[UK_CORE, "Extension-UKCore-NHSNumberVerificationStatus"]);
                        let system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland";
                        concept(j, "valueCodeableConcept", system, "01", "Number present and verified");
                    });
                    j.str("use", "official");
                    j.str("system", NHS_NUMBER);
                    j.str("value", &who.nhs_number.digits());
                });
                if full {
                    j.object(|j| {
                        j.str("use", "usual");
                        j.parts("system", &["https://", source.name, ".example/Id/patient-number"]);
                        j.str("value", &local_number(at, who.index).to_string());
                    });
                }
            });
            j.bool("active", true);
            j.one("name", |j| {
                j.str("use", "official");
                j.str("family", &who.family);
                j.arr("given", |j| {
                    j.item(who.given);
                    if let Some(middle) = who.middle {
                        j.item(middle);
                    }
                });
                j.arr("prefix", |j| j.item(who.title));
            });
            let age = today.age(who.birth);
            if age >= 16 && full {
                j.arr("telecom", |j| {
                    phone(j, &who.phone, "mobile");
                    if let Some(email) = &who.email {
                        j.object(|j| {
                            j.str("system", "email");
                            j.str("value", email);
                            j.str("use", "home");
                        });
                    }
                });
            }
            j.str("gender", gender(who.sex));
            j.day("birthDate", who.birth);
            if let Some(day) = who.death {
                j.day("deceasedDateTime", day);
            }
            j.arr("address", |j| {
                let since = who.moved.as_ref().map(|(_, day)| ("start", *day));
                address(j, &who.address, "home", since);
                if let (Some((old, day)), true) = (&who.moved, full) {
                    address(j, old, "old", Some(("end", day.plus(-1))));
                }
            });
            if !full {
                return;
            }
            if who.twin {
                j.bool("multipleBirthBoolean", true);
            }
            if !who.contacts.is_empty() {
                j.arr("contact", |j| {
                    for contact in &who.contacts {
                        j.object(|j| {
                            let (code, display) = relation(contact.relation);
                            let system = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
                            concepts(j, "relationship", system, code, display);
                            j.obj("name", |j| {
                                j.str("family", &contact.family);
                                j.arr("given", |j| j.item(contact.given));
                            });
                            j.arr("telecom", |j| phone(j, &contact.phone, "mobile"));
                            j.str("gender", gender(contact.sex));
                        });
                    }
                });
            }
            if let Some((tag, name)) = who.language {
                j.one("communication", |j| {
                    concept(j, "language", "urn:ietf:bcp:47", tag, name);
                    j.bool("preferred", true);
                });
            }
            let practice = &SOURCES[who.source(Setting::Gp)];
            j.one("generalPractitioner", |j| {
                if source.setting == Setting::Gp {
                    j.str("reference", "Organization/org");
                } else {
                    j.str("type", "Organization");
                    j.obj("identifier", |j| {
                        j.str("system", ODS);
                        j.str("value", practice.code);
                    });
                }
                j.str("display", practice.organisation);
            });
            refs.organisation(j, "managingOrganization");
        });
    }

    fn contacts(&mut self) {
        let who = self.who;
        for (at, contact) in who.contacts.iter().enumerate() {
            let id = self.id("rel", at);
            self.entry("RelatedPerson", &id, "UKCore-RelatedPerson", |j, refs| {
                j.bool("active", who.death.is_none());
                refs.patient(j, "patient");
                let (code, display) = relation(contact.relation);
                let system = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
                j.one("relationship", |j| {
                    j.one("coding", |j| coding(j, system, code, display));
                    j.str("text", contact.relation);
                });
                j.one("name", |j| {
                    j.str("family", &contact.family);
                    j.arr("given", |j| j.item(contact.given));
                });
                j.arr("telecom", |j| phone(j, &contact.phone, "mobile"));
                j.str("gender", gender(contact.sex));
            });
        }
    }
}
