//! Acknowledgements.

use keepwell_hl7v2::{AckCode, AckError, Message, Reply, ack, ack_unreadable};
use keepwell_model::Timestamp;

const REPLY: Reply<'_> =
    Reply { control_id: "K1", time: Timestamp::from_micros(1_795_426_200_123_456), us: ("KEEPWELL", "LEEDS") };

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap().replace('\r', "\n")
}

#[test]
fn an_answer_goes_back_where_the_message_came_from() {
    let message =
        Message::parse(b"MSH|^~\\&|PAS^1.2.3^ISO|LTHT|KW|PHR|20261123||ADT^A08^ADT_A01|\\F\\42|P|2.4\rEVN|A08\r")
            .unwrap();
    assert_eq!(
        text(ack(&message, AckCode::Accept, &[], REPLY)),
        "MSH|^~\\&|KW|PHR|PAS^1.2.3^ISO|LTHT|20261123093000+0000||ACK^A08^ACK|K1|P|2.4||||||UNICODE UTF-8\nMSA|AA|\\F\\42\n"
    );
}

#[test]
fn an_error_says_where_and_what_to_do() {
    let message = Message::parse(b"MSH#*!\\&#A#B#####ORU*R01#7#P#2.5\rPID#1").unwrap();
    let error = AckError {
        code: 101,
        text: "Required field missing",
        location: Some(("PID", 1, 3)),
        message: "Send the NHS number | in PID-3".to_owned(),
    };
    assert_eq!(
        text(ack(&message, AckCode::Error, &[error], REPLY)),
        "MSH|^~\\&|KEEPWELL|LEEDS|A|B|20261123093000+0000||ACK^R01^ACK|K1|P|2.5||||||UNICODE UTF-8\nMSA|AE|7\n\
         ERR||PID^1^3|101^Required field missing^HL70357|E||||Send the NHS number \\F\\ in PID-3\n"
    );
}

#[test]
fn what_cannot_be_read_is_rejected_without_repeating_it() {
    let error =
        AckError { code: 207, text: "Application internal error", location: None, message: "Not HL7".to_owned() };
    let answer = ack_unreadable(&error, REPLY);
    let message = Message::parse(&answer).unwrap();
    assert_eq!(message.text("MSA", 1, 1).unwrap(), "AR");
    assert_eq!(message.text("MSA", 2, 1), None);
    assert_eq!(message.text("ERR", 8, 1).unwrap(), "Not HL7");
}

#[test]
fn a_hostile_control_id_stays_in_its_field() {
    let message = Message::parse(b"MSH|^~\\&|A|B|C|D|||ADT^A01|\\X0D\\MSA\\F\\AA|P|2.4\r").unwrap();
    let answer = ack(&message, AckCode::Error, &[], REPLY);
    let read = Message::parse(&answer).unwrap();
    assert_eq!(read.segments().count(), 2);
    assert_eq!(read.text("MSA", 2, 1).unwrap(), "\rMSA|AA");
}
