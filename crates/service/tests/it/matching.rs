//! NN-4: nobody is matched on an NHS number alone.

use keepwell_record::SideTable;

use crate::fixture::{AMINA, Fixture, OTHER, amina, bundle, observation, patient, put};

#[tokio::test]
async fn nn_4_the_right_number_with_a_wrong_birth_date_goes_to_the_queue_and_never_into_the_record() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let first = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let wrong = patient("L", Some(AMINA), "Amina", "Khan", "1958-11-02");
    let sent = bundle(vec![put(wrong), put(observation("k", "Patient/L", "4.2"))]);
    let refused = f.send(&lab, &sent).await.unwrap_err();
    assert_eq!(refused.status, 422);
    let task = refused.task.clone().unwrap();
    assert!(String::from_utf8(refused.outcome().to_vec()).unwrap().contains(&task));
    assert_eq!(f.send(&lab, &sent).await.unwrap_err().task.as_deref(), Some(task.as_str()));
    let kept = f.tenant.side_list(SideTable::Task).await.unwrap();
    assert_eq!(kept.len(), 1);
    let (head, body) = kept[0].split_at(kept[0].iter().position(|b| *b == b'\n').unwrap());
    assert!(String::from_utf8_lossy(head).contains(&task));
    assert_eq!(body[1..], serde_json::to_vec(&sent).unwrap());
    let record = f.tenant.open(first.response.record.unwrap()).await.unwrap().unwrap();
    assert_eq!((record.head().seq.0, record.entries().count()), (1, 1));
}

#[tokio::test]
async fn nn_4_the_right_number_with_a_wrong_family_name_is_refused_and_another_spelling_is_not() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let first =
        f.send(&gp, &bundle(vec![put(patient("1", Some(AMINA), "Zoë", "O'Neill-Núñez", "1958-02-11"))])).await.unwrap();
    let wrong = patient("L", Some(AMINA), "Zoë", "Smith", "1958-02-11");
    assert!(f.send(&lab, &bundle(vec![put(wrong)])).await.unwrap_err().task.is_some());
    let spelt = patient("L", Some(AMINA), "ZOE", "ONEILL NUNEZ", "1958-02-11");
    assert_eq!(f.send(&lab, &bundle(vec![put(spelt)])).await.unwrap().response.record, first.response.record);
}

#[tokio::test]
async fn nn_4_a_number_without_birth_date_or_name_begins_no_record() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    for (family, birth_date) in [("Khan", "1958"), ("", "1958-02-11")] {
        let bare = patient("1", Some(AMINA), "Amina", family, birth_date);
        assert_eq!(f.send(&gp, &bundle(vec![put(bare)])).await.unwrap_err().status, 422);
    }
}

#[tokio::test]
async fn without_a_number_the_sources_own_id_leads_to_the_record_until_a_number_comes() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let bare = patient("1", None, "Amina", "Khan", "1958-02-11");
    let first = f.send(&gp, &bundle(vec![put(bare)])).await.unwrap();
    assert!(f.sign_in(AMINA, "1958-02-11", "Khan").await.is_err());
    let traced = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    assert_eq!(traced.response.record, first.response.record);
    assert!(f.sign_in(AMINA, "1958-02-11", "Khan").await.is_ok());
}

#[tokio::test]
async fn two_sources_with_the_same_patient_id_are_two_people_unless_the_number_says_otherwise() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    let one = f.send(&gp, &bundle(vec![put(patient("1", None, "Amina", "Khan", "1958-02-11"))])).await.unwrap();
    let two = f.send(&lab, &bundle(vec![put(patient("1", None, "Amina", "Khan", "1958-02-11"))])).await.unwrap();
    assert_ne!(one.response.record, two.response.record);
}

#[tokio::test]
async fn a_number_that_leads_elsewhere_than_the_sources_id_goes_to_the_queue() {
    let f = Fixture::new().await;
    let (gp, lab) = (f.client("gp").await, f.client("lab").await);
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    f.send(&lab, &bundle(vec![put(patient("L", None, "Amina", "Khan", "1958-02-11"))])).await.unwrap();
    assert!(f.send(&lab, &bundle(vec![put(amina("L"))])).await.unwrap_err().task.is_some());
}

#[tokio::test]
async fn a_person_who_marries_keeps_the_record_and_signs_in_with_either_name_that_a_source_gives() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    let first = f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let married = patient("1", Some(AMINA), "Amina", "Shah", "1958-02-11");
    assert_eq!(f.send(&gp, &bundle(vec![put(married)])).await.unwrap().response.record, first.response.record);
    assert!(f.sign_in(AMINA, "1958-02-11", "shah").await.is_ok());
    assert!(f.sign_in(AMINA, "1958-02-11", "Khan").await.is_err());
}

#[tokio::test]
async fn a_patient_id_that_comes_back_as_somebody_else_goes_to_the_queue_even_after_a_deletion() {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    let somebody = bundle(vec![put(patient("1", Some(OTHER), "Ben", "Moss", "1990-01-01"))]);
    assert!(f.send(&gp, &somebody).await.unwrap_err().task.is_some());
    let nameless = bundle(vec![put(patient("1", None, "Ben", "Moss", "1990-01-01"))]);
    assert!(f.send(&gp, &nameless).await.unwrap_err().task.is_some());
    f.send(&gp, &bundle(vec![crate::fixture::delete("Patient/1")])).await.unwrap();
    assert!(f.send(&gp, &somebody).await.unwrap_err().task.is_some());
    assert!(f.send(&gp, &nameless).await.unwrap_err().task.is_some());
    assert!(f.send(&gp, &bundle(vec![put(amina("1"))])).await.is_ok());
}
