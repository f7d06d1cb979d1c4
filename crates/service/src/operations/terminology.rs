//! Codes: `ValueSet/$expand` and `$validate-code`, `CodeSystem/$lookup`, `$validate-code` and `$subsumes` (R4 §4.7). The
//! answers come from the definitions that the program holds, and from packages, and are about nobody, so no permit is asked for.

use bytes::Bytes;
use keepwell_fhir::element::{Coding, Concept};
use keepwell_fhir::json::Node;
use keepwell_fhir::outcome::{Issue, IssueCode};
use keepwell_fhir::terminology::{self, Asked, Expand, Place};
use keepwell_record::busy;

use super::given::{Given, OperationRequest, missing, unreadable};
use crate::{FhirError, Service};

/// Codes in one answer if the caller does not say.
const COUNT: usize = 1_000;

/// Where a code is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodesOf {
    /// In a value set.
    ValueSet,
    /// In a code system.
    CodeSystem,
}

impl Service {
    /// `ValueSet/$expand`: the codes of a value set.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 for what is not known here, 413 for too many codes.
    pub fn expand_value_set(&self, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let known = ["url", "valueSetVersion", "filter", "offset", "count", "activeOnly", "includeDesignations"];
        let given = Given::read(request, &known)?;
        let url = pinned(given.needed("url")?, given.one("valueSetVersion")?);
        let timestamp = self.now().to_string();
        let identifier = format!("urn:uuid:{}", self.uuid());
        let asked = Expand {
            url: &url,
            filter: given.one("filter")?,
            offset: given.number("offset")?.unwrap_or(0),
            count: Some(given.number("count")?.unwrap_or(COUNT).min(terminology::MAX_CONTAINS)),
            active_only: given.flag("activeOnly")?,
            timestamp: &timestamp,
            identifier: &identifier,
        };
        // A large set takes a while the first time.
        answer(busy(|| terminology::expand(self.definitions(), &asked)))
    }

    /// `CodeSystem/$lookup`: what a code means.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 for what is not known here.
    pub fn look_up_code(&self, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["code", "system", "version", "coding", "property", "displayLanguage"])?;
        let codes = Codes::of(&given, None)?;
        let code = codes.only()?;
        let system = code.system.as_deref().ok_or_else(|| missing("system"))?;
        let properties: Vec<&str> = given.all("property").filter(|name| *name != "display").collect();
        answer(terminology::lookup(self.definitions(), system, code.version.as_deref(), &code.code, &properties))
    }

    /// `$validate-code` of a value set or a code system: whether a code belongs to it.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 for what is not known here.
    pub fn validate_code(&self, place: CodesOf, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let known = [
            "url",
            "valueSetVersion",
            "code",
            "system",
            "systemVersion",
            "version",
            "display",
            "coding",
            "codeableConcept",
            "abstract",
            "inferSystem",
        ];
        let given = Given::read(request, &known)?;
        let codes = Codes::of(&given, given.one("display")?)?;
        let asked: Vec<Asked<'_>> = codes.0.iter().map(Code::asked).collect();
        let url = match (given.one("url")?, place) {
            (Some(url), _) => pinned(url, given.one("valueSetVersion")?),
            // The system of the code is then the one that is meant.
            (None, CodesOf::CodeSystem) => codes.only()?.system.clone().ok_or_else(|| missing("url"))?,
            (None, CodesOf::ValueSet) => return Err(missing("url")),
        };
        let place = match place {
            CodesOf::ValueSet => Place::ValueSet(&url),
            CodesOf::CodeSystem => Place::CodeSystem(&url),
        };
        answer(busy(|| terminology::validate_code(self.definitions(), place, &asked)))
    }

    /// `CodeSystem/$subsumes`: how one code stands to another.
    ///
    /// # Errors
    /// [`FhirError`]: 400 for parameters that cannot be read, 404 for what is not known here.
    pub fn subsumes(&self, request: &OperationRequest<'_>) -> Result<Bytes, FhirError> {
        let given = Given::read(request, &["codeA", "codeB", "system", "version", "codingA", "codingB"])?;
        let code = |plain: &'static str, coding: &'static str| -> Result<(Option<String>, String), FhirError> {
            if let Some(object) = given.objects(coding).next() {
                let coding = Node::new(object).map(Coding::of).ok_or_else(|| unreadable(coding))?;
                let code = coding.code.ok_or_else(|| unreadable(plain))?.into_owned();
                return Ok((coding.system.map(std::borrow::Cow::into_owned), code));
            }
            Ok((None, given.needed(plain)?.to_owned()))
        };
        let ((system_a, a), (system_b, b)) = (code("codeA", "codingA")?, code("codeB", "codingB")?);
        if system_a.is_some() && system_b.is_some() && system_a != system_b {
            let words = "The two codes are of different code systems. Ask about codes of one system.";
            return Err(FhirError::new(400, IssueCode::Invalid, words));
        }
        let system = given.one("system")?.map(str::to_owned).or(system_a).or(system_b);
        let system = system.ok_or_else(|| missing("system"))?;
        answer(terminology::subsumes(self.definitions(), &system, given.one("version")?, &a, &b))
    }
}

/// One code that is asked about.
struct Code {
    system: Option<String>,
    version: Option<String>,
    code: String,
    display: Option<String>,
}

impl Code {
    fn of(coding: Coding<'_>, version: Option<&str>) -> Option<Self> {
        let owned = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
        let (system, display) = (owned(coding.system), owned(coding.display));
        Some(Self { system, version: version.map(str::to_owned), code: coding.code?.into_owned(), display })
    }

    fn asked(&self) -> Asked<'_> {
        let (system, version) = (self.system.as_deref(), self.version.as_deref());
        Asked { system, version, code: &self.code, display: self.display.as_deref() }
    }
}

/// The codes of a call: a code with its system, a coding, or a concept with several.
struct Codes(Vec<Code>);

impl Codes {
    fn of(given: &Given, display: Option<&str>) -> Result<Self, FhirError> {
        let version = match given.one("systemVersion")? {
            Some(version) => Some(version),
            None => given.one("version")?,
        };
        if let Some(concept) = given.objects("codeableConcept").next().and_then(|object| Node::new(object)) {
            let codings = Concept::of(concept).codings.into_iter();
            return Ok(Self(codings.filter_map(|coding| Code::of(coding, version)).collect()));
        }
        if let Some(object) = given.objects("coding").next() {
            let code = Node::new(object).map(Coding::of).and_then(|coding| Code::of(coding, version));
            return Ok(Self(vec![code.ok_or_else(|| unreadable("coding"))?]));
        }
        let code = given.needed("code")?.to_owned();
        let system = given.one("system")?.map(str::to_owned);
        let (version, display) = (version.map(str::to_owned), display.map(str::to_owned));
        Ok(Self(vec![Code { system, version, code, display }]))
    }

    fn only(&self) -> Result<&Code, FhirError> {
        match self.0.as_slice() {
            [code] => Ok(code),
            _ => Err(missing("code")),
        }
    }
}

fn pinned(url: &str, version: Option<&str>) -> String {
    version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"))
}

fn answer(answer: Result<Vec<u8>, Issue>) -> Result<Bytes, FhirError> {
    answer.map(Bytes::from).map_err(|issue| {
        let status = match issue.code {
            IssueCode::NotFound => 404,
            IssueCode::TooCostly => 413,
            _ => 422,
        };
        FhirError { status, issues: vec![issue], task: None }
    })
}
