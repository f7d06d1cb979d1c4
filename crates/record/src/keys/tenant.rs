//! A tenant's keys, wrapped together under the root key.

use keepwell_model::{Random, RecordId, TenantId};

use super::record::RecordKeys;
use super::root::{RootKey, RootKeys};
use super::seal::{SealKey, Secret, hmac};
use crate::RecordError;
use crate::format::varint::{self, Reader};

/// Everything a tenant keeps secret. The wrapping keys have versions, newest last; old ones are kept, since another node may
/// wrap with one for a moment after a rotation. The other keys stay for the tenant's life, since blind indexes and checkpoints made with them must go on being found and verified.
pub(crate) struct TenantKeys {
    tenant: TenantId,
    wrapping: Vec<(u32, Secret, SealKey)>,
    index: Secret,
    side: Secret,
    side_key: SealKey,
    log_seed: Secret,
    directory: RecordId,
}

impl TenantKeys {
    pub(crate) fn random(tenant: TenantId, random: &dyn Random) -> Self {
        let (first, side) = (Secret::random(random), Secret::random(random));
        Self {
            tenant,
            wrapping: vec![(1, first.clone(), SealKey::new(&first))],
            index: Secret::random(random),
            side_key: SealKey::new(&side),
            side,
            log_seed: Secret::random(random),
            directory: RecordId::random(random),
        }
    }

    fn aad(tenant: TenantId, root: [u8; 8]) -> Vec<u8> {
        [b"KWT1".as_slice(), &tenant.0.to_be_bytes(), &root].concat()
    }

    /// `root key id (8) ‖ nonce (12) ‖ sealed`.
    pub(crate) fn wrap(&self, root: &RootKey, random: &dyn Random) -> Vec<u8> {
        let mut plain = Vec::with_capacity(256);
        varint::put(&mut plain, self.wrapping.len() as u64);
        for (version, secret, _) in &self.wrapping {
            plain.extend_from_slice(&version.to_be_bytes());
            plain.extend_from_slice(secret.bytes());
        }
        for secret in [&self.index, &self.side, &self.log_seed] {
            plain.extend_from_slice(secret.bytes());
        }
        plain.extend_from_slice(self.directory.as_bytes());
        let sealed = root.seal_key().seal_with_nonce(random, &Self::aad(self.tenant, root.id()), &plain);
        zeroize::Zeroize::zeroize(&mut plain);
        [root.id().as_slice(), &sealed].concat()
    }

    pub(crate) fn unwrap(tenant: TenantId, wrapped: &[u8], roots: &RootKeys) -> Result<Self, RecordError> {
        let damaged = || RecordError::DamagedStore {
            what: "tenant keys",
            why: format!("the keys of tenant {tenant} do not open under the root key that made them"),
        };
        let id: [u8; 8] = wrapped.get(..8).and_then(|b| b.try_into().ok()).ok_or_else(damaged)?;
        let root = roots.by_id(id).ok_or_else(|| {
            RecordError::Key(
                "this root key is not the one that the store was sealed with. Look for the right key file, or join its \
                 shares with `keepwell key recover`; no other key can open these records"
                    .into(),
            )
        })?;
        let plain = root.seal_key().open_with_nonce(&Self::aad(tenant, id), &wrapped[8..]).ok_or_else(damaged)?;
        Self::parse(tenant, &zeroize::Zeroizing::new(plain)).ok_or_else(damaged)
    }

    fn parse(tenant: TenantId, plain: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(plain);
        let mut wrapping = Vec::new();
        for _ in 0..reader.count()? {
            let version = u32::from_be_bytes(reader.array()?);
            let secret = Secret::new(reader.array()?);
            let key = SealKey::new(&secret);
            wrapping.push((version, secret, key));
        }
        let index = Secret::new(reader.array()?);
        let side = Secret::new(reader.array()?);
        let log_seed = Secret::new(reader.array()?);
        let directory = RecordId::from_bytes(reader.array()?);
        let whole = reader.is_at_end() && !wrapping.is_empty();
        whole.then(|| Self { tenant, wrapping, index, side_key: SealKey::new(&side), side, log_seed, directory })
    }

    pub(crate) const fn directory(&self) -> RecordId {
        self.directory
    }

    pub(crate) const fn log_seed(&self) -> &Secret {
        &self.log_seed
    }

    /// The same keys with one more wrapping key, which wraps from now on.
    pub(crate) fn with_new_wrapping(&self, random: &dyn Random) -> Self {
        let secret = Secret::random(random);
        let mut wrapping = self.copy_wrapping();
        wrapping.push((self.wrapping_version() + 1, secret.clone(), SealKey::new(&secret)));
        self.with_wrapping(wrapping)
    }

    fn copy_wrapping(&self) -> Vec<(u32, Secret, SealKey)> {
        self.wrapping.iter().map(|(version, secret, _)| (*version, secret.clone(), SealKey::new(secret))).collect()
    }

    fn with_wrapping(&self, wrapping: Vec<(u32, Secret, SealKey)>) -> Self {
        Self {
            tenant: self.tenant,
            wrapping,
            index: self.index.clone(),
            side: self.side.clone(),
            side_key: SealKey::new(&self.side),
            log_seed: self.log_seed.clone(),
            directory: self.directory,
        }
    }

    /// The version that wraps from now on.
    pub(crate) fn wrapping_version(&self) -> u32 {
        self.wrapping.last().expect("there is always one").0
    }

    fn record_aad(&self, record: RecordId, version: u32) -> Vec<u8> {
        [b"KWR1".as_slice(), &self.tenant.0.to_be_bytes(), record.as_bytes(), &version.to_be_bytes()].concat()
    }

    /// `wrapping key version (4) ‖ nonce (12) ‖ sealed`.
    pub(crate) fn wrap_record(&self, record: RecordId, keys: &RecordKeys, random: &dyn Random) -> Vec<u8> {
        let (version, _, key) = self.wrapping.last().expect("there is always one");
        let mut plain = keys.to_bytes();
        let sealed = key.seal_with_nonce(random, &self.record_aad(record, *version), &plain);
        zeroize::Zeroize::zeroize(&mut plain);
        [version.to_be_bytes().as_slice(), &sealed].concat()
    }

    /// Which wrapping key a wrapped record key was made with.
    pub(crate) fn version_of(wrapped: &[u8]) -> Option<u32> {
        Some(u32::from_be_bytes(wrapped.get(..4)?.try_into().ok()?))
    }

    pub(crate) fn unwrap_record(&self, record: RecordId, wrapped: &[u8]) -> Option<RecordKeys> {
        let version = Self::version_of(wrapped)?;
        let (_, _, key) = self.wrapping.iter().find(|(v, ..)| *v == version)?;
        let plain = key.open_with_nonce(&self.record_aad(record, version), &wrapped[4..])?;
        RecordKeys::from_bytes(&zeroize::Zeroizing::new(plain))
    }

    /// The blind index of an alias: HMAC-SHA-256 under the tenant's index key.
    pub(crate) fn alias_index(&self, system: &str, value: &str) -> [u8; 32] {
        hmac(&self.index, &[b"alias", system.as_bytes(), value.as_bytes()])
    }

    /// The tag that binds an alias row to its record, so that a damaged or forged row is noticed.
    pub(crate) fn alias_tag(&self, index: &[u8; 32], record: RecordId) -> [u8; 16] {
        truncate(hmac(&self.index, &[b"alias row", index, record.as_bytes()]))
    }

    /// The tag that binds a merge mark to the two records.
    pub(crate) fn merge_tag(&self, record: RecordId, into: RecordId) -> [u8; 16] {
        truncate(hmac(&self.index, &[b"merge", record.as_bytes(), into.as_bytes()]))
    }

    /// The blind form of an idempotency key.
    pub(crate) fn idempotency_index(&self, key: &[u8; 32]) -> [u8; 32] {
        hmac(&self.index, &[b"idempotency", key])
    }

    /// The blind key of a side row.
    pub(crate) fn side_index(&self, table: u8, key: &[u8]) -> [u8; 32] {
        hmac(&self.index, &[b"side", &[table], key])
    }

    fn side_aad(&self, table: u8, index: &[u8; 32], expires: i64) -> Vec<u8> {
        [b"KWS1".as_slice(), &self.tenant.0.to_be_bytes(), &[table], index, &expires.to_be_bytes()].concat()
    }

    /// Seals the value of a side row; row key and expiry are authenticated with it.
    pub(crate) fn seal_side(
        &self,
        table: u8,
        index: &[u8; 32],
        expires: i64,
        value: &[u8],
        random: &dyn Random,
    ) -> Vec<u8> {
        self.side_key.seal_with_nonce(random, &self.side_aad(table, index, expires), value)
    }

    pub(crate) fn open_side(&self, table: u8, index: &[u8; 32], expires: i64, sealed: &[u8]) -> Option<Vec<u8>> {
        self.side_key.open_with_nonce(&self.side_aad(table, index, expires), sealed)
    }

    fn token_aad(&self, what: &str) -> Vec<u8> {
        [b"KWT1".as_slice(), &self.tenant.0.to_be_bytes(), what.as_bytes()].concat()
    }

    /// Seals a note to self that somebody else carries; `what` says what it is for, and only that opens it again.
    pub(crate) fn seal_token(&self, what: &str, plain: &[u8], random: &dyn Random) -> Vec<u8> {
        self.side_key.seal_with_nonce(random, &self.token_aad(what), plain)
    }

    pub(crate) fn open_token(&self, what: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.side_key.open_with_nonce(&self.token_aad(what), sealed)
    }
}

fn truncate(full: [u8; 32]) -> [u8; 16] {
    full[..16].try_into().expect("16 of 32 bytes")
}
