//! The R4 definitions, against facts of the specification.

use keepwell_fhir::definitions::{
    Content, Definitions, ElementDef, Membership, SearchKind, Severity, Strength, TypeKind, r4,
};
use keepwell_fhir::types;

fn element(of: &str, name: &str) -> &'static ElementDef {
    r4().type_named(of).unwrap().element_named(name).unwrap()
}

fn type_names(element: &ElementDef) -> Vec<&str> {
    element.types.iter().map(|it| &*it.name).collect()
}

#[test]
fn every_type_of_r4_is_defined_and_no_other() {
    let resources: Vec<_> = r4().types().filter(|it| it.kind == TypeKind::Resource).collect();
    let mut concrete: Vec<&str> = resources.iter().filter(|it| !it.is_abstract).map(|it| &*it.name).collect();
    concrete.sort_unstable();
    assert_eq!(concrete, types::all());
    assert_eq!(resources.len(), 148);
    let count = |kind| r4().types().filter(|it| it.kind == kind).count();
    assert_eq!((count(TypeKind::Primitive), count(TypeKind::Complex)), (20, 41));
    assert_eq!(count(TypeKind::Backbone), 473);
}

#[test]
fn elements_have_the_order_types_and_counts_of_the_specification() {
    let observation = r4().type_named("Observation").unwrap();
    let names: Vec<&str> = observation.elements.iter().map(|it| &*it.name).collect();
    assert_eq!(
        names[..8],
        ["id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension"]
    );
    assert_eq!(names[8..12], ["identifier", "basedOn", "partOf", "status"]);
    assert_eq!(names.last(), Some(&"component"));
    let component = element("Observation", "component");
    assert_eq!((component.min, component.max, component.repeats()), (0, None, true));
    assert_eq!(type_names(component), ["Observation.component"]);
    let backbone = r4().type_named("Observation.component").unwrap();
    assert_eq!((backbone.kind, backbone.base.as_deref()), (TypeKind::Backbone, Some("BackboneElement")));
    assert_eq!(type_names(backbone.element_named("referenceRange").unwrap()), ["Observation.referenceRange"]);
    let status = element("Observation", "status");
    assert_eq!((status.min, status.max, status.is_modifier, status.is_summary), (1, Some(1), true, true));
    let deceased = element("Patient", "deceased");
    assert!(deceased.is_choice && deceased.is_modifier);
    assert_eq!(type_names(deceased), ["boolean", "dateTime"]);
    assert_eq!(element("Extension", "value").types.len(), 50);
    assert!(element("Extension", "url").is_attribute && element("Element", "id").is_attribute);
    assert!(!element("Resource", "id").is_attribute);
    assert_eq!(type_names(element("Patient", "id")), ["id"]);
    assert_eq!(type_names(element("HumanName", "id")), ["string"]);
    assert_eq!(type_names(element("Timing", "repeat")), ["Timing.repeat"]);
    let subject = &element("Observation", "subject").types[0];
    assert_eq!(subject.target_profiles[0], "http://hl7.org/fhir/StructureDefinition/Patient");
}

#[test]
fn a_property_leads_to_its_element_and_type() {
    let observation = r4().type_named("Observation").unwrap();
    for (property, expected) in [
        ("valueQuantity", Some(("value", "Quantity"))),
        ("valueDateTime", Some(("value", "dateTime"))),
        ("valueString", Some(("value", "string"))),
        ("status", Some(("status", "code"))),
        ("component", Some(("component", "Observation.component"))),
        ("contained", Some(("contained", "Resource"))),
        ("value", None),
        ("valuequantity", None),
        ("valueAddress", None),
        ("valueQuantityx", None),
        ("statusCode", None),
        ("", None),
        ("_status", None),
        ("resourceType", None),
    ] {
        assert_eq!(observation.element(property).map(|(it, name)| (&*it.name, name)), expected, "{property}");
    }
}

#[test]
fn what_others_added_to_r4_is_not_there() {
    for (name, elements) in [("Meta", 8), ("Binary", 7), ("ResearchStudy", 32), ("EvidenceVariable", 35)] {
        let found: Vec<_> = r4().type_named(name).unwrap().elements.iter().map(|it| &it.name).collect();
        assert_eq!(found.len(), elements, "{name}: {found:?}");
    }
    let names: Vec<_> =
        r4().type_named("EvidenceVariable.characteristic").unwrap().elements.iter().map(|it| &*it.name).collect();
    assert_eq!(
        names[3..],
        [
            "description",
            "definition",
            "usageContext",
            "exclude",
            "participantEffective",
            "timeFromStart",
            "groupMeasure"
        ]
    );
    assert!(r4().type_named("SubscriptionStatus").is_none() && r4().type_named("ResearchStudy.label").is_none());
    assert_eq!(type_names(element("Bundle.entry.response", "outcome")), ["Resource"]);
}

#[test]
fn a_type_knows_what_it_builds_on() {
    for (name, ancestor, expected) in [
        ("Patient", "DomainResource", true),
        ("Patient", "Resource", true),
        ("Bundle", "DomainResource", false),
        ("Bundle", "Resource", true),
        ("code", "string", true),
        ("positiveInt", "integer", true),
        ("uuid", "uri", true),
        ("Age", "Quantity", true),
        ("string", "code", false),
        ("Observation.component", "BackboneElement", true),
        ("Nothing", "Resource", false),
    ] {
        assert_eq!(r4().is_a(name, ancestor), expected, "{name} is a {ancestor}");
    }
}

#[test]
fn invariants_stand_once_where_they_belong() {
    let patient = r4().type_named("Patient").unwrap();
    let keys: Vec<&str> = patient.invariants.iter().map(|it| &*it.key).collect();
    assert_eq!(keys, ["dom-2", "dom-3", "dom-4", "dom-5", "dom-6"]);
    assert_eq!(patient.invariants[4].severity(), Severity::Warning);
    let contact = r4().type_named("Patient.contact").unwrap();
    assert!(contact.invariants.iter().any(|it| it.key == "pat-1" && it.expression.contains("organization.exists()")));
    assert!(r4().type_named("HumanName").unwrap().invariants.iter().any(|it| it.key == "ele-1"));
    assert!(r4().type_named("Extension").unwrap().invariants.iter().any(|it| it.key == "ext-1"));
    let at_elements = |key: &str| {
        let elements = r4().types().flat_map(|it| &it.elements);
        elements.filter(|it| it.invariants.iter().any(|it| it.key == key)).count()
    };
    assert_eq!((at_elements("ele-1"), at_elements("ext-1"), at_elements("txt-1")), (0, 0, 1));
}

#[test]
fn primitives_have_their_regular_expressions() {
    let pattern = |name: &str| r4().type_named(name).unwrap().pattern.as_deref();
    assert_eq!(pattern("id"), Some(r"[A-Za-z0-9\-\.]{1,64}"));
    assert_eq!(pattern("boolean"), Some("true|false"));
    assert_eq!(pattern("positiveInt"), Some("[1-9][0-9]*"));
    assert!(pattern("dateTime").unwrap().starts_with("([0-9]([0-9]"));
    let without: Vec<_> =
        r4().types().filter(|it| it.kind == TypeKind::Primitive && it.pattern.is_none()).map(|it| &*it.name).collect();
    assert_eq!(without, ["xhtml"]);
}

#[test]
fn every_name_in_the_definitions_leads_somewhere() {
    for definition in r4().types() {
        assert!(definition.base.as_deref().is_none_or(|it| r4().type_named(it).is_some()), "{}", definition.name);
        for element in &definition.elements {
            assert!(!element.types.is_empty(), "{}.{}", definition.name, element.name);
            for reference in &element.types {
                assert!(r4().type_named(&reference.name).is_some(), "{}.{}", definition.name, element.name);
                for target in &reference.target_profiles {
                    let name = target.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap();
                    assert!(r4().type_named(name).is_some(), "{target}");
                }
            }
            assert!(element.is_choice || element.types.len() == 1, "{}.{}", definition.name, element.name);
        }
    }
}

#[test]
fn search_parameters_are_those_of_r4() {
    let codes = |name: &str| r4().search_parameters(name).map(|it| &*it.code).collect::<Vec<_>>();
    assert_eq!(
        codes("Bundle"),
        [
            "composition",
            "identifier",
            "message",
            "timestamp",
            "type",
            "_content",
            "_id",
            "_lastUpdated",
            "_profile",
            "_query",
            "_security",
            "_source",
            "_tag"
        ]
    );
    assert!(codes("Patient").contains(&"_text") && !codes("Bundle").contains(&"_text"));
    let birthdate = r4().search_parameter("Patient", "birthdate").unwrap();
    assert_eq!(birthdate.kind, SearchKind::Date);
    assert!(birthdate.expression.contains("Patient.birthDate"));
    assert_eq!(r4().search_parameter("Patient", "_id").unwrap().kind, SearchKind::Token);
    assert!(r4().search_parameter("Patient", "birthdat").is_none());
    let composite = r4().search_parameter("Observation", "code-value-quantity").unwrap();
    assert_eq!((composite.kind, composite.components.len()), (SearchKind::Composite, 2));
    assert_eq!(r4().search_parameter_at(&composite.components[0].definition).unwrap().code, "code");
    assert_eq!(
        r4().search_parameter("Observation", "subject").unwrap().targets,
        ["Group", "Device", "Patient", "Location"]
    );
}

#[test]
fn every_search_parameter_leads_somewhere() {
    let all = types::all().iter().flat_map(|name| r4().search_parameters(name));
    let mut seen = std::collections::HashSet::new();
    for parameter in all.filter(|it| seen.insert(&it.url)) {
        for name in parameter.base.iter().chain(&parameter.targets) {
            assert!(r4().type_named(name).is_some_and(|it| it.kind == TypeKind::Resource), "{}: {name}", parameter.url);
        }
        assert_eq!(parameter.kind == SearchKind::Composite, !parameter.components.is_empty(), "{}", parameter.url);
        for component in &parameter.components {
            assert!(r4().search_parameter_at(&component.definition).is_some(), "{}", component.definition);
        }
        let computed = ["_text", "_content", "_query", "_filter", "near"].contains(&&*parameter.code);
        assert!(computed || !parameter.expression.is_empty(), "{}", parameter.url);
    }
    assert!(seen.len() > 1_370, "{}", seen.len());
}

#[test]
fn the_patient_compartment_is_hl7s() {
    assert_eq!(r4().patient_compartment("Observation").unwrap(), ["subject", "performer"]);
    assert_eq!(r4().patient_compartment("Appointment").unwrap(), ["actor"]);
    assert_eq!(r4().patient_compartment("Organization"), None);
    for name in types::all() {
        for code in r4().patient_compartment(name).into_iter().flatten() {
            assert!(code == "{def}" || r4().search_parameter(name, code).is_some(), "{name}: {code}");
        }
    }
}

#[test]
fn required_bindings_can_be_checked() {
    let status = element("Observation", "status").binding.as_ref().unwrap();
    assert_eq!(status.strength, Strength::Required);
    let codes = r4().expand(status.value_set.as_deref().unwrap()).unwrap();
    assert_eq!(codes.entries().len(), 8);
    assert!(codes.is_complete());
    assert_eq!(codes.has(None, "final"), Membership::Yes);
    assert_eq!(codes.has(Some("http://hl7.org/fhir/observation-status"), "final"), Membership::Yes);
    assert_eq!(codes.has(Some("http://example.org"), "final"), Membership::No);
    assert_eq!(codes.has(None, "Final"), Membership::No);
    let other_version = r4().expand("http://hl7.org/fhir/ValueSet/observation-status|made-up").unwrap();
    assert!(std::sync::Arc::ptr_eq(&codes, &other_version), "what is made up by a caller takes no room");
    let mut missing = Vec::new();
    let mut open = Vec::new();
    for element in r4().types().flat_map(|it| &it.elements) {
        let Some(binding) = element.binding.as_ref().filter(|it| it.strength == Strength::Required) else { continue };
        let url = binding.value_set.as_deref().unwrap();
        match r4().expand(url) {
            None => missing.push(url),
            Some(codes) if !codes.is_complete() => open.push(url.split('|').next().unwrap()),
            Some(codes) => assert!(!codes.entries().is_empty(), "{url}"),
        }
    }
    open.sort_unstable();
    open.dedup();
    assert_eq!(missing, ["http://loinc.org/vs/LL379-9|4.0.1"]);
    let known = ["currencies", "mimetypes", "ucum-units"];
    let known: Vec<_> = known.iter().map(|it| format!("http://hl7.org/fhir/ValueSet/{it}")).collect();
    assert_eq!(open, known);
}

#[test]
fn filters_and_hierarchies_are_followed() {
    let codes = r4().expand("http://terminology.hl7.org/ValueSet/v3-ActEncounterCode").unwrap();
    let system = Some("http://terminology.hl7.org/CodeSystem/v3-ActCode");
    for (code, expected) in [("AMB", Membership::Yes), ("IMP", Membership::Yes), ("BEER", Membership::No)] {
        assert_eq!(codes.has(system, code), expected, "{code}");
    }
    let snomed = r4().expand("http://hl7.org/fhir/ValueSet/body-site").unwrap();
    assert_eq!(snomed.open_systems().collect::<Vec<_>>(), ["http://snomed.info/sct"]);
    assert_eq!(snomed.has(Some("http://snomed.info/sct"), "1"), Membership::Unknown);
    assert_eq!(snomed.has(Some("http://loinc.org"), "1"), Membership::No);
}

#[test]
fn every_code_system_and_value_set_can_be_read() {
    let (systems, sets) = (r4().code_system_urls(), r4().value_set_urls());
    let systems: Vec<_> = systems.map(|url| r4().code_system(url).unwrap()).collect();
    assert!(systems.len() > 1_000);
    for system in &systems {
        assert!(system.concepts.iter().all(|it| system.concept(&it.code).is_some_and(|found| found.code == it.code)));
        assert!(system.content != Content::NotPresent || system.concepts.is_empty());
    }
    let mut expanded = 0;
    for url in sets {
        assert!(r4().expand(url).is_some(), "{url}");
        expanded += 1;
    }
    assert!(expanded > 1_250, "{expanded}");
    let gender = r4().code_system("http://hl7.org/fhir/administrative-gender").unwrap();
    let male = gender.concept("male").unwrap();
    assert_eq!((male.display.as_deref(), male.definition.as_deref()), (Some("Male"), Some("Male.")));
    assert!(r4().code_system("http://hl7.org/fhir/administrative-gender|4.0.1").is_some());
    assert!(r4().code_system("http://terminology.hl7.org/CodeSystem/v2-0391|2.6").is_some());
}

#[test]
fn nothing_is_defined_without_resources() {
    let none = Definitions::default();
    assert!(none.type_named("Patient").is_none() && none.search_parameters("Patient").next().is_none());
    assert!(none.expand("http://hl7.org/fhir/ValueSet/administrative-gender").is_none());
}
