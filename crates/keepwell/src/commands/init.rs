//! `keepwell init`.

use keepwell_record::RootKey;
use serde_json::json;

use crate::cli::{Cli, Init};
use crate::config::Config;
use crate::error::CliError;
use crate::folder::{Folder, write_whole};
use crate::installation::Place;
use crate::output;
use crate::system::{SystemRandom, environment};

/// Makes a folder ready to serve.
pub(super) async fn run(cli: &Cli, words: &Init) -> Result<(), CliError> {
    let mut config = Config::default();
    config.service.name.clone_from(&words.name);
    config.http.base_url = words.base_url.trim_end_matches('/').to_owned();
    if let Some(url) = &cli.database_url {
        config.store.database_url.clone_from(url);
    }
    let folder = Folder::new(&cli.dir);
    make(&folder, &config, cli.database_url.clone()).await?;
    if cli.json {
        output::report(
            true,
            &json!({ "folder": folder.path(), "config": folder.config(), "root_key": folder.root_key() }),
        );
    } else {
        let shown = folder.path().display();
        output::say(&format!("{shown} is ready."));
        output::say(&format!(
            "Its root key is {}. Whoever has it can read every record; without it nobody can. Keep a copy elsewhere, or \
             split it: keepwell --dir {shown} key split --shares 3 --threshold 2",
            folder.root_key().display()
        ));
        output::say(&format!("Serve with: keepwell --dir {shown} serve"));
    }
    Ok(())
}

/// Writes configuration and root key, and makes the store. An installation that is there stays as it is.
pub(super) async fn make(folder: &Folder, config: &Config, database_url: Option<String>) -> Result<(), CliError> {
    if folder.is_ready() {
        return Err(CliError::failed(format!("{} holds an installation already", folder.path().display())));
    }
    folder.create()?;
    if environment("KEEPWELL_ROOT_KEY").is_none() && !folder.root_key().exists() {
        write_whole(&folder.root_key(), RootKey::random(&SystemRandom).to_line().as_bytes())?;
    }
    let place = Place::new(folder.clone(), config.clone(), database_url);
    let roots = place.root_keys()?;
    let store = place.store(true).await?;
    place.open_on(store, roots).await?;
    let text = toml::to_string(config).expect("the configuration is plain settings");
    // Last, since this file says that everything else is there.
    write_whole(&folder.config(), text.as_bytes())
}
