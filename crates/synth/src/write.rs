//! Writes a city to a folder, for demonstrations, benches and the eyes.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use crate::json::Json;
use crate::{City, Config, Person, Sex, sources};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// People.
    pub people: u32,
    /// Bundles.
    pub bundles: u32,
    /// HL7 v2 messages.
    pub messages: u32,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Writes a city: `feeds/<source>/<index>.json`, `hl7/<source>/<index>-<number>-<type>.hl7`, `people.json` (everybody
/// who can sign in, with who may act for whom), `people.csv` and `sources.json`.
///
/// # Errors
/// Where a folder or a file cannot be written.
pub fn write(config: Config, out: &Path) -> io::Result<Summary> {
    let city = City::new(config);
    let mut summary = Summary { people: city.len(), ..Summary::default() };
    for source in sources() {
        fs::create_dir_all(out.join("feeds").join(source.name))?;
        if source.setting == crate::Setting::Hospital {
            fs::create_dir_all(out.join("hl7").join(source.name))?;
        }
    }
    let mut json = BufWriter::new(fs::File::create(out.join("people.json"))?);
    let mut csv = BufWriter::new(fs::File::create(out.join("people.csv"))?);
    csv.write_all(
        b"index,nhs_number,title,given,family,birth_date,death_date,sex,postcode,practice,delegates,story\n",
    )?;
    json.write_all(b"[\n")?;
    for person in city.people() {
        for feed in &person.feeds {
            let path = out.join("feeds").join(feed.source).join(format!("{:07}.json", person.index));
            fs::write(path, &feed.bundle)?;
            summary.bundles += 1;
            summary.bytes += feed.bundle.len() as u64;
        }
        for (number, message) in person.hl7.iter().enumerate() {
            let folder = out.join("hl7").join(message.source);
            let name = format!("{:07}-{:04}-{}.hl7", person.index, number + 1, message.kind.replace('^', "_"));
            fs::write(folder.join(name), &message.text)?;
            summary.messages += 1;
            summary.bytes += message.text.len() as u64;
        }
        if person.index > 0 {
            json.write_all(b",\n")?;
        }
        json.write_all(line(&person).as_bytes())?;
        csv.write_all(row(&person).as_bytes())?;
    }
    json.write_all(b"\n]\n")?;
    json.flush()?;
    csv.flush()?;
    fs::write(out.join("sources.json"), list())?;
    Ok(summary)
}

fn sex(person: &Person) -> &'static str {
    match person.sex {
        Sex::Female => "female",
        Sex::Male => "male",
    }
}

fn line(person: &Person) -> String {
    let mut json = Json::new(512);
    json.object(|j| {
        j.decimal("index", i32::try_from(person.index).expect("at most ten million"), 0);
        j.str("nhs_number", &person.nhs_number.digits());
        j.str("title", person.title);
        j.str("given", &person.given);
        j.str("family", &person.family);
        j.str("birth_date", &person.birth_date.to_string());
        if let Some(day) = person.death_date {
            j.str("death_date", &day.to_string());
        }
        j.str("sex", sex(person));
        j.str("postcode", &person.address.postcode);
        j.str("practice", person.practice);
        j.bool("can_sign_in", person.can_sign_in());
        j.arr("delegates", |j| {
            for delegate in &person.delegates {
                j.object(|j| {
                    j.decimal("index", i32::try_from(delegate.index).expect("at most ten million"), 0);
                    j.str("relation", delegate.relation);
                    j.str("basis", delegate.basis);
                });
            }
        });
        j.str("story", &person.story);
    });
    json.finish()
}

fn row(person: &Person) -> String {
    let mut delegates = String::new();
    for delegate in &person.delegates {
        let space = if delegates.is_empty() { "" } else { " " };
        write!(delegates, "{space}{}:{}", delegate.index, delegate.relation).expect("a string takes all text");
    }
    let death = person.death_date.map(|day| day.to_string()).unwrap_or_default();
    // No name, place or story has a quotation mark in it; stories have commas.
    format!(
        "{},{},{},\"{}\",\"{}\",{},{death},{},{},{},{delegates},\"{}\"\n",
        person.index,
        person.nhs_number.digits(),
        person.title,
        person.given,
        person.family,
        person.birth_date,
        sex(person),
        person.address.postcode,
        person.practice,
        person.story,
    )
}

fn list() -> String {
    let mut json = Json::new(4_096);
    json.object(|j| {
        j.arr("sources", |j| {
            for source in sources() {
                j.object(|j| {
                    j.str("name", source.name);
                    j.str("organisation", source.organisation);
                    j.str("code", source.code);
                });
            }
        });
    });
    json.finish()
}
