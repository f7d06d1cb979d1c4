//! Rules of the HL7 v2 messages.

use std::collections::HashSet;

use jiff::civil::date;
use keepwell_synth::{City, Config};

/// The text that an escaped field stands for.
fn unescape(field: &str) -> String {
    let mut out = String::new();
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let end = rest[at + 1..].find('\\').expect("an escape sequence ends") + at + 1;
        out.push_str(match &rest[at + 1..end] {
            "F" => "|",
            "S" => "^",
            "T" => "&",
            "R" => "~",
            "E" => "\\",
            ".br" => "\n",
            other => panic!("unknown escape sequence {other}"),
        });
        rest = &rest[end + 1..];
    }
    out + rest
}

#[test]
fn every_message_parses_back_and_names_its_person() {
    let city = City::new(Config { seed: 4, people: 300, today: date(2026, 11, 23) });
    let (mut kinds, mut controls, mut escaped) = (HashSet::new(), HashSet::new(), 0);
    for person in city.people() {
        for message in &person.hl7 {
            kinds.insert(message.kind);
            assert!(
                message.text.ends_with('\r') && !message.text.contains('\n'),
                "segments end with a carriage return"
            );
            let segments: Vec<Vec<&str>> =
                message.text.trim_end_matches('\r').split('\r').map(|s| s.split('|').collect()).collect();
            let header = &segments[0];
            assert_eq!((header[0], header[1]), ("MSH", "^~\\&"));
            assert!(header[8].starts_with(message.kind));
            assert_eq!(header[11], "2.5.1");
            assert!(controls.insert((message.source, header[9].to_owned())), "control id {} twice", header[9]);
            let known = [
                "MSH", "EVN", "PID", "PD1", "PV1", "DG1", "ORC", "OBR", "OBX", "NTE", "SCH", "RGS", "AIS", "AIP", "TXA",
            ];
            for segment in &segments {
                assert!(known.contains(&segment[0]), "{}", segment[0]);
                for field in &segment[2.min(segment.len())..] {
                    unescape(field);
                }
            }
            let pid = segments.iter().find(|s| s[0] == "PID").expect("every message names a person");
            assert!(pid[3].starts_with(&format!("{}^^^NHS^NH~", person.nhs_number.digits())));
            let family = pid[5].split('^').next().unwrap();
            assert_eq!(unescape(family), person.family);
            assert_eq!(pid[7], person.birth_date.strftime("%Y%m%d").to_string());
            if message.kind == "MDM^T02" {
                let text = unescape(segments.iter().find(|s| s[0] == "OBX").unwrap()[5]);
                assert!(text.contains("\nAbout: ") && text.contains(&person.nhs_number.to_string()));
                escaped += u32::from(text.contains('&'));
            }
            if let Some(document) = segments.iter().find(|s| s[0] == "TXA") {
                assert!(document[9].contains('^') && document[12].starts_with('D') && document[19] == "AV");
            }
            if message.kind == "ADT^A01" {
                let stay = segments.iter().find(|s| s[0] == "PV1").unwrap();
                assert!(!stay[44].is_empty() && stay.len() <= 46);
                assert!(stay[7].contains('^') && stay[19].contains('-'), "doctor and spell: {stay:?}");
            }
        }
    }
    for kind in ["ADT^A01", "ADT^A03", "ADT^A08", "ADT^A28", "ADT^A31", "ORU^R01", "SIU^S12", "SIU^S15", "MDM^T02"] {
        assert!(kinds.contains(kind), "no {kind}");
    }
    assert!(escaped > 0, "no letter has a delimiter in its text");
}
