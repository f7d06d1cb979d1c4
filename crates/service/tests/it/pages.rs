//! Test results and measurements as pages get them.

use serde_json::json;

use crate::fixture::{AMINA, Fixture, amina, bundle, observation, put};

async fn filled() -> (Fixture, keepwell_service::Session) {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let mut late = observation("late", "Patient/1", "5.4");
    late["effectiveDateTime"] = json!("2026-11-20");
    late["referenceRange"] =
        json!([{ "low": { "value": 3.5, "unit": "mmol/L" }, "high": { "value": 5.3, "unit": "mmol/L" } }]);
    let mut mistake = observation("mistake", "Patient/1", "99");
    mistake["status"] = json!("entered-in-error");
    let report = json!({
        "resourceType": "DiagnosticReport", "id": "r", "status": "final",
        "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB" }] }],
        "code": { "text": "Kidney tests" }, "subject": { "reference": "Patient/1" },
        "effectiveDateTime": "2026-11-01T09:00:00Z", "conclusion": "No change.",
        "performer": [{ "reference": "Organization/lab" }],
        "result": [{ "reference": "Observation/k" }, { "reference": "Observation/k" }, { "reference": "Observation/gone" }],
    });
    let weight = json!({
        "resourceType": "Observation", "id": "w", "status": "final", "subject": { "reference": "Patient/1" },
        "code": { "coding": [{ "system": "http://loinc.org", "code": "29463-7", "display": "Body Weight" }] },
        "effectiveDateTime": "2026", "valueQuantity": { "value": 72, "unit": "kg", "code": "kg" },
    });
    let entries = vec![
        put(amina("1")),
        put(observation("k", "Patient/1", "4.2")),
        put(late),
        put(mistake),
        put(report),
        put(weight),
        put(json!({ "resourceType": "Organization", "id": "lab", "name": "Leeds Pathology" })),
        put(json!({ "resourceType": "Condition", "id": "c", "subject": { "reference": "Patient/1" } })),
    ];
    f.send(&gp, &bundle(entries)).await.unwrap();
    let session = f.session().await;
    (f, session)
}

#[tokio::test]
async fn test_results_are_reports_with_their_results_and_results_that_stand_alone() {
    let (f, session) = filled().await;
    let list = f.service.test_results(&session, 1).await.unwrap();
    let said: Vec<_> = list.items.iter().map(|it| (it.name.as_str(), it.items.len(), it.lab.as_deref())).collect();
    assert_eq!(said, [("Serum potassium level", 1, None), ("Kidney tests", 1, Some("Leeds Pathology"))]);
    let report = &list.items[1];
    assert_eq!((report.source.as_str(), report.conclusion.as_deref()), ("gp organisation", Some("No change.")));
    assert_eq!((report.items[0].value_text.as_str(), report.items[0].value), ("4.2", Some(4.2)));
    assert_eq!(report.received, crate::fixture::NOW);
    for item in &list.items {
        assert_eq!(&f.service.test_result(&session, &item.id).await.unwrap(), item);
    }
    let inside = f.service.test_result(&session, &report.items[0].id).await.unwrap();
    assert_eq!(inside.items, report.items);
    assert!(f.service.test_result(&session, "nonsense").await.is_err());
}

#[tokio::test]
async fn the_history_of_a_test_is_newest_first_with_the_newest_range() {
    let (f, session) = filled().await;
    let history = f.service.test_history(&session, "sct-1005671000000105").await.unwrap();
    let points: Vec<_> = history.points.iter().map(|point| (point.value_text.as_str(), point.outside)).collect();
    assert_eq!(points, [("5.4", Some(true)), ("4.2", None)]);
    assert_eq!(
        (history.unit.as_str(), history.one_unit, history.low, history.high),
        ("mmol/L", true, Some(3.5), Some(5.3))
    );
    assert!(f.service.test_history(&session, "sct-1").await.is_err());
}

#[tokio::test]
async fn home_counts_what_the_pages_show() {
    let (f, session) = filled().await;
    let home = f.service.home(&session).await.unwrap();
    assert_eq!((home.name.as_str(), home.birth_date.as_str()), ("Amina Khan", "1958-02-11"));
    assert_eq!(home.nhs_number.unwrap().digits(), AMINA);
    let counts: Vec<_> = home.categories.iter().map(|count| (count.category.key(), count.count)).collect();
    assert_eq!(counts, [("test-results", 2), ("measurements", 1), ("conditions", 1)]);
    assert_eq!(f.service.test_results(&session, 1).await.unwrap().total, 2);
    assert_eq!(f.service.measurements(&session, 1).await.unwrap().items[0].key, "weight");
}
