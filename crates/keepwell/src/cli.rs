//! The command line's words.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::error::EXIT_CODES;

/// A person held record for a city: every resident holds one joined-up health and care record.
#[derive(Debug, Parser)]
#[command(name = "keepwell", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The folder that holds configuration, keys and the embedded store
    #[arg(long, global = true, default_value = "keepwell-data", value_name = "DIR", env = "KEEPWELL_DIR")]
    pub(crate) dir: PathBuf,
    /// Keep records in this PostgreSQL database instead of the embedded store
    #[arg(long, global = true, value_name = "URL", env = "KEEPWELL_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// Another configuration file than DIR/config.toml
    #[arg(long, global = true, value_name = "FILE", env = "KEEPWELL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Answer in JSON, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Write logs as JSON lines
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the folder ready to serve: configuration, root key, store
    Init(Init),
    /// Serve residents and systems until stopped
    Serve(Serve),
    /// Run a demonstration city: synthetic people, real feeds through the real doors, a page to sign in
    Demo(Demo),
    /// Bring the store's format up to date (make a backup first)
    Migrate,
    /// Check every block, key, alias, snapshot and the log; tell what does not hold
    Verify,
    /// Count what is stored
    Stats,
    /// List the ids of records
    Records(Records),
    /// Write a copy of the whole store to a file, while it is in use
    Backup(Backup),
    /// Put a backup in place of the store; erasures since then are applied again
    Restore(Restore),
    /// Take something in
    #[command(subcommand)]
    Import(Import),
    /// Give something out
    #[command(subcommand)]
    Export(Export),
    /// Destroy a record for good: its keys and blocks; a stub stays
    Erase(Erase),
    /// Say that two records are one person's
    Merge(Merge),
    /// Undo a merge
    Unmerge(Unmerge),
    /// Root and tenant keys
    #[command(subcommand)]
    Key(Key),
    /// Source systems that may feed records
    #[command(subcommand)]
    Client(Client),
    /// Packages of FHIR definitions beside R4's own, such as UK Core
    #[command(subcommand)]
    Definitions(Definitions),
    /// Write a block and the proof that it is in the transparency log
    Prove(Prove),
    /// Check a block against a proof, with nothing but the log's public key
    CheckProof(CheckProof),
    /// Be a witness: cosign the checkpoints of logs that only ever grow
    Witness(Witness),
    /// Write files of synthetic people and their feeds
    Synth(Synth),
    /// Print the licences of everything in this program
    Licences,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The name residents see
    #[arg(long, default_value = "Keepwell")]
    pub(crate) name: String,
    /// The address that browsers use
    #[arg(long, default_value = "http://localhost:8080", value_name = "URL")]
    pub(crate) base_url: String,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Another address to listen on than the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// Serve although the store is older than the last checkpoint kept in the folder
    #[arg(long)]
    pub(crate) accept_older_store: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many synthetic residents
    #[arg(long, default_value_t = 200)]
    pub(crate) people: u32,
    /// Port on localhost
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// The same seed gives the same city
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Throw away an earlier demonstration in the folder and start anew
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Records {
    /// Those after this id
    #[arg(long, value_name = "RECORD")]
    pub(crate) after: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    pub(crate) file: PathBuf,
    /// Replace the store that is there
    #[arg(long)]
    pub(crate) replace: bool,
    /// A list of erasures to apply again, besides the folder's own
    #[arg(long, value_name = "FILE")]
    pub(crate) erasures: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// FHIR transaction Bundles (JSON) or NDJSON, files or folders
    Fhir {
        /// Files or folders
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// The registered name of the source; it is registered if it is not yet
        #[arg(long)]
        source: String,
    },
    /// A person's archive from another installation
    Record {
        /// The archive
        file: PathBuf,
        /// A file with the archive's key
        #[arg(long, value_name = "FILE")]
        key_file: PathBuf,
        /// The verifier key of the log it must come from
        #[arg(long, value_name = "KEY")]
        log_key: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// All of one person's record, sealed under a key of its own
    Record {
        /// The record's id
        record: String,
        /// The archive to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where to write the archive's key; keep it apart from the archive
        #[arg(long, value_name = "FILE")]
        key_out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The record's id
    pub(crate) record: String,
    /// On whose authority: an office, a case number. No health data
    #[arg(long)]
    pub(crate) authority: String,
    /// Yes, for good
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The record that stands for the person from now on
    pub(crate) survivor: String,
    /// The record that leads to it from now on
    pub(crate) other: String,
}

#[derive(Debug, Args)]
pub(crate) struct Unmerge {
    /// The record that was merged
    pub(crate) other: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a root key and print it, or write it to a file
    New {
        /// The file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Replace the root key and the tenant's wrapping key, while serving
    Rotate {
        /// Only give this record a new data key
        #[arg(long, value_name = "RECORD")]
        record: Option<String>,
    },
    /// Split the root key into shares, of which some threshold gives it back
    Split {
        /// How many shares
        #[arg(long)]
        shares: u8,
        /// How many of them are needed
        #[arg(long)]
        threshold: u8,
        /// Write each share to a file of its own in this folder, instead of printing all
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Join shares and write the root key
    Recover {
        /// Files with a share each; without any, shares are read from standard input, one a line
        shares: Vec<PathBuf>,
        /// The key file to write; it must not exist [default: DIR/root.key]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// What kind of care a source system's organisation gives; entries are labelled by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Setting {
    General,
    MentalHealth,
    SocialCare,
    SexualHealth,
}

/// What becomes of resources that do not keep the rules of FHIR R4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Invalid {
    /// They are refused
    Strict,
    /// They are kept as they came, with what is wrong beside them: for feeds that nobody can mend
    Record,
    /// They are kept, and nobody looks
    Off,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Definitions {
    /// Add a FHIR package (.tgz), a Bundle or one resource (.json, .xml); a file of that name that is there is replaced
    Add {
        /// The file
        file: PathBuf,
    },
    /// List what was added
    List,
    /// Take one away again
    Remove {
        /// Its name, as `list` shows it
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// Register a source system and print its bearer token, once
    Add {
        /// Its name: small letters, digits and dashes
        name: String,
        /// The organisation that runs it, in words
        #[arg(long)]
        organisation: String,
        /// What kind of care it gives
        #[arg(long, value_enum, default_value_t = Setting::General)]
        setting: Setting,
        /// What it may beyond feeding records and reading those that it feeds; may be given several times
        #[arg(long, value_enum)]
        grant: Vec<Granted>,
        /// What becomes of resources that do not keep the rules of FHIR R4
        #[arg(long, value_enum, default_value_t = Invalid::Strict)]
        validation: Invalid,
    },
    /// List registered systems
    List,
}

/// What a system may beyond feeding records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Granted {
    /// Search the records that it feeds without saying whose
    SearchPeople,
    /// Take out copies of all records that it feeds
    ExportRecords,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The record's id
    pub(crate) record: String,
    /// The block's number
    pub(crate) seq: u64,
    /// `care` or `access`
    #[arg(long, default_value = "care")]
    pub(crate) stream: String,
    /// Folder for `block.bin`, `proof.txt` and `log.key`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CheckProof {
    /// The block
    pub(crate) block: PathBuf,
    /// The proof
    pub(crate) proof: PathBuf,
    /// The log's verifier key
    #[arg(long)]
    pub(crate) log_key: String,
    /// Verifier keys of witnesses
    #[arg(long, value_name = "KEY")]
    pub(crate) witness: Vec<String>,
    /// How many of them must have cosigned
    #[arg(long, default_value_t = 0)]
    pub(crate) quorum: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Witness {
    /// Verifier keys of the logs to watch
    #[arg(long = "log", value_name = "KEY", required = true)]
    pub(crate) logs: Vec<String>,
    /// The name to sign with
    #[arg(long, default_value = "keepwell-witness")]
    pub(crate) name: String,
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub(crate) listen: String,
}

#[derive(Debug, Args)]
pub(crate) struct Synth {
    /// How many people
    #[arg(long, default_value_t = 200)]
    pub(crate) people: u32,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The day on which the people live, which all their dates count from [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<String>,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
