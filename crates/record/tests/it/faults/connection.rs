//! A network that cuts the connection to PostgreSQL after a random number of bytes, in whatever is being said.

use std::net::SocketAddr;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use keepwell_model::SeededRandom;
use keepwell_record::{
    Engine, EngineConfig, Expect, IdempotencyKey, PostgresOptions, PostgresStore, RecordError, RootKey, RootKeys,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::Host;

use crate::fixture::{TENANT, bodies, commit, create, put};
use crate::pg_database::Database;

/// Stands between the engine and the server.
struct Wire {
    random: SeededRandom,
    /// Bytes that may still pass, in either direction, before the next cut.
    left: AtomicI64,
    cuts: AtomicU64,
    cutting: AtomicBool,
    /// Commits of which the engine could not tell whether they were made.
    unknowns: AtomicU64,
}

impl Wire {
    /// Whether every kind of cut has been met. Where one falls depends on how fast both sides are, so the rare kind, between
    /// a commit and its answer, is waited for and not taken for granted; the limit is far beyond any run.
    fn has_cut_enough(&self) -> bool {
        let cuts = self.cuts.load(Ordering::SeqCst);
        cuts >= 60 && self.unknowns.load(Ordering::SeqCst) > 0 || cuts >= 5_000
    }

    fn arm(&self) {
        self.left.store(200 + self.random.below(12_000).cast_signed(), Ordering::SeqCst);
    }

    /// How much of a piece gets through; all of it unless the wire is cut in it.
    fn passes(&self, len: usize) -> usize {
        if !self.cutting.load(Ordering::SeqCst) {
            return len;
        }
        let before = self.left.fetch_sub(len.cast_signed() as i64, Ordering::SeqCst);
        if before >= len.cast_signed() as i64 {
            return len;
        }
        self.cuts.fetch_add(1, Ordering::SeqCst);
        self.arm();
        usize::try_from(before.max(0)).unwrap()
    }

    /// Carries bytes one way until an end is closed or the wire is cut.
    async fn carry(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let mut buffer = vec![0; 1_024];
        while let Ok(len @ 1..) = from.read(&mut buffer).await {
            let passed = self.passes(len);
            if to.write_all(&buffer[..passed]).await.is_err() || passed < len {
                break;
            }
        }
    }

    async fn join(&self, client: TcpStream, server: impl AsyncRead + AsyncWrite + Unpin) {
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = tokio::io::split(server);
        // Either way ends both, as a cut does.
        tokio::select! {
            () = self.carry(from_client, to_server) => {}
            () = self.carry(from_server, to_client) => {}
        }
    }
}

/// Listens, and carries what comes to the server of the configuration.
async fn listen(wire: &Arc<Wire>, server: &tokio_postgres::Config) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (wire, host) = (Arc::clone(wire), server.get_hosts()[0].clone());
    let port = server.get_ports().first().copied().unwrap_or(5432);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (wire, host) = (Arc::clone(&wire), host.clone());
            tokio::spawn(async move {
                match host {
                    Host::Tcp(name) => {
                        wire.join(client, TcpStream::connect((name.as_str(), port)).await.unwrap()).await;
                    }
                    Host::Unix(folder) => {
                        let socket = folder.join(format!(".s.PGSQL.{port}"));
                        wire.join(client, UnixStream::connect(socket).await.unwrap()).await;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_at_any_byte_loses_nothing_doubles_nothing_and_needs_no_restart() {
    let Some(database) = Database::create().await else { return };
    let server = tokio_postgres::Config::from_str(&database.url()).unwrap();
    let wire = Arc::new(Wire {
        random: SeededRandom::new(77),
        left: AtomicI64::new(0),
        cuts: AtomicU64::new(0),
        cutting: AtomicBool::new(false),
        unknowns: AtomicU64::new(0),
    });
    let address = listen(&wire, &server).await;
    let password = server.get_password().map(|word| format!(" password={}", String::from_utf8_lossy(word)));
    let url = format!(
        "host=127.0.0.1 port={} user={} dbname={} sslmode=disable{}",
        address.port(),
        server.get_user().unwrap(),
        server.get_dbname().unwrap(),
        password.unwrap_or_default(),
    );
    let options = PostgresOptions { connections: 4, ..PostgresOptions::default() };
    let store = Arc::new(PostgresStore::connect(&url, options).await.unwrap());
    let clock =
        Arc::new(keepwell_model::ManualClock::new(keepwell_model::Timestamp::from_micros(1_795_426_200_000_000)));
    let root = RootKeys::only(RootKey::from_bytes([3; 32]));
    let engine = Engine::new(store, root, clock, Arc::new(SeededRandom::new(4)), EngineConfig::default());
    let tenant = engine.create_tenant(TENANT, "Leeds").await.unwrap();
    let mut records = Vec::new();
    for _ in 0..3 {
        records.push(create(&tenant, &[]).await.0);
    }
    wire.arm();
    wire.cutting.store(true, Ordering::SeqCst);
    let mut tasks = Vec::new();
    for (task, record) in records.iter().copied().enumerate() {
        let (tenant, wire) = (tenant.clone(), Arc::clone(&wire));
        tasks.push(tokio::spawn(async move {
            let mut written = Vec::new();
            while !wire.has_cut_enough() {
                let body = format!("{task} {} {}", written.len(), "words ".repeat(40));
                let mut keyed = commit(record, Expect::Any, vec![put(&body)]);
                keyed.idempotency = Some(IdempotencyKey::of(body.as_bytes()));
                // Again and again with the same key, until there is an answer.
                loop {
                    match tenant.commit(keyed.clone()).await {
                        Ok(_) => break,
                        Err(RecordError::Unknown) => _ = wire.unknowns.fetch_add(1, Ordering::SeqCst),
                        Err(RecordError::Store(_) | RecordError::Conflict { .. }) => {}
                        Err(error) => panic!("a lost connection is called: {error}"),
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                written.push(body);
            }
            written
        }));
    }
    for (task, record) in tasks.into_iter().zip(records) {
        let written = task.await.unwrap();
        wire.cutting.store(false, Ordering::SeqCst);
        assert_eq!(bodies(&tenant, record).await, written, "each once, in order");
    }
    assert!(wire.unknowns.load(Ordering::SeqCst) > 0, "some cuts fell between a commit and its answer");
    tenant.extend_log().await.unwrap();
    assert_eq!(tenant.verify(&mut |_| {}).await.unwrap().faults, Vec::<String>::new());
}
