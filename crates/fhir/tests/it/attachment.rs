//! Attachments: declared types against content, and base64.

use keepwell_fhir::attachment::{
    Decoder, Kind, Mismatch, NotBase64, blocks, check, decode, encode, essence, may_show_inline,
};
use keepwell_fhir::json::{Node, quoted};
use proptest::prelude::*;

/// The start of a file of each kind, and the types that it may be declared as.
fn samples() -> Vec<(Kind, Vec<u8>, &'static [&'static str])> {
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM\x02\0");
    let at = |start: &[u8]| start.to_vec();
    vec![
        (Kind::Pdf, at(b"%PDF-1.7\n%\xe2\xe3"), &["application/pdf", "Application/PDF; name=\"a.pdf\""]),
        (Kind::Png, at(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), &["image/png"]),
        (Kind::Jpeg, at(b"\xff\xd8\xff\xe0\0\x10JFIF"), &["image/jpeg", "image/jpg"]),
        (Kind::Gif, at(b"GIF89a\x01\0"), &["image/gif"]),
        (Kind::Tiff, at(b"II*\0\x08\0"), &["image/tiff"]),
        (Kind::Tiff, at(b"MM\0*\0\0"), &["image/tiff"]),
        (Kind::Webp, at(b"RIFF\x24\0\0\0WEBPVP8 "), &["image/webp"]),
        (Kind::Bmp, at(b"BM\x36\0\0\0\0\0\0\0\x36"), &["image/bmp"]),
        (Kind::Heif, at(b"\0\0\0\x18ftypheic"), &["image/heic"]),
        (Kind::Dicom, dicom, &["application/dicom"]),
        (Kind::Rtf, at(b"{\\rtf1\\ansi hello}"), &["application/rtf", "text/rtf"]),
        (Kind::Zip, at(b"PK\x03\x04\x14\0"), &["application/zip"]),
        (
            Kind::Zip,
            at(b"PK\x03\x04\x14\0\x06\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml"),
            &["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip"],
        ),
        (
            Kind::Zip,
            at(b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.text"),
            &["application/vnd.oasis.opendocument.text"],
        ),
        (Kind::Compound, at(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"), &["application/msword"]),
        (Kind::Gzip, at(b"\x1f\x8b\x08\0"), &["application/gzip"]),
        (Kind::Mp4, at(b"\0\0\0\x20ftypisom\0\0"), &["video/mp4", "audio/mp4"]),
        (Kind::Wav, at(b"RIFF\x24\0\0\0WAVEfmt "), &["audio/wav"]),
        (Kind::Mp3, at(b"ID3\x04\0"), &["audio/mpeg"]),
        (Kind::Mp3, at(b"\xff\xfb\x90\x44"), &["audio/mpeg"]),
        (Kind::Ogg, at(b"OggS\0\x02"), &["audio/ogg"]),
        (Kind::Html, at(b"<!DOCTYPE html><html><body></body></html>"), &["text/html"]),
        (Kind::Svg, at(b"<?xml version=\"1.0\"?>\n<!-- x --><svg xmlns=\"http://www.w3.org/2000/svg\"/>"), &["image/svg+xml", "text/xml"]),
        (Kind::Xml, at(b"<?xml version='1.0'?><ClinicalDocument xmlns='urn:hl7-org:v3'/>"), &["text/xml", "application/xml", "application/hl7-cda+xml", "text/cda"]),
        (Kind::Program, at(b"\x7fELF\x02"), &[]),
    ]
}

#[test]
fn content_is_taken_as_what_it_is_and_refused_as_what_it_is_not() {
    let samples = samples();
    for (kind, bytes, declared) in &samples {
        assert_eq!(Kind::of(bytes), Some(*kind));
        for declared in *declared {
            assert_eq!(check(declared, bytes), Ok(()), "{kind:?} as {declared}");
        }
        let markup = |kind| matches!(kind, Kind::Html | Kind::Svg | Kind::Xml);
        for (other, _, declared) in &samples {
            if other == kind || markup(*kind) && markup(*other) {
                continue;
            }
            for declared in *declared {
                assert!(check(declared, bytes).is_err(), "{kind:?} as {declared}");
            }
        }
    }
}

#[test]
fn a_web_page_is_never_taken_for_a_picture_or_for_plain_text() {
    for page in [
        "<html><script>alert(1)</script>",
        "\u{feff}\n\t <HTML>",
        "<!-- -->\n<!doctype HTML>",
        "<script>",
        "<iframe src=x>",
        "<svg onload=alert(1)>",
        "<?xml version='1.0'?><!DOCTYPE svg PUBLIC 'x' 'y'><svg/>",
        "<!--a--><!--b--><?c?><body>",
    ] {
        for declared in [
            "image/png",
            "image/x-new",
            "text/plain",
            "text/csv; charset=utf-8",
            "application/pdf",
            "audio/x-new",
            "application/json",
        ] {
            assert!(check(declared, page.as_bytes()).is_err(), "{page} as {declared}");
        }
        assert!(!may_show_inline("text/html") && !may_show_inline("image/svg+xml"));
    }
    // GIF89a with script after it is still only ever shown as a picture; a PDF starts with its own mark.
    assert!(check("application/pdf", b"<html>%PDF-1.4").is_err());
    assert_eq!(check("application/pdf", b"\r\n%PDF-1.4"), Ok(()));
}

#[test]
fn text_is_utf_8_without_nul() {
    assert_eq!(check("text/plain", "Grüße\r\n\tx < y".as_bytes()), Ok(()));
    assert_eq!(check("text/plain;charset=UTF-8", b""), Ok(()));
    assert_eq!(check("text/plain", b"a\0b"), Err(Mismatch::NotText));
    assert_eq!(check("text/plain", b"caf\xe9"), Err(Mismatch::NotText));
    assert_eq!(check("text/plain", b"\xff\xfea\0"), Err(Mismatch::NotText));
    assert_eq!(check("application/fhir+json", b" {\"resourceType\":\"Patient\"}"), Ok(()));
    assert!(check("application/fhir+json", b"resourceType").is_err());
    assert!(check("application/fhir+xml", b"{}").is_err());
    assert_eq!(check("application/hl7-v2", b"MSH|^~\\&|"), Ok(()));
    // Markdown may start with an element, and is never shown as a page.
    assert_eq!(check("text/markdown", b"<p align='center'>Plan</p>\n\n# Plan"), Ok(()));
    assert!(!may_show_inline("text/markdown"));
    assert_eq!(check("text/plain", b"ID3 and other markers"), Ok(()));
}

#[test]
fn a_type_that_is_not_known_is_believed() {
    assert_eq!(check("application/octet-stream", b"\x7fELF"), Ok(()));
    assert_eq!(check("application/x-ecg", b"<html>"), Ok(()));
    assert_eq!(check("image/x-new", b"whatever"), Ok(()));
    assert_eq!(check("image/x-new", b"\xff\xd8\xff"), Ok(()));
    for declared in ["", "pdf", "a/b/c", "text/", "/plain", "text/pl ain", "text/plän"] {
        assert_eq!(check(declared, b""), Err(Mismatch::NotAType), "{declared}");
    }
    assert_eq!(check(&format!("text/plain;{}", "x".repeat(300)), b""), Err(Mismatch::NotAType));
    assert_eq!(essence(" Text/PLAIN ; charset=x").as_deref(), Some("text/plain"));
}

#[test]
fn only_harmless_types_are_shown() {
    assert!(
        may_show_inline("image/PNG")
            && may_show_inline("text/plain; charset=utf-8")
            && may_show_inline("application/pdf")
    );
    for declared in [
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/xml",
        "application/xml",
        "application/javascript",
        "application/octet-stream",
        "text/css",
        "nonsense",
        "",
    ] {
        assert!(!may_show_inline(declared), "{declared}");
    }
}

#[test]
fn a_mismatch_says_both_sides_in_plain_words() {
    let words = check("image/png", b"%PDF-1.7").unwrap_err().to_string();
    assert_eq!(words, "the content type says a PNG picture, and the content is a PDF document");
}

fn decoded(text: &str) -> Result<Vec<u8>, NotBase64> {
    decode(Node::of_text(&quoted(text)), 1 << 20)
}

#[test]
fn base64_is_read_strictly_but_for_white_space() {
    for (text, expected) in [
        ("", &b""[..]),
        ("QQ==", b"A"),
        ("QUI=", b"AB"),
        ("QUJD", b"ABC"),
        (" Q U\r\nJD\tQQ = = ", b"ABCA"),
        ("+/+/", b"\xfb\xff\xbf"),
    ] {
        assert_eq!(decoded(text).unwrap(), expected, "{text}");
    }
    assert_eq!(decode(Node::of_text(r#""+\/+\/""#), 3).unwrap(), b"\xfb\xff\xbf");
    for (text, fault) in [
        ("Q", NotBase64::CutOff),
        ("QUJDQQ", NotBase64::CutOff),
        ("QQ=", NotBase64::CutOff),
        ("Q===", NotBase64::Character(1)),
        ("QQ=Q", NotBase64::Character(3)),
        ("QQ==QQ==", NotBase64::Character(4)),
        ("QR==", NotBase64::Character(3)),
        ("QUK=", NotBase64::Character(3)),
        ("QU-_", NotBase64::Character(2)),
        ("QUJDé===", NotBase64::Character(4)),
    ] {
        assert_eq!(decoded(text), Err(fault), "{text}");
    }
    assert_eq!(decode(Node::of_text("12"), 9), Err(NotBase64::NotString));
    assert_eq!(decode(Node::of_text("\"QUJD\""), 2), Err(NotBase64::TooLarge));
    assert_eq!(blocks(Node::of_text("\"Q!\"")).collect::<Vec<_>>(), [Err(NotBase64::Character(1))]);
}

proptest! {
    #[test]
    fn base64_round_trips_in_pieces(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..20, spaces in any::<bool>()) {
        let mut text = Vec::new();
        encode(&bytes, &mut text);
        if spaces {
            text = text.chunks(7).flat_map(|line| [line, b"\r\n"].concat()).collect();
        }
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for part in text.chunks(piece) {
            decoder.push(part, &mut out).unwrap();
        }
        decoder.finish().unwrap();
        prop_assert_eq!(&out, &bytes);
        prop_assert_eq!(decoded(std::str::from_utf8(&text).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn large_content_comes_in_blocks(length in 0usize..300_000) {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let mut text = Vec::new();
        encode(&bytes, &mut text);
        let text = quoted(std::str::from_utf8(&text).unwrap());
        let all: Vec<Vec<u8>> = blocks(Node::of_text(&text)).collect::<Result<_, _>>().unwrap();
        prop_assert!(all.iter().all(|block| block.len() <= 49_152));
        prop_assert_eq!(all.concat(), bytes);
    }

    #[test]
    fn no_content_panics(declared in ".{0,30}", bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[<!?a-z>\\-= ]{0,40}") {
        for declared in [&*declared, "text/plain", "image/png", "application/xml", "application/vnd.oasis.opendocument.text"] {
            let _ = (check(declared, &bytes), check(declared, text.as_bytes()));
        }
        let _ = decoded(&text);
    }
}
