//! `keepwell serve`.

use std::sync::Arc;

use super::erasures;
use crate::cli::{Cli, Serve};
use crate::error::CliError;
use crate::installation::Place;
use crate::server::{self, Identity};
use crate::{control, jobs};

/// Serves until stopped.
pub(super) async fn run(cli: &Cli, words: &Serve) -> Result<(), CliError> {
    let mut place = Place::find(cli)?;
    if place.config.service.demonstration {
        return Err(CliError::failed("this folder holds a demonstration: run it with `keepwell demo`"));
    }
    if let Some(listen) = &words.listen {
        place.config.http.listen.clone_from(listen);
    }
    let installation = Arc::new(place.open().await?);
    installation.use_definitions()?;
    let folder = &installation.place.folder;
    if words.accept_older_store {
        // What the folder remembers of the newer store would refuse this one at the next look.
        drop(std::fs::remove_file(folder.checkpoint()));
    }
    jobs::check_not_older(&installation.tenant, folder).await?;
    // However the store came here: who was erased stays erased.
    erasures::apply(&installation.service, &folder.erasures(), &[]).await?;
    let listener = server::bind(&installation.place.config.http.listen).await?;
    jobs::start(&installation);
    control::listen(&installation)?;
    server::serve(listener, installation, Identity::Configured).await
}
