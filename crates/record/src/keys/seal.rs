//! Sealing with AES-256-GCM-SIV (RFC 8452) and keyed hashing with HMAC-SHA-256.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac as lc;
use keepwell_model::Random;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Length of a seal's tag.
pub(crate) const TAG_LEN: usize = 16;

/// 32 secret bytes, wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn random(random: &dyn Random) -> Self {
        let mut bytes = [0u8; 32];
        random.fill(&mut bytes);
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A key that seals. AES-GCM-SIV keeps its promise even if a nonce should repeat, which is what makes random 96-bit
/// nonces safe here (threat T35).
pub(crate) struct SealKey(LessSafeKey);

impl SealKey {
    pub(crate) fn new(secret: &Secret) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, secret.bytes()).expect("the key has the algorithm's length");
        Self(LessSafeKey::new(key))
    }

    /// Seals in place: the buffer grows by the tag.
    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], buffer: &mut Vec<u8>) {
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), buffer)
            .expect("sealing fails only for inputs over 2^36 bytes");
    }

    /// Seals a slice in place and answers the tag, which belongs behind it.
    pub(crate) fn seal_slice(&self, nonce: [u8; 12], aad: &[u8], buffer: &mut [u8]) -> [u8; TAG_LEN] {
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), buffer)
            .expect("sealing fails only for inputs over 2^36 bytes");
        tag.as_ref().try_into().expect("a tag has 16 bytes")
    }

    /// Opens in place; `None` if anything at all was changed.
    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let len = self.0.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed).ok()?.len();
        sealed.truncate(len);
        Some(sealed)
    }

    /// Seals with a fresh nonce in front: `nonce ‖ sealed`.
    pub(crate) fn seal_with_nonce(&self, random: &dyn Random, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0u8; 12];
        random.fill(&mut nonce);
        // Sealed where it stays: a buffer that has to grow would leave a copy of what may be a key behind.
        let mut out = Vec::with_capacity(12 + plain.len() + TAG_LEN);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        let tag = self.seal_slice(nonce, aad, &mut out[12..]);
        out.extend_from_slice(&tag);
        out
    }

    /// Opens what [`SealKey::seal_with_nonce`] made.
    pub(crate) fn open_with_nonce(&self, aad: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = bytes.split_at_checked(12)?;
        self.open(nonce.try_into().ok()?, aad, sealed.to_vec())
    }
}

/// HMAC-SHA-256 over the parts, each preceded by its length, so that no two lists of parts collide.
pub(crate) fn hmac(key: &Secret, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = lc::Context::with_key(&lc::Key::new(lc::HMAC_SHA256, key.bytes()));
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0u8; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}
