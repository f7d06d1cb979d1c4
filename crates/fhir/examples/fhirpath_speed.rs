//! How long FHIRPath takes: six expressions of search parameters on one Observation, and larger questions to a Bundle.
//! Run it with `cargo run --release -p keepwell-fhir --example fhirpath_speed [-- FOLDER-OF-BUNDLES]`.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use keepwell_fhir::definitions::r4;
use keepwell_fhir::fhirpath::{Context, Expression};
use keepwell_fhir::json::{Node, compact};

/// What a server extracts from an Observation to search for it.
const SEARCH: [&str; 6] = [
    "Observation.code",
    "Observation.subject",
    "(Observation.effective as dateTime) | (Observation.effective as Period)",
    "Observation.value as Quantity",
    "Observation.status",
    "Observation.encounter",
];

/// Questions to a whole Bundle.
const QUESTIONS: [&str; 6] = [
    "Bundle.entry.resource.ofType(Patient).name.given",
    "Bundle.entry.resource.ofType(Observation).where(code.coding.exists(system = 'http://loinc.org' and code = '8302-2')).value.value",
    "Bundle.entry.resource.where($this is Observation).code.coding.code.distinct().count()",
    "Bundle.entry.resource.ofType(Encounter).period.start.where($this > @2015-01-01T00:00:00Z).count()",
    "Bundle.entry.resource.ofType(Observation).value.ofType(Quantity).value.aggregate($this + $total, 0.0)",
    "Bundle.descendants().count()",
];

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "../shared/data/synthea-r4".to_owned());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(Path::new(&folder)).into_iter().flatten().flatten().map(|file| file.path()).collect();
    files.sort();
    let bundles: Vec<Vec<u8>> = files.iter().filter_map(|file| compact(&std::fs::read(file).ok()?).ok()).collect();
    let Some(bundle) = bundles.iter().min_by_key(|bundle| bundle.len().abs_diff(268_000)) else {
        println!("there are no Bundles in {folder}");
        return;
    };
    let bundle = Node::new(bundle).expect("a compact document is UTF-8");
    let observation = bundle
        .all("entry.resource")
        .into_iter()
        .find(|it| it.get_text("resourceType").as_deref() == Some("Observation") && it.get("valueQuantity").is_some())
        .expect("a Synthea Bundle has Observations");

    let parsed = best(20_000, || SEARCH.map(|text| Expression::parse(text).expect("it is valid")));
    println!("compile the six: {parsed:.2} µs");
    let expressions = SEARCH.map(|text| Expression::parse(text).expect("it is valid"));
    for (expression, text) in expressions.iter().zip(SEARCH) {
        let context = Context::of(r4(), observation);
        let time = best(200_000, || expression.evaluate(&context).expect("it is evaluated").len());
        println!("{time:7.3} µs  {text}");
    }
    let time = best(200_000, || {
        let context = Context::of(r4(), observation);
        expressions.iter().map(|it| it.evaluate(&context).expect("it is evaluated").len()).sum::<usize>()
    });
    println!("{time:7.3} µs  all six, with their context, on {} bytes", observation.raw().len());

    println!("a Bundle of {} bytes:", bundle.raw().len());
    for text in QUESTIONS {
        let expression = Expression::parse(text).expect("it is valid");
        let context = Context::of(r4(), bundle);
        let found = expression.evaluate(&context).expect("it is evaluated").len();
        let time = best(200, || expression.evaluate(&context).expect("it is evaluated").len());
        println!("{time:9.1} µs  {found:4} found  {text}");
    }
}

/// The mean of the best of many short rounds, in microseconds: a busy machine disturbs some of them only.
fn best<T>(times: u32, mut work: impl FnMut() -> T) -> f64 {
    const ROUNDS: u32 = 100;
    let each = (times / ROUNDS).max(1);
    let round = |work: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        for _ in 0..each {
            std::hint::black_box(work());
        }
        start.elapsed()
    };
    let shortest = (0..ROUNDS).map(|_| round(&mut work)).min().unwrap_or(Duration::ZERO);
    shortest.as_secs_f64() * 1e6 / f64::from(each)
}
