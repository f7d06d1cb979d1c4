//! Searching without saying whose record: only for systems that may, and only where they may see anyway.

use std::collections::BTreeSet;

use keepwell_record::EngineConfig;
use keepwell_service::{Client, Grant, SearchIn, ServiceConfig};
use serde_json::{Value, json};

use crate::fixture::{Fixture, bundle, observation, patient, put};
use crate::search::ask;

/// Five people, each with two results, and a system that may search them all.
async fn city(records: usize) -> (Fixture, Client, Vec<String>) {
    let config = ServiceConfig { search_records: records, ..ServiceConfig::demonstration() };
    let f = Fixture::with(EngineConfig::default(), config).await;
    let gp = f.client("gp").await;
    let mut people = Vec::new();
    for n in 1..=5 {
        let person = patient(&format!("{n}"), None, "Ann", &format!("Family{n}"), &format!("196{n}-01-01"));
        let result = |key: &str| put(observation(&format!("{n}{key}"), &format!("Patient/{n}"), "1"));
        let sent = f.send(&gp, &bundle(vec![put(person), result("a"), result("b")])).await.unwrap();
        people.push(sent.locations[0].strip_prefix("Patient/").unwrap().to_owned());
    }
    f.service.grant("gp", BTreeSet::from([Grant::SearchPeople])).await.unwrap();
    let granted = f.service.client("gp").await.unwrap().unwrap();
    people.sort();
    (f, granted, people)
}

fn next(page: &Value) -> Option<String> {
    link(page, "next")
}

/// The question that a link of a page asks.
fn link(page: &Value, relation: &str) -> Option<String> {
    let links = page["link"].as_array().unwrap();
    let link = links.iter().find(|link| link["relation"] == relation)?;
    Some(link["url"].as_str().unwrap().split_once('?').unwrap().1.to_owned())
}

async fn all(f: &Fixture, client: &Client, kind: &str, query: &str) -> Vec<String> {
    let (mut found, mut query) = (Vec::new(), query.to_owned());
    loop {
        let page = ask(f, client, SearchIn::Type(kind), &query).await.unwrap();
        let none = Vec::new();
        let entries = page["entry"].as_array().unwrap_or(&none).iter();
        found.extend(entries.map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
        match next(&page) {
            Some(more) => query = more,
            None => return found,
        }
    }
}

#[tokio::test]
async fn a_system_that_may_not_search_across_people_is_told_to_say_whose() {
    let (f, _, _) = city(100).await;
    let lab = f.client("lab").await;
    assert_eq!(ask(&f, &lab, SearchIn::Type("Patient"), "family=Family1").await, Err(422));
}

#[tokio::test]
async fn all_people_are_found_once_however_the_pages_are_cut() {
    for records in [1, 2, 100] {
        let (f, gp, people) = city(records).await;
        for count in [1, 2, 3, 50] {
            let found = all(&f, &gp, "Patient", &format!("given=ann&_count={count}")).await;
            let mut sorted = found.clone();
            sorted.sort();
            assert_eq!(sorted, people, "{records} {count}");
            let results = all(&f, &gp, "Observation", &format!("code=1005671000000105&_count={count}")).await;
            assert_eq!((results.len(), BTreeSet::from_iter(&results).len()), (10, 10), "{records} {count}");
        }
    }
    let (f, gp, people) = city(100).await;
    let whole =
        ask(&f, &gp, SearchIn::Type("Patient"), "family=family3&_revinclude=Observation:subject").await.unwrap();
    assert_eq!((&whole["total"], whole["entry"].as_array().unwrap().len()), (&json!(1), 3));
    let counted = ask(&f, &gp, SearchIn::Type("Observation"), "_summary=count").await.unwrap();
    assert_eq!(counted["total"], 10);
    let two = format!("patient={},{}", people[0], people[3]);
    assert_eq!(all(&f, &gp, "Observation", &two).await.len(), 4);
    assert_eq!(ask(&f, &gp, SearchIn::Type("Patient"), "_sort=family").await, Err(422));
}

#[tokio::test]
async fn pages_lead_back_as_they_lead_on_and_keep_the_form() {
    for (records, count) in [(100, 3), (2, 3), (100, 1)] {
        let (f, gp, _) = city(records).await;
        let ids = |page: &Value| page["entry"].as_array().map_or(0, Vec::len);
        let (mut pages, mut query) =
            (Vec::new(), format!("_count={count}&_format=application%2Ffhir%2Bjson&_pretty=true"));
        loop {
            let page = ask(&f, &gp, SearchIn::Type("Observation"), &query).await.unwrap();
            let more = next(&page);
            pages.push(page);
            match more {
                Some(more) => query = more,
                None => break,
            }
            assert!(query.ends_with("&_format=application/fhir%2Bjson&_pretty=true"), "{query}");
        }
        assert!(pages.len() > 2 && pages.iter().map(ids).sum::<usize>() == 10);
        assert!(link(&pages[0], "previous").is_none());
        for at in (1..pages.len()).rev() {
            let back = link(&pages[at], "previous").unwrap();
            let page = ask(&f, &gp, SearchIn::Type("Observation"), &back).await.unwrap();
            assert_eq!(page["entry"], pages[at - 1]["entry"], "{records} {count} {at}");
            assert!(back.ends_with("&_pretty=true"));
        }
    }
}

#[tokio::test]
async fn only_records_that_the_system_feeds_are_looked_into_and_each_that_shows_gets_a_line() {
    let (f, gp, _) = city(100).await;
    let lab = f.client("lab").await;
    let hers = f.send(&lab, &bundle(vec![put(crate::fixture::amina("9"))])).await.unwrap();
    let session = f.session().await;
    let before = f.service.who_looked(&session, 1).await.unwrap().total;
    assert!(all(&f, &gp, "Patient", "family=Khan").await.is_empty());
    let own = f.service.who_looked(&session, 1).await.unwrap().total;
    assert_eq!(own, before + 1, "only the look at the lines themselves");
    f.service.grant("lab", BTreeSet::from([Grant::SearchPeople])).await.unwrap();
    let lab = f.service.client("lab").await.unwrap().unwrap();
    assert_eq!(all(&f, &lab, "Patient", "family=Khan").await.len(), hers.locations.len());
    assert_eq!(f.service.who_looked(&session, 1).await.unwrap().total, own + 2);
}
