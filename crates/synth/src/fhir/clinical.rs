//! Conditions, medicines, allergies, vaccinations, contacts, procedures, care plans and alerts.

use super::{Feed, UK_CORE, coding, concept, concepts, snomed};
use crate::codes::{self, DMD, SNOMED, UCUM};
use crate::json::Json;
use crate::life::{By, Problem, Way};

const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const VERIFIED: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

impl Feed<'_> {
    pub(super) fn clinical(&mut self) {
        self.visits();
        self.problems();
        self.allergies();
        if self.gp() {
            self.courses();
        }
        self.jabs();
        self.operations();
        self.plans();
        self.alerts();
    }

    /// A practice keeps every lasting condition on its list; others only what they found themselves.
    pub(super) fn lists(&self, problem: &Problem) -> bool {
        self.mine(problem.by) || self.gp() && problem.lasting
    }

    /// Who carries something on in this source.
    fn here(&self, by: By) -> By {
        if self.mine(by) { by } else { By { source: self.source, staff: 0 } }
    }

    fn problems(&mut self) {
        let record = self.record;
        let list = self.gp();
        for (at, problem) in record.problems.iter().enumerate() {
            if !self.lists(problem) {
                continue;
            }
            let by = self.here(problem.by);
            let id = self.id("cond", at);
            self.entry("Condition", &id, "UKCore-Condition", |j, refs| {
                let (code, display) =
                    if problem.ended.is_some() { ("resolved", "Resolved") } else { ("active", "Active") };
                concept(j, "clinicalStatus", CLINICAL, code, display);
                concept(j, "verificationStatus", VERIFIED, "confirmed", "Confirmed");
                let (code, display) = if list && problem.lasting {
                    ("problem-list-item", "Problem List Item")
                } else {
                    ("encounter-diagnosis", "Encounter Diagnosis")
                };
                concepts(j, "category", CATEGORY, code, display);
                snomed(j, "code", problem.code);
                refs.patient(j, "subject");
                j.day("onsetDateTime", problem.onset);
                if let Some(day) = problem.ended {
                    j.day("abatementDateTime", day);
                }
                j.day("recordedDate", problem.onset);
                refs.staff(j, "recorder", by);
            });
        }
    }

    fn courses(&mut self) {
        let (record, today) = (self.record, self.today);
        for (at, course) in record.courses.iter().enumerate() {
            let by = self.here(course.by);
            let reason = course.problem.filter(|p| self.lists(&record.problems[*p]));
            let id = self.id("med", at);
            let drug = course.drug;
            self.entry("MedicationRequest", &id, "UKCore-MedicationRequest", |j, refs| {
                let ended = course.end.is_some_and(|day| day <= today);
                j.str(
                    "status",
                    match (ended, course.acute) {
                        (true, true) => "completed",
                        (true, false) => "stopped",
                        (false, _) => "active",
                    },
                );
                j.str("intent", "order");
                let system = "http://terminology.hl7.org/CodeSystem/medicationrequest-category";
                concepts(j, "category", system, "community", "Community");
                concept(j, "medicationCodeableConcept", DMD, drug.code, drug.name);
                refs.patient(j, "subject");
                j.day("authoredOn", course.start);
                refs.staff(j, "requester", by);
                if let Some(problem) = reason {
                    j.one("reasonReference", |j| refs.own_reference(j, "Condition", "cond", problem));
                }
                let system = "http://terminology.hl7.org/CodeSystem/medicationrequest-course-of-therapy";
                let (code, display) = if course.acute {
                    ("acute", "Short course (acute) therapy")
                } else {
                    ("continuous", "Continuous long term therapy")
                };
                concept(j, "courseOfTherapyType", system, code, display);
                j.one("dosageInstruction", |j| {
                    j.str("text", drug.dose);
                    if drug.times > 0 {
                        j.obj("timing", |j| {
                            j.obj("repeat", |j| {
                                j.int("frequency", drug.times);
                                j.int("period", 1);
                                j.str("periodUnit", "d");
                            });
                        });
                    } else if drug.dose.contains("when needed") {
                        j.bool("asNeededBoolean", true);
                    }
                });
                j.obj("dispenseRequest", |j| {
                    j.obj("validityPeriod", |j| {
                        j.day("start", course.start);
                        if let Some(end) = course.end {
                            j.day("end", end);
                        }
                    });
                    j.obj("quantity", |j| {
                        j.int("value", drug.quantity.0);
                        j.str("unit", drug.quantity.1);
                    });
                });
            });
        }
    }

    fn allergies(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, allergy) in record.allergies.iter().enumerate().filter(|(_, a)| a.by.source == source) {
            let id = self.id("allergy", at);
            self.entry("AllergyIntolerance", &id, "UKCore-AllergyIntolerance", |j, refs| {
                let system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
                concept(j, "clinicalStatus", system, "active", "Active");
                let system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
                concept(j, "verificationStatus", system, "confirmed", "Confirmed");
                if allergy.reaction.is_some() {
                    j.str("type", "allergy");
                    j.arr("category", |j| j.item(allergy.category));
                }
                snomed(j, "code", allergy.substance);
                refs.patient(j, "patient");
                j.day("recordedDate", allergy.recorded);
                refs.staff(j, "recorder", allergy.by);
                if let Some((code, severity)) = allergy.reaction {
                    j.one("reaction", |j| {
                        concepts(j, "manifestation", SNOMED, code.code, code.term);
                        j.str("severity", severity);
                    });
                }
            });
        }
    }

    fn jabs(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, jab) in record.jabs.iter().enumerate().filter(|(_, j)| j.by.source == source) {
            let id = self.id("imm", at);
            let vaccine = jab.vaccine;
            self.entry("Immunization", &id, "UKCore-Immunization", |j, refs| {
                j.one("extension", |j| {
                    j.parts("url", &[UK_CORE, "Extension-UKCore-VaccinationProcedure"]);
                    snomed(j, "valueCodeableConcept", vaccine.procedure);
                });
                j.str("status", "completed");
                concept(j, "vaccineCode", DMD, vaccine.product.0, vaccine.product.1);
                refs.patient(j, "patient");
                j.day("occurrenceDateTime", jab.day);
                j.bool("primarySource", true);
                j.obj("manufacturer", |j| j.str("display", vaccine.maker));
                j.str("lotNumber", &jab.batch);
                j.day("expirationDate", jab.day.plus(240 - jab.day.0 % 60));
                if vaccine.needle {
                    let left = jab.dose % 2 == 1;
                    let (code, display) = if left {
                        ("368208006", "Left upper arm structure")
                    } else {
                        ("368209003", "Right upper arm structure")
                    };
                    concept(j, "site", SNOMED, code, display);
                    concept(j, "route", SNOMED, "78421000", "Intramuscular route");
                    j.obj("doseQuantity", |j| {
                        j.decimal("value", 5, 1);
                        j.str("unit", "milliliter");
                        j.str("system", UCUM);
                        j.str("code", "mL");
                    });
                } else {
                    concept(j, "route", SNOMED, "26643006", "Oral");
                }
                j.one("performer", |j| refs.staff(j, "actor", jab.by));
                j.one("protocolApplied", |j| {
                    let target = vaccine.target;
                    concepts(j, "targetDisease", SNOMED, target.code, target.term);
                    j.int("doseNumberPositiveInt", jab.dose);
                });
            });
        }
    }

    fn visits(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, visit) in record.visits.iter().enumerate().filter(|(_, v)| v.by.source == source) {
            let id = self.id("enc", at);
            self.entry("Encounter", &id, "UKCore-Encounter", |j, refs| {
                j.str("status", "finished");
                let (code, display) = match visit.way {
                    Way::Surgery | Way::Clinic => ("AMB", "ambulatory"),
                    Way::Telephone => ("VR", "virtual"),
                    Way::Home => ("HH", "home health"),
                    Way::Emergency => ("EMER", "emergency"),
                    Way::Stay(_) => ("IMP", "inpatient encounter"),
                };
                j.obj("class", |j| coding(j, ACT, code, display));
                concepts(j, "type", SNOMED, visit.kind.code, visit.kind.term);
                j.obj("serviceType", |j| j.str("text", visit.service));
                refs.patient(j, "subject");
                j.one("participant", |j| {
                    let system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
                    concepts(j, "type", system, "PPRF", "primary performer");
                    refs.staff(j, "individual", visit.by);
                });
                j.obj("period", |j| {
                    j.moment("start", visit.start);
                    j.moment("end", visit.start.plus(visit.minutes));
                });
                if let Some(reason) = visit.reason {
                    concepts(j, "reasonCode", SNOMED, reason.code, reason.term);
                }
                if let Way::Stay(method) = visit.way {
                    hospitalisation(j, method);
                }
                refs.organisation(j, "serviceProvider");
            });
        }
    }

    fn operations(&mut self) {
        let (record, source) = (self.record, self.source);
        for (at, operation) in record.operations.iter().enumerate().filter(|(_, o)| o.by.source == source) {
            let visit = operation.visit.filter(|v| self.mine(record.visits[*v].by));
            let id = self.id("proc", at);
            self.entry("Procedure", &id, "UKCore-Procedure", |j, refs| {
                j.str("status", "completed");
                snomed(j, "code", operation.code);
                refs.patient(j, "subject");
                if let Some(visit) = visit {
                    refs.own(j, "encounter", "Encounter", "enc", visit);
                }
                j.day("performedDateTime", operation.day);
                j.one("performer", |j| refs.staff(j, "actor", operation.by));
                if let Some(reason) = operation.reason {
                    concepts(j, "reasonCode", SNOMED, reason.code, reason.term);
                }
            });
        }
    }

    fn plans(&mut self) {
        let (record, source, today) = (self.record, self.source, self.today);
        let alive = self.who.death.is_none();
        for (at, plan) in record.plans.iter().enumerate().filter(|(_, p)| p.by.source == source) {
            let current = alive && plan.review > today;
            for (number, goal) in plan.goals.iter().enumerate() {
                let id = self.id("goal", at * 10 + number);
                self.entry("Goal", &id, "", |j, refs| {
                    j.str("lifecycleStatus", if current { "active" } else { "completed" });
                    j.obj("description", |j| j.str("text", goal));
                    refs.patient(j, "subject");
                    j.day("startDate", plan.start);
                });
            }
            let addresses: Vec<usize> =
                plan.problems.iter().copied().filter(|p| self.lists(&record.problems[*p])).collect();
            let id = self.id("plan", at);
            self.entry("CarePlan", &id, "UKCore-CarePlan", |j, refs| {
                j.str("status", if current { "active" } else { "completed" });
                j.str("intent", "plan");
                concepts(j, "category", SNOMED, codes::CARE_PLAN.code, codes::CARE_PLAN.term);
                j.str("title", plan.title);
                j.str("description", &plan.summary);
                refs.patient(j, "subject");
                j.obj("period", |j| {
                    j.day("start", plan.start);
                    j.day("end", plan.review);
                });
                j.day("created", plan.start);
                refs.staff(j, "author", plan.by);
                if !addresses.is_empty() {
                    j.arr("addresses", |j| {
                        for problem in &addresses {
                            j.object(|j| refs.own_reference(j, "Condition", "cond", *problem));
                        }
                    });
                }
                if !plan.goals.is_empty() {
                    j.arr("goal", |j| {
                        for number in 0..plan.goals.len() {
                            j.object(|j| refs.own_reference(j, "Goal", "goal", at * 10 + number));
                        }
                    });
                }
                j.arr("activity", |j| {
                    for activity in &plan.activities {
                        j.object(|j| {
                            j.obj("detail", |j| {
                                j.str("status", if current { "in-progress" } else { "completed" });
                                j.str("description", activity);
                            });
                        });
                    }
                });
            });
        }
    }

    fn alerts(&mut self) {
        let (record, source) = (self.record, self.source);
        let alive = self.who.death.is_none();
        for (at, alert) in record.alerts.iter().enumerate().filter(|(_, a)| a.by.source == source) {
            let id = self.id("flag", at);
            self.entry("Flag", &id, "UKCore-Flag", |j, refs| {
                j.str("status", if alive { "active" } else { "inactive" });
                let system = "http://terminology.hl7.org/CodeSystem/flag-category";
                concepts(j, "category", system, alert.category.0, alert.category.1);
                j.obj("code", |j| j.str("text", alert.text));
                refs.patient(j, "subject");
                j.obj("period", |j| j.day("start", alert.start));
                refs.staff(j, "author", alert.by);
            });
        }
    }
}

fn hospitalisation(j: &mut Json, method: &str) {
    j.obj("hospitalization", |j| {
        let display = match method {
            "11" => "Elective Admission: Waiting list",
            "13" => "Elective Admission: Planned",
            "21" => {
                "Emergency Admission: Emergency Care Department or dental casualty department of the Health Care Provider"
            }
            "31" => "Maternity Admission: Admitted ante partum",
            "82" => "Other Admission: The birth of a baby in this Health Care Provider",
            _ => "Admission Method not known",
        };
        j.one("extension", |j| {
            j.parts("url", &[UK_CORE, "Extension-UKCore-AdmissionMethod"]);
            let system = "https://fhir.hl7.org.uk/CodeSystem/UKCore-AdmissionMethodEngland";
            concept(j, "valueCodeableConcept", system, method, display);
        });
        j.obj("dischargeDisposition", |j| {
            j.one("coding", |j| {
                j.str("system", "https://fhir.hl7.org.uk/CodeSystem/UKCore-DischargeDestinationEngland");
                j.str("code", "19");
            });
            j.str("text", "Usual place of residence");
        });
    });
}
