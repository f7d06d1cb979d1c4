//! Building messages.

use keepwell_hl7v2::{Builder, Message};
use proptest::prelude::*;

/// Fields of repetitions of components of subcomponents.
type Fields = Vec<Vec<Vec<Vec<String>>>>;

/// What a segment reads back as; a part that is not there is an empty text.
fn read(message: &Message<'_>, index: usize) -> Fields {
    let segment = message.segments().nth(index).unwrap();
    let text = |part: keepwell_hl7v2::Part<'_>| part.text().unwrap_or_default().into_owned();
    let fields = segment.fields().map(|field| {
        let repetitions = field.repetitions();
        repetitions.map(|it| it.components().map(|it| it.subcomponents().map(text).collect()).collect()).collect()
    });
    fields.collect()
}

/// Leaves out empty parts at the end, which a message does not spell; what is empty keeps one empty part.
fn trim<T: PartialEq + Clone>(parts: &mut Vec<T>, empty: &T) {
    while parts.len() > 1 && parts.last() == Some(empty) {
        parts.pop();
    }
}

fn normal(mut fields: Fields) -> Fields {
    let component = vec![String::new()];
    let repetition = vec![component.clone()];
    for field in &mut fields {
        for repetition in field.iter_mut() {
            repetition.iter_mut().for_each(|component| trim(component, &String::new()));
            trim(repetition, &component);
        }
    }
    while fields.last() == Some(&vec![repetition.clone()]) {
        fields.pop();
    }
    fields
}

fn build(fields: &Fields) -> Vec<u8> {
    let builder = Builder::new(|header| {
        header.set(10, "1");
    });
    let builder = builder.segment("ZKW", |segment| {
        for (index, field) in fields.iter().enumerate() {
            let field: Vec<Vec<Vec<&str>>> =
                field.iter().map(|it| it.iter().map(|it| it.iter().map(String::as_str).collect()).collect()).collect();
            let field: Vec<Vec<&[&str]>> = field.iter().map(|it| it.iter().map(Vec::as_slice).collect()).collect();
            let field: Vec<&[&[&str]]> = field.iter().map(Vec::as_slice).collect();
            segment.set_all(index + 1, &field);
        }
    });
    builder.segment("ZZZ", |_| {}).finish()
}

proptest! {
    #[test]
    fn what_is_built_reads_back_as_itself(fields in prop::collection::vec(prop::collection::vec(prop::collection::vec(
        prop::collection::vec(".{0,6}|[|^~\\\\&#\r\n\"A-Z\u{b}\u{1c}é]{0,12}", 1..4), 1..4), 1..4), 0..6)) {
        let bytes = build(&fields);
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!(message.segments().count(), 3);
        prop_assert_eq!(read(&message, 1), normal(fields));
    }

    #[test]
    fn an_injected_segment_stays_inside_its_field(before in ".*", after in ".*") {
        let value = format!("{before}\rPID|1||9434765919\n\r\nOBX|1\u{1c}\r{after}");
        let bytes = build(&vec![vec![vec![vec![value.clone()]]], vec![vec![vec!["next".to_owned()]]]]);
        let message = Message::parse(&bytes).unwrap();
        let names: Vec<_> = message.segments().map(|it| it.name()).collect();
        prop_assert_eq!(names, ["MSH", "ZKW", "ZZZ"]);
        prop_assert_eq!(message.text("ZKW", 1, 1).unwrap(), value);
        prop_assert_eq!(message.text("ZKW", 2, 1).unwrap(), "next");
        let mut decoder = keepwell_hl7v2::mllp::Decoder::new(1 << 20);
        decoder.push(&keepwell_hl7v2::mllp::frame(&bytes));
        prop_assert_eq!(decoder.next_message().unwrap(), Some(&bytes[..]));
        prop_assert_eq!(decoder.next_message(), Ok(None));
    }
}

#[test]
fn a_message_is_spelt_as_expected() {
    let bytes = Builder::new(|header| {
        header.set(1, "ignored").set(3, "KEEPWELL").set_components(9, &["ADT", "A31", "", ""]).set(10, "7");
    })
    .segment("PID", |pid| {
        pid.set_all(3, &[&[&["900"], &[], &[], &["NHS", "x"]], &[&["H|1"]]]).set_null(5).set(6, "\"\"").set(9, "");
    })
    .finish();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "MSH|^~\\&|KEEPWELL||||||ADT^A31|7||||||||UNICODE UTF-8\rPID|||900^^^NHS&x~H\\F\\1||\"\"|\\X2222\\\r"
    );
}
