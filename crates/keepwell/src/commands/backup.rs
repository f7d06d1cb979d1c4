//! `keepwell restore`. (`keepwell backup` is a request like the others: see `control`.)

use std::path::Path;

use serde_json::json;

use super::erasures;
use crate::cli::{Cli, Restore};
use crate::error::CliError;
use crate::installation::Place;
use crate::output;

/// Puts a backup in place of the store. Erasures that the folder, the store or a list knows are applied again before the
/// restored store can be served.
pub(super) async fn restore(cli: &Cli, words: &Restore) -> Result<(), CliError> {
    let place = Place::find(cli)?;
    let list = place.folder.erasures();
    let mut more = match &words.erasures {
        Some(path) => {
            let given = erasures::noted(path)?;
            if given.is_empty() {
                return Err(CliError::usage(format!("{} holds no erasures", path.display())));
            }
            given
        }
        None => Vec::new(),
    };
    place.undo_unfinished_restore()?;
    more.extend(erasures_of_present_store(&place, words).await?);
    // Before the store that knows of them goes: a crash from here on forgets none.
    erasures::remember(&list, &more)?;
    put_in_place(&place, &words.file).await?;
    let installation = place.open().await?;
    let erased = erasures::apply(&installation.service, &list, &more).await?;
    // The checkpoint kept of the newer store would refuse the older one, which is what was asked for here.
    drop(std::fs::remove_file(installation.place.folder.checkpoint()));
    let mut kept = None;
    crate::jobs::keep_log(&installation.tenant, &installation.place.folder, &mut kept).await?;
    let found = installation.service.verify().await?;
    output::report(
        cli.json,
        &json!({
            "restored": words.file,
            "erased_again": erased,
            "records": found.records,
            "blocks": found.blocks,
            "faults": found.faults,
        }),
    );
    if found.faults.is_empty() { Ok(()) } else { Err(CliError::faults("the restored store does not verify")) }
}

/// What the store about to be replaced knows of erasures; a store too damaged to tell is passed over, since the folder's
/// list has them too.
async fn erasures_of_present_store(place: &Place, words: &Restore) -> Result<Vec<keepwell_record::Erasure>, CliError> {
    if place.database_url.is_none() && !place.folder.database().exists() {
        return Ok(Vec::new());
    }
    let replace = words.replace;
    let opened = match place.store(false).await {
        // Made but never used: opening it would give it a tenant of its own.
        Ok(store) if store.tenants().await?.is_empty() => return Ok(Vec::new()),
        Ok(store) => place.clone().open_on(store, place.root_keys()?).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(installation) => {
            let empty = installation.service.records(None, 1).await?.is_empty();
            if !empty && !replace {
                return Err(CliError::failed(
                    "there is a store with records here; add --replace to put the backup in its place (make a backup of \
                     it first)",
                ));
            }
            match installation.service.erasures().await {
                Ok(erasures) => Ok(erasures),
                Err(_) if words.erasures.is_some() => Ok(Vec::new()),
                Err(error) => Err(CliError::failed(format!(
                    "{error}: the store that is there cannot say whose records were erased. Give a list of them with \
                     --erasures, such as the folder's own erasures.jsonl"
                ))),
            }
        }
        Err(error) if error.number() == 4 || !replace => Err(error),
        Err(error) => {
            output::aside(&format!("keepwell: the store that is there cannot be read and is replaced ({error})"));
            Ok(Vec::new())
        }
    }
}

async fn put_in_place(place: &Place, file: &Path) -> Result<(), CliError> {
    if !file.is_file() {
        return Err(CliError::failed(format!("{} is not there", file.display())));
    }
    place.restore_store(file).await
}
