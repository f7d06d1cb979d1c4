//! What an expression is evaluated against.

use keepwell_model::Timestamp;

use super::element::Element;
use super::value::{Collection, Value};
use crate::definitions::Definitions;
use crate::json::Node;

/// How much an evaluation may do. It ends with an error when it would do more.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps: about one for each value that is looked at, and for each hundred bytes or so of JSON or text gone through.
    pub steps: u64,
    /// The longest text that may be computed, in bytes.
    pub text: usize,
}

impl Limits {
    /// Enough for any rule over one resource or Bundle of some megabytes, and over in about a second.
    pub const USUAL: Self = Self { steps: 4_000_000, text: 1 << 20 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Finds the resource that a reference leads to.
pub type Resolve<'a> = dyn Fn(&str) -> Option<Node<'a>> + 'a;
/// Whether a code, Coding or CodeableConcept is in the value set of that address; `None` if it cannot be said.
pub type MemberOf<'a> = dyn Fn(&Element<'a>, &str) -> Option<bool> + 'a;
/// Whether an element follows the profile of that address; `None` if the profile is not known.
pub type ConformsTo<'a> = dyn Fn(&Element<'a>, &str) -> Option<bool> + 'a;
/// Is told what `trace()` sees: the name, and the values.
pub type Trace<'a> = dyn Fn(&str, &[Value<'a>]) + 'a;

/// What an expression is evaluated against: a part of a document, the resources that it belongs to, and what lies outside.
/// The fields are there to be set before the evaluation.
#[derive(Clone)]
pub struct Context<'a> {
    /// The types.
    pub definitions: &'a Definitions,
    /// What the expression starts from (`$this`, `%context`); `None` for an expression that needs no input.
    pub focus: Option<Value<'a>>,
    /// The resource that contains the focus (`%resource`).
    pub resource: Option<Element<'a>>,
    /// The outermost resource (`%rootResource`): for a contained resource, its container.
    pub root: Option<Element<'a>>,
    /// Further variables, by name without the `%`.
    pub variables: Vec<(String, Collection<'a>)>,
    /// What `now()` and `today()` say: a moment, and the minutes east of UTC to tell it in. Without it they are errors.
    pub now: Option<(Timestamp, i16)>,
    /// Finds what a reference leads to, beyond contained resources and the entries of a Bundle.
    pub resolve: Option<&'a Resolve<'a>>,
    /// Whether `resolve()` may answer with a resource of which only the type is known, when the reference names one and
    /// nothing more can be found: enough for search parameters such as `subject.where(resolve() is Patient)`.
    pub resolve_types: bool,
    /// Whether `as` takes several items and keeps those of the type, as R4's search parameters and its rule `dom-3` need; by
    /// the specification (N1 §6.3.4) more than one is an error.
    pub as_filters: bool,
    /// Looks codes up for `memberOf()`.
    pub member_of: Option<&'a MemberOf<'a>>,
    /// Checks profiles for `conformsTo()`.
    pub conforms_to: Option<&'a ConformsTo<'a>>,
    /// Is told what `trace()` sees.
    pub trace: Option<&'a Trace<'a>>,
    /// How much the evaluation may do.
    pub limits: Limits,
}

impl<'a> Context<'a> {
    /// For a resource.
    #[must_use]
    pub fn of(definitions: &'a Definitions, resource: Node<'a>) -> Self {
        let element = Element::resource(definitions, resource);
        Self {
            focus: Some(Value::Element(element)),
            resource: Some(element),
            root: Some(element),
            ..Self::empty(definitions)
        }
    }

    /// For an element of a resource.
    #[must_use]
    pub fn at(definitions: &'a Definitions, resource: Node<'a>, element: Element<'a>) -> Self {
        Self { focus: Some(Value::Element(element)), ..Self::of(definitions, resource) }
    }

    /// For expressions that need no document.
    #[must_use]
    pub const fn empty(definitions: &'a Definitions) -> Self {
        Self {
            definitions,
            focus: None,
            resource: None,
            root: None,
            variables: Vec::new(),
            now: None,
            resolve: None,
            resolve_types: false,
            as_filters: false,
            member_of: None,
            conforms_to: None,
            trace: None,
            limits: Limits::USUAL,
        }
    }
}
