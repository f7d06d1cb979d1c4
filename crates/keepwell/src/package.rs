//! Reading a file of FHIR definitions: a FHIR package (a packed archive with a folder `package` of JSON resources), a Bundle,
//! or one resource. Nothing of an archive is ever written to the disk under its own name, and how much there may be of
//! everything is bounded: the file may come from anywhere.

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path};

use serde_json::value::RawValue;

/// Bytes of one file as it comes.
const MOST_PACKED: u64 = 64 << 20;
/// Bytes of one file when it is unpacked, and of all that are installed: several times what the largest has.
pub(crate) const MOST_BYTES: u64 = 256 << 20;
/// Entries of one archive.
const MOST_ENTRIES: usize = 20_000;

/// What is in a file.
pub(crate) struct Package {
    /// Its file's name.
    pub(crate) name: String,
    /// The file, byte for byte.
    pub(crate) bytes: Vec<u8>,
    /// Its resources.
    pub(crate) resources: Vec<Resource>,
}

/// One resource, as JSON.
pub(crate) struct Resource {
    /// What it is called in words: the file in an archive, or its place in a Bundle.
    pub(crate) called: String,
    pub(crate) json: Vec<u8>,
}

impl Package {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let bytes = whole(path)?;
        let resources = resources(&name, &bytes)?;
        Ok(Self { name, bytes, resources })
    }

    /// Bytes of its resources.
    pub(crate) fn size(&self) -> u64 {
        self.resources.iter().map(|it| it.json.len() as u64).sum()
    }
}

/// All bytes of a plain file.
fn whole(path: &Path) -> Result<Vec<u8>, String> {
    // A pipe or a device would be read for ever.
    if !std::fs::metadata(path).map_err(words)?.is_file() {
        return Err("it is no plain file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(words)?.take(MOST_PACKED + 1).read_to_end(&mut bytes).map_err(words)?;
    if bytes.len() as u64 > MOST_PACKED { Err(too_large(MOST_PACKED)) } else { Ok(bytes) }
}

fn words(error: impl Display) -> String {
    error.to_string()
}

fn too_large(limit: u64) -> String {
    format!("it is larger than {} MB", limit >> 20)
}

fn resources(name: &str, bytes: &[u8]) -> Result<Vec<Resource>, String> {
    let end = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if end(&[".tgz", ".tar.gz"]) {
        return unpack(bytes);
    }
    if end(&[".json"]) {
        return bundled(bytes);
    }
    if end(&[".xml"]) {
        let json = keepwell_service::json_of_xml(bytes).map_err(|error| {
            error.issues.first().map_or_else(|| "it is not FHIR XML".to_owned(), |issue| issue.diagnostics.clone())
        })?;
        return bundled(&json);
    }
    Err("its name does not end in .tgz, .json or .xml".to_owned())
}

/// A resource, or those of a Bundle.
fn bundled(bytes: &[u8]) -> Result<Vec<Resource>, String> {
    #[derive(serde::Deserialize)]
    struct Document<'a> {
        #[serde(rename = "resourceType")]
        resource_type: String,
        #[serde(borrow, default)]
        entry: Vec<Entry<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        resource: Option<&'a RawValue>,
    }
    let document: Document<'_> = serde_json::from_slice(bytes).map_err(words)?;
    if document.resource_type != "Bundle" {
        return Ok(vec![Resource { called: "the resource".to_owned(), json: bytes.to_vec() }]);
    }
    let entries = document.entry.iter().enumerate();
    let resources = entries.filter_map(|(at, entry)| {
        let json = entry.resource?.get().as_bytes().to_vec();
        Some(Resource { called: format!("entry {} of the Bundle", at + 1), json })
    });
    Ok(resources.collect())
}

/// The resources of a FHIR package: the JSON files of its folder `package`, its own manifest and index apart.
fn unpack(bytes: &[u8]) -> Result<Vec<Resource>, String> {
    // One byte more, so that an archive that goes on can be told from one that is cut off.
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(bytes).take(MOST_BYTES + 1));
    let mut found = Vec::new();
    let mut seen = 0u64;
    for (count, entry) in archive.entries().map_err(words)?.enumerate() {
        if count == MOST_ENTRIES {
            return Err(format!("it holds more than {MOST_ENTRIES} files"));
        }
        let mut entry = entry.map_err(words)?;
        // What is stepped over is unpacked too.
        seen = seen.saturating_add(entry.size());
        if seen > MOST_BYTES {
            return Err(format!("unpacked, {}", too_large(MOST_BYTES)));
        }
        let Some(name) = plain_name(&entry)? else { continue };
        let mut json = Vec::new();
        entry.read_to_end(&mut json).map_err(words)?;
        if json.len() as u64 != entry.size() {
            return Err(format!("it is cut off in its file {name}"));
        }
        found.push(Resource { called: format!("its file {name}"), json });
    }
    if found.is_empty() { Err("it holds no resources in a folder 'package'".to_owned()) } else { Ok(found) }
}

/// The name of an entry that is a resource; `None` for what is passed over.
fn plain_name(entry: &tar::Entry<'_, impl std::io::Read>) -> Result<Option<String>, String> {
    let path = entry.path().map_err(words)?;
    let shown: String = path.to_string_lossy().chars().filter(|it| !it.is_control()).take(100).collect();
    let kind = entry.header().entry_type();
    if kind.is_dir() || kind.is_pax_global_extensions() {
        return Ok(None);
    }
    if !kind.is_file() {
        return Err(format!("its entry '{shown}' is no plain file but a link or a device, which packages do not have"));
    }
    if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(format!("its entry '{shown}' leads out of the package"));
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let in_package = path.strip_prefix(".").unwrap_or(&path).parent() == Some(Path::new("package"));
    let is_resource = name.ends_with(".json") && !matches!(name, "package.json" | ".index.json");
    Ok((in_package && is_resource && !name.starts_with('.')).then_some(shown))
}
