//! Databases of one's own on the server that `KEEPWELL_TEST_POSTGRES` names.

use std::sync::atomic::{AtomicU32, Ordering};

use keepwell_record::{PostgresOptions, PostgresStore};

/// A database that goes when this is dropped.
pub(crate) struct Database {
    server: String,
    name: String,
}

/// Says that a test did not run, unless everything has to.
pub(crate) fn skipped(needs: &str) {
    #[expect(clippy::disallowed_methods, reason = "a switch for tests, set by whoever runs them")]
    let required = std::env::var_os("KEEPWELL_REQUIRE_ALL").is_some_and(|value| value == "1");
    assert!(!required, "{needs}");
    #[expect(clippy::print_stdout, reason = "whoever runs the tests is to see what was left out")]
    {
        println!("skipped: {needs}");
    }
}

impl Database {
    /// A new database, or a line that says why there is none.
    pub(crate) async fn create() -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "a setting for tests, set by whoever runs them")]
        let Ok(server) = std::env::var("KEEPWELL_TEST_POSTGRES") else {
            skipped("KEEPWELL_TEST_POSTGRES is to hold the URL of a PostgreSQL server");
            return None;
        };
        let name = format!("keepwell_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        run(&server, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Some(Self { server, name })
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        with_database(&self.server, &self.name)
    }

    /// Its URL with `options=-c…` of one setting.
    pub(crate) fn url_with(&self, setting: &str) -> String {
        let url = self.url();
        let mark = if url.contains('?') { '&' } else { '?' };
        format!("{url}{mark}options=-c{}", setting.replace('=', "%3D"))
    }

    /// Another node's store on it.
    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.url(), PostgresOptions { connections: 8, ..PostgresOptions::default() })
            .await
            .unwrap()
    }

    /// Runs statements that no store would.
    pub(crate) async fn run(&self, sql: &str) {
        run(&self.url(), sql).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // Dropping happens inside the test's own runtime, which cannot be waited on from here.
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(&server, &sql));
        });
        drop(dropping.join());
    }
}

/// Runs statements on a connection of their own.
pub(crate) async fn run(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    drop(driver.await);
}

/// The same server's URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = address.split_once("://").unwrap();
    let host = rest.split('/').next().unwrap_or_default();
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{scheme}://{host}/{name}{mark}{parameters}")
}
