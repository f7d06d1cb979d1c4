//! How many resources a second the validator checks on one core: every resource of a folder of FHIR Bundles in JSON.
//! Run it with `cargo run --release --example validate_speed -- FOLDER [ROUNDS]`.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use keepwell_fhir::bundle::Bundle;
use keepwell_fhir::definitions::r4;
use keepwell_fhir::json::{Node, check};
use keepwell_fhir::outcome::Severity;
use keepwell_fhir::validate::{Options, Validator};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "../shared/data/synthea-r4".to_owned());
    let rounds: u32 = arguments.next().and_then(|it| it.parse().ok()).unwrap_or(5);
    let resources = resources(Path::new(&folder));
    let bytes: usize = resources.iter().map(Vec::len).sum();
    let start = Instant::now();
    let definitions = r4();
    println!("definitions read in {:?}", start.elapsed());
    let start = Instant::now();
    let validator = Validator::new(definitions);
    println!("rules compiled in {:?}", start.elapsed());
    let start = Instant::now();
    let (mut errors, mut warnings) = (0, 0);
    for resource in &resources {
        let report = validator.validate(resource, &Options::default());
        errors += report.errors().count();
        warnings += report.issues.iter().filter(|it| it.severity == Severity::Warning).count();
    }
    println!("first round {:?}: {errors} errors, {warnings} warnings", start.elapsed());
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let start = Instant::now();
        for resource in &resources {
            std::hint::black_box(validator.validate(resource, &Options::default()));
        }
        best = best.min(start.elapsed());
    }
    let seconds = best.as_secs_f64();
    println!(
        "{} resources, {:.1} MB: {:.0} resources/s, {:.0} MB/s",
        resources.len(),
        bytes as f64 / 1e6,
        resources.len() as f64 / seconds,
        bytes as f64 / 1e6 / seconds
    );
    by_type(&validator, &resources);
}

/// The time of each resource type.
fn by_type(validator: &Validator, resources: &[Vec<u8>]) {
    let mut types: BTreeMap<String, (u32, usize, Duration)> = BTreeMap::new();
    for resource in resources {
        let name = Node::new(resource).and_then(|it| it.get_text("resourceType")).unwrap_or_default().into_owned();
        let start = Instant::now();
        std::hint::black_box(validator.validate(resource, &Options::default()));
        let (count, bytes, time) = types.entry(name).or_default();
        (*count, *bytes, *time) = (*count + 1, *bytes + resource.len(), *time + start.elapsed());
    }
    for (name, (count, bytes, time)) in types {
        let each = time.as_secs_f64() * 1e6 / f64::from(count);
        println!("{name:24} {count:6} × {:6} bytes {each:8.2} µs", bytes / count as usize);
    }
}

/// The resources of all Bundles of a folder, compact.
fn resources(folder: &Path) -> Vec<Vec<u8>> {
    let mut resources = Vec::new();
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(bytes) = std::fs::read(file.path()) else { continue };
        let Ok(checked) = check(&bytes) else { continue };
        let Ok(bundle) = Bundle::read(&checked.bytes, &checked.outline) else { continue };
        for entry in &bundle.entries {
            resources
                .extend(entry.resource.as_ref().and_then(|(_, range)| checked.bytes.get(range.clone())).map(Vec::from));
        }
    }
    resources
}
