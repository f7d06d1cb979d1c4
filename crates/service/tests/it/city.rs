//! A small synthetic city goes through the doors as the real one will: every source sends what it holds, and residents
//! sign in and look.

use bytes::Bytes;
use keepwell_service::{CareSetting, Category};
use keepwell_synth::{City, Config, Setting};

use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_feed_of_a_synthetic_city_is_taken_and_its_residents_see_their_records() {
    let f = Fixture::new().await;
    let mut clients = std::collections::HashMap::new();
    for source in keepwell_synth::sources() {
        let setting = match source.setting {
            Setting::MentalHealth => CareSetting::MentalHealth,
            Setting::SocialCare => CareSetting::SocialCare,
            _ => CareSetting::General,
        };
        let token = f.service.add_client(source.name, source.organisation, setting).await.unwrap();
        clients.insert(source.name, f.service.client_by_token(&token).await.unwrap().unwrap());
    }
    let city = City::new(Config { seed: 11, people: 40, today: jiff::civil::date(2026, 11, 23) });
    let (mut results, mut measurements, mut named) = (0, 0, 0);
    for person in city.people() {
        for feed in &person.feeds {
            let body = Bytes::from(feed.bundle.clone());
            let taken = f.service.transaction(&clients[feed.source], body.clone()).await;
            let taken = taken.unwrap_or_else(|error| panic!("{} {}: {:?}", person.index, feed.source, error.issues));
            assert!(taken.record.is_some());
            assert_eq!(f.service.transaction(&clients[feed.source], body).await.unwrap().changed, 0);
        }
        if !person.can_sign_in() {
            continue;
        }
        let token =
            f.sign_in(&person.nhs_number.digits(), &person.birth_date.to_string(), &person.family).await.unwrap();
        let session = f.service.session(token.secret()).await.unwrap().unwrap();
        let home = f.service.home(&session).await.unwrap();
        assert_eq!((home.nhs_number, &home.birth_date), (Some(person.nhs_number), &person.birth_date.to_string()));
        let count = |category| home.categories.iter().find(|it| it.category == category).map_or(0, |it| it.count);
        let tests = f.service.test_results(&session, 1).await.unwrap();
        assert_eq!(tests.total, count(Category::TestResults));
        assert_eq!(f.service.measurements(&session, 1).await.unwrap().total, count(Category::Measurements));
        for test in tests.items.iter().take(3) {
            assert!(!test.name.is_empty() && !test.source.is_empty() && test.when.is_some());
            named += usize::from(test.lab.is_some());
            let slug = test.items.iter().find_map(|item| item.test.as_deref());
            if let Some(slug) = slug {
                assert!(!f.service.test_history(&session, slug).await.unwrap().points.is_empty());
            }
        }
        results += tests.total;
        measurements += count(Category::Measurements);
        assert!(f.service.who_looked(&session, 1).await.unwrap().items.iter().all(|line| line.own));
    }
    assert!(results > 50 && measurements > 50 && named > 0, "{results} {measurements} {named}");
}
