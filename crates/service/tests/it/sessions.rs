//! Signing in, and how long it lasts (NN-4, NL-2, NL-4).

use keepwell_service::{Assurance, SignInError};

use crate::fixture::{AMINA, Fixture, NOW, OTHER, amina, bundle, identity, put};

async fn with_amina() -> Fixture {
    let f = Fixture::new().await;
    let gp = f.client("gp").await;
    f.send(&gp, &bundle(vec![put(amina("1"))])).await.unwrap();
    f
}

#[tokio::test]
async fn nn_4_unknown_and_different_details_get_the_same_answer() {
    let f = with_amina().await;
    assert!(f.sign_in(AMINA, "1958-02-11", "KHAN").await.is_ok());
    for (number, birth_date, family) in [
        (AMINA, "1958-02-12", "Khan"),
        (AMINA, "1958-02-11", "Kahn"),
        (AMINA, "1958", "Khan"),
        (AMINA, "1958-02-11", ""),
        (AMINA, "", ""),
        (OTHER, "1958-02-11", "Khan"),
        ("", "1958-02-11", "Khan"),
    ] {
        assert_eq!(
            f.sign_in(number, birth_date, family).await,
            Err(SignInError::NoMatch),
            "{number} {birth_date} {family}"
        );
    }
}

#[tokio::test]
async fn nl_2_an_identity_that_was_not_proved_reaches_no_record() {
    let f = with_amina().await;
    for assurance in [Assurance::Low, Assurance::Medium] {
        let identity = keepwell_service::VerifiedIdentity { assurance, ..identity(AMINA, "1958-02-11", "Khan") };
        assert_eq!(f.service.sign_in(identity).await, Err(SignInError::NotProved));
    }
}

#[tokio::test]
async fn nl_4_a_session_ends_after_30_minutes_without_use() {
    let f = with_amina().await;
    let token = f.sign_in(AMINA, "1958-02-11", "Khan").await.unwrap();
    let open = || async { f.service.session(token.secret()).await.unwrap().is_some() };
    for _ in 0..3 {
        f.clock.advance(29 * 60 + 59);
        assert!(open().await);
    }
    // A use that is noted in memory only counts to the second too.
    f.clock.advance(30);
    assert!(open().await);
    f.clock.advance(29 * 60 + 59);
    assert!(open().await);
    f.clock.advance(30 * 60 + 1);
    assert!(!open().await);
    f.clock.set(NOW);
    assert!(!open().await, "a session that ended stays ended when the clock steps back");
}

#[tokio::test]
async fn nl_4_a_session_ends_after_12_hours_however_much_it_is_used() {
    let f = with_amina().await;
    let token = f.sign_in(AMINA, "1958-02-11", "Khan").await.unwrap();
    for _ in 0..47 {
        f.clock.advance(15 * 60);
        assert!(f.service.session(token.secret()).await.unwrap().is_some());
    }
    f.clock.set(NOW.plus_seconds(12 * 3_600 - 1));
    let session = f.service.session(token.secret()).await.unwrap().unwrap();
    assert_eq!(session.ends, NOW.plus_seconds(12 * 3_600));
    f.clock.set(NOW.plus_seconds(12 * 3_600 + 1));
    assert!(f.service.session(token.secret()).await.unwrap().is_none());
}

#[tokio::test]
async fn another_service_on_the_same_store_knows_the_session() {
    let f = with_amina().await;
    let token = f.sign_in(AMINA, "1958-02-11", "Khan").await.unwrap();
    let random = std::sync::Arc::new(keepwell_model::SeededRandom::new(8));
    let other = keepwell_service::Service::new(f.tenant.clone(), f.clock.clone(), random, f.service.config().clone());
    f.clock.advance(20 * 60);
    assert!(f.service.session(token.secret()).await.unwrap().is_some());
    f.clock.advance(20 * 60);
    assert!(other.session(token.secret()).await.unwrap().is_some());
}

#[tokio::test]
async fn every_sign_in_gives_another_token_and_form_secret_and_signing_out_ends_one() {
    let f = with_amina().await;
    let (one, two) =
        (f.sign_in(AMINA, "1958-02-11", "Khan").await.unwrap(), f.sign_in(AMINA, "1958-02-11", "Khan").await.unwrap());
    let first = f.service.session(one.secret()).await.unwrap().unwrap();
    let second = f.service.session(two.secret()).await.unwrap().unwrap();
    assert_ne!((one.secret(), first.csrf.as_str()), (two.secret(), second.csrf.as_str()));
    assert_eq!((first.display_name.as_str(), first.birth_date.as_str()), ("Amina Khan", "1958-02-11"));
    f.service.sign_out(one.secret()).await.unwrap();
    assert!(f.service.session(one.secret()).await.unwrap().is_none());
    assert!(f.service.session(two.secret()).await.unwrap().is_some());
    for odd in ["", "x", &"a".repeat(43), &format!("used:{}", &two.secret()[..38])] {
        assert!(f.service.session(odd).await.unwrap().is_none());
    }
}
