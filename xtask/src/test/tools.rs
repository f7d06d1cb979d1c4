//! What the tests need of the machine: looked for, installed where that is allowed, and otherwise asked for by name.

use std::path::{Path, PathBuf};

use crate::shell::{self, Outcome};

/// Something that a Debian package brings.
struct Tool {
    packages: &'static [&'static str],
    present: fn() -> bool,
}

/// In Debian 12, these bring all that the tests need beside Rust and Node.
const TOOLS: &[Tool] = &[
    Tool { packages: &["postgresql"], present: || postgres().is_some() },
    Tool { packages: &["chromium"], present: || chromium().is_some() },
    Tool { packages: &["fonts-noto-core"], present: || Path::new("/usr/share/fonts/truetype/noto").exists() },
    Tool { packages: &["fonts-dejavu-core"], present: || Path::new("/usr/share/fonts/truetype/dejavu").exists() },
    Tool { packages: &["python3", "python3-venv"], present: has_python },
];

/// Installs what is missing, as root or with a sudo that asks nothing; otherwise says what to run.
pub(crate) fn prepare() -> Outcome {
    let missing: Vec<&str> =
        TOOLS.iter().filter(|tool| !(tool.present)()).flat_map(|tool| tool.packages.iter().copied()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("sudo apt-get install -y --no-install-recommends {}", missing.join(" "));
    let prefix: &[&str] = if is_root() {
        &[]
    } else if shell::run(shell::program("sudo").args(["-n", "true"])).is_ok() {
        &["sudo", "-n"]
    } else {
        return Err(format!("some tools are missing; run this first:\n  {line}"));
    };
    if shell::find("apt-get").is_none() {
        return Err(format!("some tools are missing; install what Debian has as: {}", missing.join(" ")));
    }
    println!("installing {}", missing.join(" "));
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> =
            [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"], arguments].concat();
        shell::run(shell::program(words[0]).args(&words[1..]))
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], missing.as_slice()].concat())?;
    let still: Vec<&str> =
        TOOLS.iter().filter(|tool| !(tool.present)()).flat_map(|tool| tool.packages.iter().copied()).collect();
    if still.is_empty() { Ok(()) } else { Err(format!("installed, but still not found: {}", still.join(" "))) }
}

/// Whether this process is the superuser, which PostgreSQL refuses to run as.
pub(crate) fn is_root() -> bool {
    shell::read(shell::program("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The folder of the newest PostgreSQL server's programs, version 15 or later.
pub(crate) fn postgres() -> Option<PathBuf> {
    if let Some(folder) = shell::variable("KEEPWELL_TEST_PG_BIN") {
        return Some(PathBuf::from(folder));
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(version, folder)| *version >= 15 && folder.join("initdb").is_file())
        .max()
        .map(|(_, folder)| folder)
}

/// A browser that speaks the DevTools protocol.
pub(crate) fn chromium() -> Option<PathBuf> {
    shell::variable("KEEPWELL_CHROMIUM").map(PathBuf::from).or_else(|| shell::find("chromium"))
}

/// The modules that the stand-alone verifier imports; the cipher came to `cryptography` late.
const IMPORTS: &str =
    "import zstandard; from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV; AESGCMSIV(bytes(32))";

fn imports(python: &Path) -> bool {
    let mut check = shell::program(python);
    check.args(["-c", IMPORTS]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    check.status().is_ok_and(|status| status.success())
}

/// A Python with its virtual environments, or one that has the modules already.
fn has_python() -> bool {
    let mut check = shell::program("python3");
    check.args(["-c", "import venv, ensurepip"]).stderr(std::process::Stdio::null());
    check.status().is_ok_and(|status| status.success()) || imports(Path::new("python3"))
}

/// The search path that leads to a Python that can run the stand-alone verifier: the machine's own if that has the
/// modules, or else one in a virtual environment under `target`, put first.
pub(crate) fn path_with_python() -> Result<String, String> {
    let path = shell::variable("PATH").unwrap_or_default();
    if imports(Path::new("python3")) {
        return Ok(path);
    }
    let folder = shell::target().join("verify-python");
    let python = folder.join("bin/python3");
    if !imports(&python) {
        shell::run(shell::program("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = shell::program(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        shell::run(pip.args(["cryptography>=44", "zstandard>=0.23"]))?;
    }
    if !imports(&python) {
        return Err("the installed Python modules cannot be imported".into());
    }
    Ok(format!("{}:{path}", folder.join("bin").display()))
}

/// A Python in a virtual environment under `target` with exactly what this file of pinned and hashed packages lists.
pub(crate) fn python_with(requirements: &Path, name: &str) -> Result<PathBuf, String> {
    let wanted = shell::text(requirements)?;
    let folder = shell::target().join(name);
    let (python, stamp) = (folder.join("bin/python3"), folder.join("installed-from"));
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    shell::run(shell::program("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = shell::program(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"]);
    shell::run(pip.arg(requirements))?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(python)
}
