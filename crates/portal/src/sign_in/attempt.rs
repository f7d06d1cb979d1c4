//! A sign-in attempt: what ties the answer of the provider to the browser that asked. The browser keeps one random
//! secret in a cookie; `state`, `nonce` and the PKCE verifier are derived from it, each in its own way, so that what
//! appears in addresses and tokens gives away none of the others and any node can finish what another began.

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keepwell_model::{Random, Timestamp};

/// How long a person may take at the provider, in seconds.
pub(crate) const LIFETIME: i64 = 10 * 60;

/// One attempt.
pub(crate) struct Attempt {
    secret: [u8; 32],
    started: i64,
}

impl Attempt {
    /// A new attempt.
    pub(crate) fn begin(random: &dyn Random, now: Timestamp) -> Self {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        Self { secret, started: now.micros() / 1_000_000 }
    }

    /// The attempt that a cookie stands for, unless it is malformed or too old.
    pub(crate) fn from_cookie(value: &str, now: Timestamp) -> Option<Self> {
        let (started, secret) = value.split_once('.')?;
        let started: i64 = started.parse().ok()?;
        let age = now.micros() / 1_000_000 - started;
        // The clock of another node may be a little ahead.
        if !(-60..=LIFETIME).contains(&age) {
            return None;
        }
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
        Some(Self { secret, started })
    }

    /// The cookie's value.
    pub(crate) fn to_cookie(&self) -> String {
        format!("{}.{}", self.started, URL_SAFE_NO_PAD.encode(self.secret))
    }

    /// Comes back with the provider's answer.
    pub(crate) fn state(&self) -> String {
        self.derive("state")
    }

    /// Comes back inside the ID token.
    pub(crate) fn nonce(&self) -> String {
        self.derive("nonce")
    }

    /// Proves to the provider that who redeems the code is who asked for it.
    pub(crate) fn verifier(&self) -> String {
        self.derive("verifier")
    }

    /// What the provider is shown of the verifier beforehand (PKCE, S256).
    pub(crate) fn challenge(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&SHA256, self.verifier().as_bytes());
        URL_SAFE_NO_PAD.encode(digest)
    }

    fn derive(&self, what: &str) -> String {
        let mut context = Context::new(&SHA256);
        context.update(b"keepwell sign-in ");
        context.update(what.as_bytes());
        context.update(&[0]);
        context.update(&self.secret);
        URL_SAFE_NO_PAD.encode(context.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keepwell_model::SeededRandom;

    fn attempt() -> Attempt {
        Attempt::begin(&SeededRandom::new(7), Timestamp::from_micros(1_000_000_000))
    }

    #[test]
    fn a_cookie_brings_back_the_same_attempt_for_ten_minutes() {
        let begun = attempt();
        let at = |seconds| Timestamp::from_micros(1_000_000_000).plus_seconds(seconds);
        for seconds in [0, 599, 600, -60] {
            assert_eq!(Attempt::from_cookie(&begun.to_cookie(), at(seconds)).unwrap().state(), begun.state());
        }
        for seconds in [601, -61] {
            assert!(Attempt::from_cookie(&begun.to_cookie(), at(seconds)).is_none(), "{seconds}");
        }
    }

    #[test]
    fn what_the_world_sees_differs_in_every_part() {
        let begun = attempt();
        let parts = [begun.state(), begun.nonce(), begun.verifier(), begun.challenge(), begun.to_cookie()];
        for (i, one) in parts.iter().enumerate() {
            assert!(parts.iter().skip(i + 1).all(|other| !other.contains(one.as_str())));
        }
        assert!((43..=128).contains(&begun.verifier().len()), "RFC 7636 §4.1");
    }

    #[test]
    fn a_malformed_cookie_is_no_attempt() {
        let now = Timestamp::from_micros(1_000_000_000);
        for text in ["", ".", "1000", "1000.", "1000.AAAA", "x.AAAA", "1000.%%%%"] {
            assert!(Attempt::from_cookie(text, now).is_none(), "{text}");
        }
    }
}
