//! A resident adds a blood pressure reading.

use keepwell_service::{BloodPressureForm, Category, Problem, ServiceError};

use crate::fixture::Fixture;

fn form(systolic: &str, diastolic: &str) -> BloodPressureForm {
    BloodPressureForm {
        systolic: systolic.to_owned(),
        diastolic: diastolic.to_owned(),
        pulse: "68".to_owned(),
        date: "2026-11-23".to_owned(),
        time: "8:15am".to_owned(),
        form_key: "form-key-1".to_owned(),
    }
}

#[tokio::test]
async fn a_reading_is_in_the_list_with_its_values_and_who_added_it() {
    let f = Fixture::new().await;
    let (_, session) = f.amina().await;
    let added = f.service.add_blood_pressure(&session, &form("128", "76")).await.unwrap();
    assert!(!added.severe && !added.repeated);
    let list = f.service.measurements(&session, 1).await.unwrap();
    assert_eq!(list.items, std::slice::from_ref(&added.reading));
    let reading = added.reading;
    let values: Vec<_> = reading.values.iter().map(|v| (v.key, v.value_text.as_str(), v.unit.as_str())).collect();
    assert_eq!(values, [("systolic", "128", "mmHg"), ("diastolic", "76", "mmHg"), ("pulse", "68", "beats a minute")]);
    assert_eq!((reading.key, reading.source.as_str(), reading.own), ("blood-pressure", "Amina Khan", true));
    assert_eq!(reading.when.unwrap().text, "2026-11-23T08:15:00+00:00");
    let home = f.service.home(&session).await.unwrap();
    assert!(home.categories.iter().any(|count| count.category == Category::Measurements && count.count == 1));
    assert_eq!(home.latest_measurement.unwrap().id, reading.id);
}

#[tokio::test]
async fn the_same_form_sent_twice_or_at_once_adds_one_reading_and_a_changed_one_another() {
    let f = Fixture::new().await;
    let (_, session) = f.amina().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (service, session) = (f.service.clone(), session.clone());
        tasks.spawn(async move { service.add_blood_pressure(&session, &form("128", "76")).await.unwrap().repeated });
    }
    assert_eq!(tasks.join_all().await.iter().filter(|repeated| !**repeated).count(), 1);
    assert_eq!(f.service.measurements(&session, 1).await.unwrap().total, 1);
    assert!(!f.service.add_blood_pressure(&session, &form("182", "76")).await.unwrap().repeated);
    assert_eq!(f.service.measurements(&session, 1).await.unwrap().total, 2);
}

#[tokio::test]
async fn bp_6_a_severe_reading_says_so_at_once() {
    let f = Fixture::new().await;
    let (_, session) = f.amina().await;
    for (systolic, diastolic, severe) in [("179", "119", false), ("180", "80", true), ("130", "120", true)] {
        let added = f.service.add_blood_pressure(&session, &form(systolic, diastolic)).await.unwrap();
        assert_eq!((added.severe, added.reading.severe), (severe, severe), "{systolic}/{diastolic}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_field_by_field_and_nothing_is_added() {
    let f = Fixture::new().await;
    let (_, session) = f.amina().await;
    let problems = |error: ServiceError| match error {
        ServiceError::Invalid(errors) => errors.iter().map(|e| (e.field, e.problem)).collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    let wrong = BloodPressureForm { date: "1958-02-10".to_owned(), ..form("76", "128") };
    let refused = problems(f.service.add_blood_pressure(&session, &wrong).await.unwrap_err());
    assert_eq!(refused, [("systolic", Problem::NotAbove), ("date", Problem::BeforeBirth)]);
    for form_key in ["", "short", "has blanks in it", &"x".repeat(65)] {
        let odd = BloodPressureForm { form_key: form_key.to_owned(), ..form("128", "76") };
        let refused = problems(f.service.add_blood_pressure(&session, &odd).await.unwrap_err());
        assert_eq!(refused, [("form_key", Problem::BadForm)]);
    }
    assert_eq!(f.service.measurements(&session, 1).await.unwrap().total, 0);
}
