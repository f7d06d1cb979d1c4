//! `keepwell serve`.

use std::sync::Arc;

use crate::cli::{Cli, Serve};
use crate::error::CliError;
use crate::installation::{Installation, Place};
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
    if !words.accept_older_store {
        check_not_older(&installation).await?;
    }
    let listener = server::bind(&installation.place.config.http.listen).await?;
    jobs::start(&installation);
    control::listen(&installation)?;
    server::serve(listener, installation, Identity::Configured).await
}

/// A store that was put back to an older state is not served unless somebody says that it is meant (threat T34).
pub(super) async fn check_not_older(installation: &Installation) -> Result<(), CliError> {
    let path = installation.place.folder.checkpoint();
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CliError::failed(format!("{} cannot be read: {error}", path.display()))),
        Ok(kept) => installation.tenant.check_continues(&kept).await.map_err(|error| {
            CliError::with_code(format!("{error}. To serve it all the same: --accept-older-store"), 6)
        }),
    }
}
