//! Frames.

use keepwell_hl7v2::mllp::{Decoder, FrameError, frame};
use proptest::prelude::*;

fn all(decoder: &mut Decoder) -> Result<Vec<Vec<u8>>, FrameError> {
    let mut found = Vec::new();
    while let Some(message) = decoder.next_message()? {
        found.push(message.to_vec());
    }
    Ok(found)
}

proptest! {
    #[test]
    fn frames_are_found_however_the_stream_is_cut(
        sent in prop::collection::vec(prop::collection::vec(any::<u8>().prop_filter("no control byte of MLLP", |b| !matches!(b, 0x0b | 0x1c)), 0..40), 0..6),
        cut in 1usize..20,
        gap in prop_oneof![Just(""), Just("\r\n"), Just("\n")],
    ) {
        let stream: Vec<u8> = sent.iter().flat_map(|it| [frame(it), gap.as_bytes().to_vec()].concat()).collect();
        let mut decoder = Decoder::new(40);
        let mut found = Vec::new();
        for piece in stream.chunks(cut) {
            decoder.push(piece);
            found.extend(all(&mut decoder).unwrap());
        }
        prop_assert_eq!(found, sent);
        prop_assert!(!decoder.is_inside());
    }

    #[test]
    fn no_bytes_panic(pieces in prop::collection::vec(prop::collection::vec(prop_oneof![
        Just(0x0b), Just(0x1c), Just(0x0d), any::<u8>()], 0..12), 0..12)) {
        let mut decoder = Decoder::new(8);
        for piece in pieces {
            decoder.push(&piece);
            let _ = (all(&mut decoder), decoder.is_inside());
        }
    }
}

#[test]
fn a_broken_stream_is_an_error_for_good() {
    for (bytes, expected) in [
        (&b"MSH|"[..], FrameError::Outside),
        (b"\x0bMSH\x1c\x0dx", FrameError::Outside),
        (b"\x0bMSH\x0bMSH\x1c\x0d", FrameError::Broken),
        (b"\x0bMSH\x1cx", FrameError::Broken),
        (b"\x0b123456789", FrameError::TooLong(8)),
        (b"\x0b123456789\x1c\x0d", FrameError::TooLong(8)),
    ] {
        let mut decoder = Decoder::new(8);
        decoder.push(bytes);
        assert_eq!(all(&mut decoder).unwrap_err(), expected, "{}", bytes.escape_ascii());
        decoder.push(&frame(b"ok"));
        assert_eq!(decoder.next_message(), Err(expected));
        assert!(!decoder.is_inside());
    }
    let mut decoder = Decoder::new(8);
    decoder.push(b"\x0b12345678\x1c");
    assert_eq!(decoder.next_message(), Ok(None));
    assert!(decoder.is_inside());
    decoder.push(b"\x0d");
    assert_eq!(decoder.next_message(), Ok(Some(&b"12345678"[..])));
}
