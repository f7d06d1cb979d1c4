//! The stylesheet, script and pictures that `cargo xtask assets` built, embedded with their compressed copies. Each
//! file's name holds a hash of its content, so a browser may keep it for ever.

/// One embedded file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its name, which is the last part of its address.
    pub name: &'static str,
    /// The value of its `Content-Type` header.
    pub content_type: &'static str,
    /// The file.
    pub body: &'static [u8],
    /// The file, compressed with Brotli.
    pub brotli: &'static [u8],
    /// The file, compressed with gzip.
    pub gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    /// The embedded file of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        FILES.iter().find(|asset| asset.name == name)
    }

    /// The best copy for a client with this `Accept-Encoding`, and the `Content-Encoding` to send with it.
    pub fn encoded(&self, accept_encoding: &str) -> (&'static [u8], Option<&'static str>) {
        let accepts = |wanted: &str| {
            accept_encoding.split(',').any(|offer| {
                let mut parts = offer.split(';').map(str::trim);
                parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
                    && !parts.any(|part| part.trim_start_matches("q=").parse() == Ok(0.0))
            })
        };
        if accepts("br") {
            (self.brotli, Some("br"))
        } else if accepts("gzip") {
            (self.gzip, Some("gzip"))
        } else {
            (self.body, None)
        }
    }
}

/// The colours that a city's theme may change: custom property and default.
pub fn theme_tokens() -> &'static [(&'static str, &'static str)] {
    TOKENS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stylesheet() -> &'static Asset {
        Asset::find(STYLESHEET.trim_start_matches("/assets/")).unwrap()
    }

    #[test]
    fn the_named_files_are_embedded() {
        for path in [STYLESHEET, SCRIPT, FAVICON] {
            assert!(Asset::find(path.trim_start_matches("/assets/")).is_some(), "{path}");
        }
        assert!(Asset::find("nothing.css").is_none());
    }

    #[test]
    fn a_client_gets_the_best_copy_that_it_accepts() {
        let sheet = stylesheet();
        assert_eq!(sheet.encoded("gzip, deflate, br").1, Some("br"));
        assert_eq!(sheet.encoded("gzip, br;q=0").1, Some("gzip"));
        assert_eq!(sheet.encoded("").1, None);
        assert!(sheet.encoded("br").0.len() < sheet.body.len());
    }

    #[test]
    fn the_stylesheet_asks_no_other_host_for_anything() {
        let text = std::str::from_utf8(stylesheet().body).unwrap();
        assert!(!text.contains("//"), "an address of another host is in the stylesheet");
    }

    #[test]
    fn every_theme_token_has_a_default_in_the_stylesheet() {
        let text = std::str::from_utf8(stylesheet().body).unwrap();
        assert!(!theme_tokens().is_empty());
        for (token, _) in theme_tokens() {
            assert!(text.contains(&format!("var({token},")), "{token}");
        }
    }
}
