//! What content is, by its first bytes.

use memchr::memmem;

/// A kind of content that can be told by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is named as its format is")]
pub enum Kind {
    Pdf,
    Png,
    Jpeg,
    Gif,
    Tiff,
    Webp,
    Bmp,
    /// HEIC, HEIF and AVIF.
    Heif,
    Dicom,
    Rtf,
    /// ZIP, and everything that is packed in one.
    Zip,
    /// The file format of older office programs.
    Compound,
    Gzip,
    /// MP4, and QuickTime like it.
    Mp4,
    Wav,
    Avi,
    /// MPEG audio, layers 1 to 3.
    Mp3,
    /// AAC in ADTS frames.
    Aac,
    Ogg,
    Flac,
    /// Matroska and WebM.
    Matroska,
    Html,
    Svg,
    /// XML that is neither a web page nor a picture.
    Xml,
    /// A program for Windows or Linux.
    Program,
}

impl Kind {
    /// The kind of content that starts so; `None` if the bytes do not tell.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        use Kind::*;
        const STARTS: [(&[u8], Kind); 22] = [
            (b"%PDF-", Pdf),
            (b"\x89PNG\r\n\x1a\n", Png),
            (b"\xff\xd8\xff", Jpeg),
            (b"GIF87a", Gif),
            (b"GIF89a", Gif),
            (b"II*\0", Tiff),
            (b"MM\0*", Tiff),
            (b"II+\0", Tiff),
            (b"MM\0+", Tiff),
            (b"{\\rtf", Rtf),
            (b"PK\x03\x04", Zip),
            (b"PK\x05\x06", Zip),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Compound),
            (b"\x1f\x8b", Gzip),
            (b"ID3", Mp3),
            (b"OggS", Ogg),
            (b"fLaC", Flac),
            (b"\x1a\x45\xdf\xa3", Matroska),
            (b"\x7fELF", Program),
            (b"\xff\xf1", Aac),
            (b"\xff\xf9", Aac),
            (b"BM", Bmp),
        ];
        if bytes.get(128..132) == Some(b"DICM") {
            return Some(Dicom);
        }
        if let Some(&(_, kind)) = STARTS.iter().find(|(start, _)| bytes.starts_with(start)) {
            // Letters alone could be the start of a text: a bitmap's reserved fields are zero, an ID3 tag has a version.
            let sure = match kind {
                Bmp => bytes.get(6..10) == Some(&[0; 4]),
                Mp3 => bytes.get(3).is_some_and(|&version| version < 0x10),
                _ => true,
            };
            return sure.then_some(kind);
        }
        match (bytes.get(..4), bytes.get(4..8), bytes.get(8..12)) {
            (Some(b"RIFF"), _, Some(b"WEBP")) => return Some(Webp),
            (Some(b"RIFF"), _, Some(b"WAVE")) => return Some(Wav),
            (Some(b"RIFF"), _, Some(b"AVI ")) => return Some(Avi),
            (_, Some(b"ftyp"), Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"avif" | b"avis")) => {
                return Some(Heif);
            }
            (_, Some(b"ftyp"), _) => return Some(Mp4),
            _ => {}
        }
        // MPEG audio: eleven bits set, then neither a reserved version nor layer nor bit rate.
        if let Some(&[0xff, second, third]) = bytes.first_chunk::<3>() {
            let sound = second & 0xe0 == 0xe0 && second & 0x18 != 0x08 && second & 0x06 != 0 && third & 0xf0 != 0xf0;
            return sound.then_some(Mp3);
        }
        if bytes.starts_with(b"MZ") && memmem::find(&bytes[..bytes.len().min(1024)], b"PE\0\0").is_some() {
            return Some(Program);
        }
        Self::of_text(bytes)
    }

    /// Text that holds a document: markup, or a PDF after some white space.
    fn of_text(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        if rest.starts_with(b"%PDF-") {
            return Some(Self::Pdf);
        }
        let xml = starts_with(rest, b"<?xml");
        // What may stand before the first element: declarations, instructions and comments, no more than a few.
        for _ in 0..16 {
            let end: &[u8] = match rest {
                [b'<', b'!', b'-', b'-', ..] => b"-->",
                [b'<', b'?', ..] => b"?>",
                _ if starts_with(rest, b"<!doctype html") => return Some(Self::Html),
                _ if starts_with(rest, b"<!doctype") => b">",
                _ => break,
            };
            let Some(at) = memmem::find(rest, end) else { break };
            rest = rest.get(at + end.len()..).unwrap_or_default().trim_ascii_start();
        }
        // The elements that browsers take for the start of a page when nothing else tells them.
        const PAGES: [&[u8]; 17] = [
            b"html", b"head", b"body", b"script", b"iframe", b"table", b"title", b"style", b"div", b"font", b"img",
            b"h1", b"br", b"p", b"a", b"b", b"form",
        ];
        let name = rest.strip_prefix(b"<")?;
        let name = &name[..name.iter().position(|&b| !b.is_ascii_alphanumeric()).unwrap_or(name.len())];
        match name {
            _ if name.eq_ignore_ascii_case(b"svg") => Some(Self::Svg),
            _ if PAGES.iter().any(|page| name.eq_ignore_ascii_case(page)) => Some(Self::Html),
            _ => (xml && !name.is_empty()).then_some(Self::Xml),
        }
    }

    /// What to call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pdf => "a PDF document",
            Self::Png => "a PNG picture",
            Self::Jpeg => "a JPEG picture",
            Self::Gif => "a GIF picture",
            Self::Tiff => "a TIFF picture",
            Self::Webp => "a WebP picture",
            Self::Bmp => "a bitmap picture",
            Self::Heif => "a HEIF or AVIF picture",
            Self::Dicom => "a DICOM object",
            Self::Rtf => "a rich text document",
            Self::Zip => "a ZIP file",
            Self::Compound => "an older office document",
            Self::Gzip => "a gzip file",
            Self::Mp4 => "an MP4 file",
            Self::Wav => "a WAV recording",
            Self::Avi => "an AVI film",
            Self::Mp3 => "an MPEG recording",
            Self::Aac => "an AAC recording",
            Self::Ogg => "an Ogg file",
            Self::Flac => "a FLAC recording",
            Self::Matroska => "a Matroska or WebM film",
            Self::Html => "a web page",
            Self::Svg => "an SVG picture",
            Self::Xml => "an XML document",
            Self::Program => "a program",
        }
    }

    /// Whether it is a picture, a recording or a film that can hold no script.
    pub(super) const fn is_media(self) -> bool {
        !matches!(
            self,
            Self::Pdf
                | Self::Rtf
                | Self::Zip
                | Self::Compound
                | Self::Gzip
                | Self::Html
                | Self::Svg
                | Self::Xml
                | Self::Program
        )
    }
}

fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    bytes.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// What a declared type lets one expect.
pub(super) enum Expected {
    /// Nothing: the type is not known.
    Anything,
    /// One of these kinds.
    Kinds(&'static str, &'static [Kind]),
    /// UTF-8 text that is none but these kinds, and starts with one of these characters if there are any.
    Text { expected: &'static str, kinds: &'static [Kind], first: &'static [char] },
    /// A picture, a recording or a film of a kind that is not known.
    Media(&'static str),
}

const VALUE: [char; 17] = ['{', '[', '"', '-', 't', 'f', 'n', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

impl Expected {
    /// What that type and subtype, in lower case, let one expect.
    pub(super) fn of(essence: &str) -> Self {
        use Kind::*;
        let text = |expected, kinds, first| Self::Text { expected, kinds, first };
        let xml = |expected| text(expected, &[Xml, Svg, Html], &['<']);
        match essence {
            "application/pdf" | "application/x-pdf" => Self::Kinds("a PDF document", &[Pdf]),
            "image/png" => Self::Kinds("a PNG picture", &[Png]),
            "image/jpeg" | "image/jpg" | "image/pjpeg" => Self::Kinds("a JPEG picture", &[Jpeg]),
            "image/gif" => Self::Kinds("a GIF picture", &[Gif]),
            "image/tiff" | "image/tif" => Self::Kinds("a TIFF picture", &[Tiff]),
            "image/webp" => Self::Kinds("a WebP picture", &[Webp]),
            "image/bmp" | "image/x-ms-bmp" => Self::Kinds("a bitmap picture", &[Bmp]),
            "image/heic" | "image/heif" | "image/avif" => Self::Kinds("a HEIF or AVIF picture", &[Heif]),
            "image/svg+xml" => text("an SVG picture", &[Svg], &['<']),
            "application/dicom" => Self::Kinds("a DICOM object", &[Dicom]),
            "application/rtf" | "text/rtf" => Self::Kinds("a rich text document", &[Rtf]),
            "application/zip" | "application/x-zip-compressed" => Self::Kinds("a ZIP file", &[Zip]),
            "application/gzip" | "application/x-gzip" => Self::Kinds("a gzip file", &[Gzip]),
            "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint" => {
                Self::Kinds("an older office document", &[Compound])
            }
            "video/mp4" | "audio/mp4" | "audio/x-m4a" | "video/quicktime" => Self::Kinds("an MP4 file", &[Mp4]),
            "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Self::Kinds("a WAV recording", &[Wav]),
            "video/x-msvideo" => Self::Kinds("an AVI film", &[Avi]),
            "audio/mpeg" | "audio/mp3" => Self::Kinds("an MPEG recording", &[Mp3]),
            "audio/aac" => Self::Kinds("an AAC recording", &[Aac]),
            "audio/ogg" | "video/ogg" | "application/ogg" => Self::Kinds("an Ogg file", &[Ogg]),
            "audio/flac" => Self::Kinds("a FLAC recording", &[Flac]),
            "audio/webm" | "video/webm" | "video/x-matroska" => Self::Kinds("a Matroska or WebM film", &[Matroska]),
            "text/html" => text("a web page", &[Html, Xml, Svg], &[]),
            "application/xhtml+xml" => xml("a web page"),
            "text/xml" | "application/xml" => xml("an XML document"),
            "application/json" => text("a JSON document", &[], &VALUE),
            "text/markdown" => text("Markdown", &[Xml, Svg, Html], &[]),
            "application/hl7-v2" | "application/hl7-v2+er7" | "x-application/hl7-v2+er7" => {
                text("an HL7 v2 message", &[], &['M', 'F', 'B', '\u{b}'])
            }
            _ => Self::of_family(essence),
        }
    }

    fn of_family(essence: &str) -> Self {
        let packed = ["application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument."];
        let (family, subtype) = essence.split_once('/').unwrap_or((essence, ""));
        if packed.iter().any(|start| essence.starts_with(start)) {
            return Self::Kinds("an office document", &[Kind::Zip]);
        }
        if subtype.ends_with("+json") {
            return Self::Text { expected: "a JSON document", kinds: &[], first: &VALUE };
        }
        if subtype.ends_with("+xml") {
            let kinds = &[Kind::Xml, Kind::Svg, Kind::Html];
            return Self::Text { expected: "an XML document", kinds, first: &['<'] };
        }
        match family {
            "text" => Self::Text { expected: "plain text", kinds: &[Kind::Xml], first: &[] },
            "image" => Self::Media("a picture"),
            "audio" => Self::Media("a recording"),
            "video" => Self::Media("a film"),
            _ => Self::Anything,
        }
    }
}

/// Whether a ZIP file holds what an office document's type says; otherwise the words for what it is.
pub(super) fn inside(essence: &str, bytes: &[u8]) -> Result<(), &'static str> {
    let holds = if essence.starts_with("application/vnd.openxmlformats-officedocument.") {
        memmem::find(bytes, b"[Content_Types].xml").is_some()
    } else if essence.starts_with("application/vnd.oasis.opendocument.") {
        // Its first file has the type in it, uncompressed.
        bytes.get(30..38) == Some(b"mimetype") && bytes.get(38..).is_some_and(|it| it.starts_with(essence.as_bytes()))
    } else {
        true
    };
    if holds { Ok(()) } else { Err("a ZIP file with something else inside") }
}
