//! `keepwell check-proof`: needs a block, a proof and a key, and nothing else of Keepwell.

use aws_lc_rs::digest;
use keepwell_record::log::{Proof, TrustedLog, VerifyingKey};
use serde_json::json;

use crate::cli::CheckProof;
use crate::error::CliError;
use crate::output;

/// Checks a proof.
pub(super) fn check(json: bool, words: &CheckProof) -> Result<(), CliError> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| CliError::failed(format!("{} cannot be read: {error}", path.display())))
    };
    let key = |text: &str| -> Result<VerifyingKey, CliError> {
        text.trim().parse().map_err(|error| CliError::usage(format!("{text}: {error}")))
    };
    let block = read(&words.block)?;
    let hash: [u8; 32] = digest::digest(&digest::SHA256, &block).as_ref().try_into().expect("SHA-256 has 32 bytes");
    let refused =
        |error: keepwell_record::log::ProofError| CliError::faults(format!("the proof does not hold: {error}"));
    let proof = Proof::parse(&read(&words.proof)?).map_err(refused)?;
    let log = TrustedLog::from(key(&words.log_key)?);
    let witnesses = words.witness.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
    let opened = proof.verify(&hash, &log, &witnesses, words.quorum).map_err(refused)?;
    let cosigned: Vec<&str> = opened.cosignatures().iter().map(|c| c.name.as_str()).collect();
    output::report(
        json,
        &json!({
            "holds": true,
            "log": opened.checkpoint().origin(),
            "entry": proof.index(),
            "log_entries": opened.checkpoint().size(),
            "cosigned_by": cosigned,
        }),
    );
    Ok(())
}
