//! The tenant's transparency log on the store: taking new block hashes in, signing checkpoints, proving blocks. Blocks
//! wait in the store and are taken in within a second by whoever calls [`Tenant::extend_log`] (the server's background
//! job, or a command before it ends).

use std::collections::HashMap;

use bytes::Bytes;
use keepwell_model::{RecordId, Seq, Stream};

use super::load::damaged;
use super::tenant::{Tenant, TenantInner};
use crate::RecordError;
use crate::format::block;
use crate::keys::Secret;
use crate::log::{
    AddCheckpoint, Checkpoint, OpenedCheckpoint, Proof, SignatureKind, SigningKey, TileKey, TilePath, TreeState,
    TrustedLog, VerifyingKey, prove_consistency, prove_inclusion, root_at, serve_tile, tiles_for_consistency,
    tiles_for_inclusion, tiles_for_root,
};
use crate::store::LogAppend;

/// Leaves taken in at a time.
const BATCH: u32 = 4_096;

/// What the log said of itself last, to notice if it ever says less.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastSeen {
    size: u64,
    root: [u8; 32],
}

fn log_damaged(why: impl Into<String>) -> RecordError {
    RecordError::DamagedStore { what: "transparency log", why: why.into() }
}

/// The signing key of a tenant's log. Its name, which is the log's origin, is made from the public key, so that no two
/// logs have the same.
fn signing_key(seed: &Secret) -> SigningKey {
    let bare = SigningKey::from_seed("keepwell", SignatureKind::Log, seed.bytes()).expect("the name is a key name");
    let id = block::hash(bare.verifying().public());
    let hex: String = id[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    SigningKey::from_seed(&format!("keepwell/{hex}"), SignatureKind::Log, seed.bytes()).expect("the name is a key name")
}

impl Tenant {
    /// The public key that the log's checkpoints verify with, as a verifier key (`origin+id+key`).
    #[must_use]
    pub fn log_key(&self) -> VerifyingKey {
        signing_key(self.inner.keys().log_seed()).verifying().clone()
    }

    /// Takes waiting block hashes into the log and signs a checkpoint over them. Tells how many were taken in.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if the log no longer continues what was signed before (nothing is signed then);
    /// store errors.
    pub async fn extend_log(&self) -> Result<u64, RecordError> {
        let inner = &self.inner;
        let _one_at_a_time = inner.logging.lock().await;
        let mut taken = 0;
        loop {
            let leaves = inner.store.pending_leaves(inner.id, BATCH).await?;
            let signed = self.checkpoint().await?;
            let size = inner.store.log_size(inner.id).await?;
            inner.check_last_seen(size, signed.as_ref()).await?;
            if leaves.is_empty() {
                let current = signed.as_ref().is_some_and(|signed| signed.checkpoint().size() == size);
                if !current {
                    inner.sign(&inner.tree(size).await?, signed.as_ref()).await?;
                }
                return Ok(taken);
            }
            let tree = inner.tree(size).await?;
            let hashes: Vec<[u8; 32]> = leaves.iter().map(|leaf| leaf.hash).collect();
            let appended = tree.append(&hashes).map_err(|error| log_damaged(error.to_string()))?;
            let tiles = appended.tiles.into_iter().map(|t| (t.key.level, t.key.index, Bytes::from(t.bytes))).collect();
            let count = leaves.len() as u64;
            let append = LogAppend { tenant: inner.id, from: size, leaves, tiles };
            // Another node was quicker: look again.
            if inner.store.extend_log(append).await? {
                taken += count;
                inner.sign(&appended.state, signed.as_ref()).await?;
            }
        }
    }

    /// The newest signed checkpoint; `None` while the log is empty.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if it does not verify; store errors.
    pub async fn checkpoint(&self) -> Result<Option<OpenedCheckpoint>, RecordError> {
        let Some(note) = self.inner.store.checkpoint(self.inner.id).await? else { return Ok(None) };
        let log = TrustedLog::from(self.log_key());
        log.open(&note, &[]).map(Some).map_err(|error| log_damaged(format!("the stored checkpoint: {error}")))
    }

    /// What the log serves at a path below its prefix: `checkpoint`, `tile/…` (C2SP tlog-tiles). `None` for what it does
    /// not have.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if a tile is damaged; store errors.
    pub async fn log_file(&self, path: &str) -> Result<Option<Bytes>, RecordError> {
        let Some(opened) = self.checkpoint().await? else { return Ok(None) };
        if path == "checkpoint" {
            return Ok(Some(opened.note().to_string().into()));
        }
        let Ok(path) = path.parse::<TilePath>() else { return Ok(None) };
        let tiles = self.inner.tiles(vec![path.key()]).await?;
        let size = opened.checkpoint().size();
        let served = serve_tile(path, size, &tiles).map_err(|error| log_damaged(error.to_string()))?;
        Ok(served.map(Bytes::from))
    }

    /// A block and the proof that it is in the log, for a verifier that has nothing of Keepwell but the log's public key.
    /// `None` if there is no such block, or the log has not taken it in yet.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if block and log do not fit together; store errors.
    pub async fn prove(
        &self,
        record: RecordId,
        stream: Stream,
        seq: Seq,
    ) -> Result<Option<(Bytes, Proof)>, RecordError> {
        let inner = &self.inner;
        if inner.row(record).await?.is_none() {
            return Ok(None);
        }
        let row = inner.store.blocks(record, stream, seq, 1).await?.into_iter().next().filter(|row| row.seq == seq);
        let (Some(row), Some(opened)) = (row, self.checkpoint().await?) else { return Ok(None) };
        let size = opened.checkpoint().size();
        let Some(leaf) = row.leaf.filter(|leaf| *leaf < size) else { return Ok(None) };
        let tree_error = |error: crate::log::TreeError| log_damaged(error.to_string());
        let tiles = inner.tiles(tiles_for_inclusion(leaf, size).map_err(tree_error)?).await?;
        let path = prove_inclusion(leaf, size, &tiles).map_err(tree_error)?;
        let proof = Proof::new(block::hash(&row.block), leaf, path, &opened)
            .map_err(|_| damaged(record, stream, seq, "block", "it is not the one that the log holds"))?;
        Ok(Some((row.block, proof)))
    }

    /// The request that asks a witness to cosign the newest checkpoint, given the size that the witness saw last.
    ///
    /// # Errors
    /// [`RecordError::Malformed`] if the log is empty or was never that large; store errors.
    pub async fn witness_request(&self, old_size: u64) -> Result<AddCheckpoint, RecordError> {
        let opened = self.checkpoint().await?.ok_or(RecordError::Malformed("the log is empty"))?;
        let size = opened.checkpoint().size();
        let proof = self.inner.consistency(old_size, size).await?;
        Ok(AddCheckpoint { old_size, proof, checkpoint: opened.note().to_string() })
    }

    /// Adds the cosignatures that a witness answered to the newest checkpoint. `false` if a newer checkpoint has been
    /// signed in the meantime.
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] if none of the lines is by a known witness, or one is false; store errors.
    pub async fn add_cosignatures(
        &self,
        request: &AddCheckpoint,
        answer: &[u8],
        witnesses: &[VerifyingKey],
    ) -> Result<bool, RecordError> {
        let _one_at_a_time = self.inner.logging.lock().await;
        let opened = self.checkpoint().await?.ok_or(RecordError::Malformed("the log is empty"))?;
        let log = TrustedLog::from(self.log_key());
        let asked = log.open(request.checkpoint.as_bytes(), &[]).map_err(|error| log_damaged(error.to_string()))?;
        if asked.checkpoint() != opened.checkpoint() {
            return Ok(false);
        }
        let cosigned = opened.add_cosignatures(answer, witnesses).map_err(|error| log_damaged(error.to_string()))?;
        let (size, note) = (cosigned.checkpoint().size(), cosigned.note().to_string());
        self.inner.store.put_checkpoint(self.inner.id, size, note.into()).await?;
        Ok(true)
    }

    /// Checks that the log continues a checkpoint that somebody kept, which is how a store that was put back to an older
    /// state shows itself (threat T34).
    ///
    /// # Errors
    /// [`RecordError::DamagedStore`] in plain words if it does not; store errors.
    pub async fn check_continues(&self, kept: &[u8]) -> Result<(), RecordError> {
        let log = TrustedLog::from(self.log_key());
        let kept = log.open(kept, &[]).map_err(|error| log_damaged(format!("the checkpoint kept: {error}")))?;
        let (size, root) = (kept.checkpoint().size(), *kept.checkpoint().root());
        self.inner.check_continues(size, root).await?;
        *self.inner.last_seen.lock().expect("no panic while held") = Some(LastSeen { size, root });
        Ok(())
    }
}

impl TenantInner {
    pub(super) async fn tiles(&self, keys: Vec<TileKey>) -> Result<HashMap<TileKey, Bytes>, RecordError> {
        let mut tiles = HashMap::with_capacity(keys.len());
        for key in keys {
            if let Some(bytes) = self.store.log_tile(self.id, key.level, key.index).await? {
                tiles.insert(key, bytes);
            }
        }
        Ok(tiles)
    }

    async fn tree(&self, size: u64) -> Result<TreeState, RecordError> {
        let tiles = self.tiles(TreeState::tiles(size)).await?;
        TreeState::load(size, &tiles).map_err(|error| log_damaged(error.to_string()))
    }

    async fn consistency(&self, old: u64, new: u64) -> Result<Vec<[u8; 32]>, RecordError> {
        let beyond = |_| RecordError::Malformed("the log was never that large");
        let tiles = self.tiles(tiles_for_consistency(old, new).map_err(beyond)?).await?;
        prove_consistency(old, new, &tiles).map_err(|error| log_damaged(error.to_string()))
    }

    async fn check_continues(&self, size: u64, root: [u8; 32]) -> Result<(), RecordError> {
        let now = self.store.log_size(self.id).await?;
        if now < size {
            return Err(log_damaged(format!(
                "the store was put back to an older state: its log has {now} entries and had {size} before. Restore the \
                 newest backup, or if this is meant, say so with `keepwell restore`"
            )));
        }
        let tiles = self.tiles(tiles_for_root(size)).await?;
        let then = root_at(size, &tiles).map_err(|error| log_damaged(error.to_string()))?;
        if then == root { Ok(()) } else { Err(log_damaged("it does not continue a checkpoint that was signed before")) }
    }

    /// Notices under a running process that the store was put back, also if it has grown another way since.
    async fn check_last_seen(&self, size: u64, signed: Option<&OpenedCheckpoint>) -> Result<(), RecordError> {
        let Some(last) = *self.last_seen.lock().expect("no panic while held") else { return Ok(()) };
        let same = |signed: &OpenedCheckpoint| {
            (signed.checkpoint().size(), signed.checkpoint().root()) == (last.size, &last.root)
        };
        if size >= last.size && signed.is_some_and(same) {
            return Ok(());
        }
        self.check_continues(last.size, last.root).await
    }

    /// Signs the tree, if it continues what was signed before.
    async fn sign(&self, tree: &TreeState, before: Option<&OpenedCheckpoint>) -> Result<(), RecordError> {
        if let Some(before) = before {
            self.check_continues(before.checkpoint().size(), *before.checkpoint().root()).await?;
        }
        if tree.size() == 0 {
            return Ok(());
        }
        let key = signing_key(self.keys().log_seed());
        let checkpoint = Checkpoint::new(key.verifying().name(), tree.size(), tree.root())
            .map_err(|error| log_damaged(error.to_string()))?;
        let note = checkpoint.sign(&key).to_string();
        self.store.put_checkpoint(self.id, tree.size(), note.into()).await?;
        *self.last_seen.lock().expect("no panic while held") = Some(LastSeen { size: tree.size(), root: tree.root() });
        Ok(())
    }
}
