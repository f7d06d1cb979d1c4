//! The secret in every form. It is written differently each time: pages are compressed, and a secret that always looks
//! the same could be guessed from the lengths of compressed pages (the BREACH attack).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keepwell_model::Random;

/// The session's secret behind a fresh mask.
pub(crate) fn masked(random: &dyn Random, secret: &str) -> String {
    let mut out = vec![0; secret.len()];
    random.fill(&mut out);
    for (i, byte) in secret.bytes().enumerate() {
        out.push(out[i] ^ byte);
    }
    URL_SAFE_NO_PAD.encode(out)
}

/// Whether a form's field is the secret behind any mask.
pub(crate) fn matches(secret: &str, field: &str) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(field) else { return false };
    if secret.is_empty() || bytes.len() != 2 * secret.len() {
        return false;
    }
    let (mask, hidden) = bytes.split_at(secret.len());
    let shown: Vec<u8> = mask.iter().zip(hidden).map(|(mask, hidden)| mask ^ hidden).collect();
    verify_slices_are_equal(&shown, secret.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepwell_model::SeededRandom;

    #[test]
    fn the_secret_never_looks_the_same_twice_and_always_matches() {
        let random = SeededRandom::new(3);
        let (one, two) = (masked(&random, "the-secret"), masked(&random, "the-secret"));
        assert_ne!(one, two);
        assert!(matches("the-secret", &one) && matches("the-secret", &two));
    }

    #[test]
    fn anything_else_does_not_match() {
        let other = masked(&SeededRandom::new(3), "another-10");
        for field in ["", "the-secret", "AAAA", "%", other.as_str()] {
            assert!(!matches("the-secret", field), "{field}");
        }
        assert!(!matches("", ""), "no secret matches nothing");
    }
}
