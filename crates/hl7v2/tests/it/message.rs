//! Reading messages.

use keepwell_hl7v2::{Charset, Message, ParseError, messages};
use proptest::prelude::*;

const ORU: &[u8] = b"MSH|^~\\&|LAB|LTHT|KEEPWELL|LEEDS|20261123093000||ORU^R01^ORU_R01|0042|P|2.4\r\
PID|1||9000000009^^^NHS^NH~H123^^^LTHT^MR||Nkemdirim^Adaeze^\"\"||19840229|F\r\
OBR|1|||26604007^Full blood count^SCT\r\
OBX|1|NM|1022431000000105^Haemoglobin&estimation^SCT||13\\S\\5\\T\\x\\.br\\y\\X41422E\\\\Zq\\|g/L\r";

#[test]
fn parts_are_numbered_as_the_standard_numbers_them() {
    let message = Message::parse(ORU).unwrap();
    assert_eq!(message.text("MSH", 1, 1).unwrap(), "|");
    assert_eq!(message.text("MSH", 2, 1).unwrap(), "^~\\&");
    assert_eq!(message.text("MSH", 9, 2).unwrap(), "R01");
    assert_eq!(message.text("MSH", 12, 1).unwrap(), "2.4");
    let names: Vec<_> = message.segments().map(|it| it.name()).collect();
    assert_eq!(names, ["MSH", "PID", "OBR", "OBX"]);
    let identifiers = message.segment("PID").unwrap().field(3).unwrap();
    let numbers: Vec<_> = identifiers.repetitions().filter_map(|it| it.component(1)?.text()).collect();
    assert_eq!(numbers, ["9000000009", "H123"]);
    let code = message.segment("OBX").unwrap().field(3).unwrap().repetitions().next().unwrap().component(2).unwrap();
    let parts: Vec<_> = code.subcomponents().filter_map(|it| it.text()).collect();
    assert_eq!(parts, ["Haemoglobin", "estimation"]);
    assert!(
        message.text("PID", 4, 1).is_none()
            && message.text("PID", 99, 1).is_none()
            && message.text("ZZZ", 1, 1).is_none()
    );
}

#[test]
fn escapes_are_resolved_and_unknown_ones_kept() {
    let message = Message::parse(ORU).unwrap();
    assert_eq!(message.text("OBX", 5, 1).unwrap(), "13^5&x\ny".to_owned() + "AB.\\Zq\\");
    let odd = b"MSH|^~\\&|\\\r\nPID|\\F|\\F\\|a\\b\\E\\c|\\X4\\|\\X\\|\\XZZ\\|\\H\\bold\\N\\";
    let message = Message::parse(odd).unwrap();
    let texts: Vec<_> = message.segment("PID").unwrap().fields().map(|it| it.text().unwrap_or_default()).collect();
    assert_eq!(texts, ["\\F", "|", "a\\b\\c", "\\X4\\", "\\X\\", "\\XZZ\\", "bold"]);
}

#[test]
fn an_explicit_null_is_not_a_text() {
    let message = Message::parse(ORU).unwrap();
    let name = message.segment("PID").unwrap().field(5).unwrap().repetitions().next().unwrap();
    let third = name.component(3).unwrap();
    assert_eq!(third.text(), None);
    assert!(third.subcomponents().next().unwrap().is_null());
    assert!(!name.component(1).unwrap().subcomponents().next().unwrap().is_null());
}

#[test]
fn line_ends_may_be_cr_or_crlf_or_lf_but_not_mixed_into_fields() {
    for end in ["\r", "\r\n", "\n", "\r\r", "\r\n\r\n"] {
        let text = format!("\r\nMSH|^~\\&|A{end}PID|1{end}OBX|2");
        let message = Message::parse(text.as_bytes()).unwrap();
        assert_eq!(message.segments().count(), 3, "{end:?}");
    }
    let message = Message::parse(b"MSH|^~\\&|A\rNTE|1||line\nPID|2\r").unwrap();
    assert_eq!(message.segments().count(), 2);
    assert_eq!(message.text("NTE", 3, 1).unwrap(), "line\nPID");
}

#[test]
fn other_separators_work() {
    let message = Message::parse(b"MSH$*+@!%$A*B\rPID$x+y*z!w@P@").unwrap();
    assert_eq!(message.text("MSH", 3, 2).unwrap(), "B");
    assert_eq!(message.delimiters().truncation, Some(b'%'));
    let field = message.segment("PID").unwrap().field(1).unwrap();
    let last = field.repetitions().nth(1).unwrap().component(2).unwrap().subcomponents().nth(1).unwrap();
    assert_eq!(last.text().unwrap(), "w%");
}

#[test]
fn what_is_no_message_is_refused() {
    for (bytes, expected) in [
        (&b""[..], ParseError::NoHeader),
        (b"PID|1", ParseError::NoHeader),
        (b"MSH", ParseError::Separators),
        (b"MSH|", ParseError::Separators),
        (b"MSH|^~", ParseError::Separators),
        (b"MSH|^~\\&#!|", ParseError::Separators),
        (b"MSH|^^\\&|", ParseError::Separators),
        (b"MSHA^~\\&A", ParseError::Separators),
        (b"MSH|^~\\&|A\rpid|1", ParseError::SegmentName(2)),
        (b"MSH|^~\\&|A\rPI", ParseError::SegmentName(2)),
        (b"MSH|^~\\&|A\rPID^1", ParseError::SegmentName(2)),
        (b"MSH|^~\\&|A\rMSH|^~\\&|B", ParseError::SecondHeader(2)),
    ] {
        assert_eq!(Message::parse(bytes).unwrap_err(), expected, "{}", bytes.escape_ascii());
    }
    assert_eq!(Message::parse(b"MSH|^~\\&").unwrap().segments().count(), 1);
}

#[test]
fn a_batch_is_split_into_its_messages() {
    let batch = b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rBTS|2\rFTS|1\r";
    let found: Vec<_> = messages(batch).map(|it| Message::parse(it).unwrap().text("MSH", 3, 1).unwrap()).collect();
    assert_eq!(found, ["1", "2"]);
    assert_eq!(messages(ORU).count(), 1);
    assert_eq!(messages(b"").count(), 0);
    assert_eq!(messages(b"nonsense").count(), 1);
}

#[test]
fn text_is_decoded_as_the_header_says() {
    let read = |charset: &str, name: &[u8]| {
        let mut bytes = format!("MSH|^~\\&|||||||ADT|1|P|2.4||||||{charset}\rPID|").into_bytes();
        bytes.extend_from_slice(name);
        Message::parse(&bytes).unwrap().text("PID", 1, 1).unwrap().into_owned()
    };
    assert_eq!(read("UNICODE UTF-8", "Zoë".as_bytes()), "Zoë");
    assert_eq!(read("8859/1", b"Zo\xeb \x96 \\XEB\\"), "Zoë – ë");
    assert_eq!(read("", "Zoë".as_bytes()), "Zoë");
    assert_eq!(read("", b"Zo\xeb"), "Zoë");
    assert_eq!(read("UNICODE UTF-8", b"Zo\xeb"), "Zo\u{fffd}");
    assert_eq!(Charset::named("8859/1"), Charset::Latin1);
}

#[test]
fn debug_output_says_nothing_about_the_person() {
    let message = Message::parse(ORU).unwrap();
    let pid = message.segment("PID").unwrap();
    let shown = format!("{message:?} {pid:?} {:?}", pid.field(5));
    assert_eq!(shown, "Message(4 segments) Segment(PID) Some(Field(19 bytes))");
}

proptest! {
    #[test]
    fn no_bytes_panic(tail in prop::collection::vec(prop_oneof![
        Just(b'|'), Just(b'^'), Just(b'~'), Just(b'\\'), Just(b'&'), Just(b'\r'), Just(b'\n'), Just(b'X'), any::<u8>()
    ], 0..80), cut in 0usize..12) {
        let mut bytes = b"MSH|^~\\&|A\rP".to_vec();
        bytes.truncate(cut);
        bytes.extend(tail);
        for one in messages(&bytes) {
            if let Ok(message) = Message::parse(one) {
                for segment in message.segments() {
                    for field in segment.fields() {
                        for part in field.repetitions().flat_map(|it| it.components()).flat_map(|it| it.subcomponents()) {
                            let _ = (part.text(), part.is_null());
                        }
                    }
                    let _ = (segment.field(0), segment.field(1), segment.field(99));
                }
            }
        }
    }
}
