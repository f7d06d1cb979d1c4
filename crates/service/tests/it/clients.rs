//! Registered source systems.

use keepwell_service::{CareSetting, ServiceError};

use crate::fixture::Fixture;

#[tokio::test]
async fn a_token_leads_to_its_system_and_nothing_else_does() {
    let f = Fixture::new().await;
    let token = f.service.add_client("gp-1", "Leeds surgery", CareSetting::General).await.unwrap();
    assert!(token.starts_with("kw_") && token.len() == 46);
    let client = f.service.client_by_token(&token).await.unwrap().unwrap();
    assert_eq!((client.name.as_str(), client.organisation.as_str()), ("gp-1", "Leeds surgery"));
    for wrong in
        ["", "kw_", "gp-1", &token[..45], &token.to_uppercase(), &format!("{token}x"), &token.replace("kw_", "kx_")]
    {
        assert!(f.service.client_by_token(wrong).await.unwrap().is_none(), "{wrong}");
    }
    assert_eq!(f.service.clients().await.unwrap(), std::slice::from_ref(&*client));
    assert_eq!(f.service.client("gp-1").await.unwrap(), Some((*client).clone()));
}

#[tokio::test]
async fn what_changes_about_a_system_counts_for_its_next_request() {
    let f = Fixture::new().await;
    let token = f.service.add_client("gp-1", "Leeds surgery", CareSetting::General).await.unwrap();
    assert_eq!(f.service.client_by_token(&token).await.unwrap().unwrap().setting, CareSetting::General);
    let other = f.service.add_client("gp-1", "Leeds clinic", CareSetting::SexualHealth).await.unwrap();
    for token in [token, other] {
        let client = f.service.client_by_token(&token).await.unwrap().unwrap();
        assert_eq!((client.organisation.as_str(), client.setting), ("Leeds clinic", CareSetting::SexualHealth));
    }
}

#[tokio::test]
async fn a_name_that_could_be_taken_for_something_else_is_refused() {
    let f = Fixture::new().await;
    for name in ["", "a", "GP", "gp 1", "keepwell/own", "gp/../x", "-gp", "gé", &"a".repeat(41)] {
        let refused = f.service.add_client(name, "Org", CareSetting::General).await;
        assert!(matches!(refused, Err(ServiceError::Invalid(_))), "{name}");
    }
    assert!(f.service.add_client("gp", "  ", CareSetting::General).await.is_err());
}

#[tokio::test]
async fn a_grant_holds_until_it_is_taken_away_or_the_name_is_registered_again() {
    let f = Fixture::new().await;
    f.client("gp").await;
    let grants = async || f.service.client("gp").await.unwrap().unwrap().grants;
    assert!(grants().await.is_empty());
    let search = std::collections::BTreeSet::from([keepwell_service::Grant::SearchPeople]);
    f.service.grant("gp", search.clone()).await.unwrap();
    assert_eq!(grants().await, search);
    f.client("gp").await;
    assert!(grants().await.is_empty());
    assert!(f.service.grant("nobody", search).await.is_err());
}
