//! What people do, from start to end.

use super::browser::House;

fn reading<'a>(csrf: &'a str, key: &'a str, top: &'a str, day: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("csrf", csrf),
        ("form_key", key),
        ("systolic", top),
        ("diastolic", "82"),
        ("pulse", "72"),
        ("day", day),
        ("month", "November"),
        ("year", "2026"),
        ("time", "9:05am"),
    ]
}

#[tokio::test]
async fn a_resident_sees_results_their_history_and_a_file_of_it() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    let home = browser.get("/home").await;
    assert!(home.body.contains("Amina Khan") && home.body.contains("900 000 0009"));
    let list = browser.get("/record/test-results").await;
    assert!(list.body.contains("You have 6 test results."), "{}", list.body);
    let id = list.body.split("href=\"/record/test-results/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let item = browser.get(&format!("/record/test-results/{id}")).await;
    assert!(item.body.contains("outside the usual range"), "{}", item.body);
    let history = item.body.split("href=\"/record/test-results/history/").nth(1).and_then(|r| r.split('"').next());
    let history = browser.get(&format!("/record/test-results/history/{}", history.unwrap())).await;
    assert!(history.body.contains("went up from"), "{}", history.body);
    assert_eq!(history.body.matches("role=\"img\"").count(), 2);
    let file = history.body.split("href=\"").find(|rest| rest.contains("/csv\"")).and_then(|r| r.split('"').next());
    let file = browser.get(file.unwrap()).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(file.body.lines().count(), 7);
}

#[tokio::test]
async fn a_reading_is_added_once_however_often_the_form_is_sent() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    let form = browser.get("/record/measurements/add").await;
    let (csrf, key) = (form.field("csrf"), form.field("form_key"));
    assert_eq!(form.field("time"), "", "the time is no hidden field");
    for _ in 0..2 {
        let sent = browser.post("/record/measurements/add", &reading(&csrf, &key, "128", "23")).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let list = browser.get(sent.location()).await;
        assert!(list.body.contains("Saved") && list.body.contains("We did not send it to your GP surgery"));
        assert_eq!(list.body.matches("<strong><bdi dir=\"ltr\" class=\"nhsuk-u-nowrap\">128/82 mmHg").count(), 1);
        assert!(!list.body.contains("Call 999 if"));
    }
    let activity = browser.get("/sharing/activity").await;
    // One line for each time that the list was shown, and one for the home page of the sign-in.
    assert_eq!(activity.body.matches("You looked at 1 measurement.").count(), 2, "{}", activity.body);
}

#[tokio::test]
async fn a_very_high_reading_brings_its_safety_message_also_if_it_is_of_an_earlier_day() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    for n in 0..21 {
        let form = browser.get("/record/measurements/add").await;
        let (csrf, key) = (form.field("csrf"), form.field("form_key"));
        let day = (n % 10 + 10).to_string();
        let sent = browser.post("/record/measurements/add", &reading(&csrf, &key, "120", &day)).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
    }
    for day in ["23", "2"] {
        let form = browser.get("/record/measurements/add").await;
        let (csrf, key) = (form.field("csrf"), form.field("form_key"));
        let sent = browser.post("/record/measurements/add", &reading(&csrf, &key, "181", day)).await;
        let list = browser.get(sent.location()).await;
        assert!(list.body.contains("Call 999 if") && list.body.contains("call 111"), "on day {day}");
    }
}

#[tokio::test]
async fn a_good_reading_is_never_called_very_high_because_another_one_is() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    for (top, time) in [("181", "4:00pm"), ("124", "3:00pm")] {
        let form = browser.get("/record/measurements/add").await;
        let (csrf, key) = (form.field("csrf"), form.field("form_key"));
        let mut fields = reading(&csrf, &key, top, "23");
        fields[8].1 = time;
        let sent = browser.post("/record/measurements/add", &fields).await;
        let list = browser.get(sent.location()).await.body;
        assert!(list.contains("Call 999 if"), "the newest reading is still the very high one");
        assert_eq!(list.contains("is very high. It is saved"), top == "181");
        assert_eq!(list.contains("Your latest blood pressure is very high."), top == "124");
        assert_eq!(list.contains("nhsuk-notification-banner--success"), top == "124");
    }
}

#[tokio::test]
async fn mistakes_are_told_beside_the_fields_and_what_was_typed_is_kept() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    let form = browser.get("/record/measurements/add").await;
    let (csrf, key) = (form.field("csrf"), form.field("form_key"));
    let mut fields = reading(&csrf, &key, "<b>\"high\"", "31");
    fields[6].1 = "11";
    let answer = browser.post("/record/measurements/add", &fields).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("<title>Error: Add a blood pressure reading"));
    assert!(answer.body.contains("value=\"&#60;b&#62;&#34;high&#34;\""), "{}", answer.body);
    assert_eq!(answer.body.matches("Top number must be a whole number, like 128").count(), 2);
    assert_eq!(answer.body.matches("Date must be a real date").count(), 2);
    assert_eq!(answer.field("form_key"), key, "a corrected form is still the same form");
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere_and_clears_the_browser() {
    let house = House::new().await;
    let mut browser = house.amina().await;
    let before = browser.cookies.clone();
    let csrf = browser.get("/home").await.field("csrf");
    let answer = browser.post("/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(answer.location(), "/signed-out");
    assert_eq!(answer.headers["clear-site-data"], "\"cache\", \"cookies\", \"storage\"");
    assert!(browser.cookies.is_empty());
    browser.cookies = before;
    assert_eq!(browser.get("/home").await.location(), "/timed-out", "a kept cookie is worth nothing");
}
