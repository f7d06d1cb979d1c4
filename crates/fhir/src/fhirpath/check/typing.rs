//! What each function takes and gives, as far as the types go.

use super::super::ast::TypeOperator;

/// How a function deals with types.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typing {
    pub(super) takes: Takes,
    pub(super) gives: Gives,
    /// Whether its first argument is a criterion.
    pub(super) criterion: bool,
    /// Whether its input must be texts.
    pub(super) needs_text: bool,
    /// Whether it depends on the order of its input.
    pub(super) needs_order: bool,
}

/// What its arguments start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// The items of the input.
    Items,
    /// Whatever surrounds the call.
    Surroundings,
}

/// What it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// Items of the input.
    Input,
    /// A System type.
    System(&'static str),
    /// A FHIR type.
    Fhir(&'static str),
    /// What the first argument gives.
    Argument,
    /// What the second or third argument gives.
    Either,
    /// Items of the input or of the first argument.
    Both,
    /// What cannot be said.
    Anything,
    /// What cannot be said, in no order.
    Unordered,
    /// What the first argument gives, again and again.
    Repeated,
    /// What its type says.
    Typed(TypeOperator),
}

/// The types that are texts, or that functions on texts take for one.
pub(super) const TEXTS: [&str; 20] = [
    "String",
    "base64Binary",
    "canonical",
    "code",
    "date",
    "dateTime",
    "id",
    "instant",
    "markdown",
    "oid",
    "string",
    "time",
    "uri",
    "url",
    "uuid",
    "xhtml",
    "Element",
    "Resource",
    "DomainResource",
    "Any",
];

const PLAIN: Typing = Typing {
    takes: Takes::Surroundings,
    gives: Gives::Anything,
    criterion: false,
    needs_text: false,
    needs_order: false,
};

/// How the function of that name deals with types.
pub(super) fn of(name: &str) -> Typing {
    let gives = |gives| Typing { gives, ..PLAIN };
    let system = |name| gives(Gives::System(name));
    let text = |name| Typing { needs_text: true, ..gives(Gives::System(name)) };
    let places = Typing { needs_order: true, ..gives(Gives::Input) };
    let items = |it| Typing { takes: Takes::Items, ..it };
    let criterion = |it| Typing { criterion: true, ..items(it) };
    match name {
        "exists" | "all" => criterion(system("Boolean")),
        "where" => criterion(gives(Gives::Input)),
        "iif" => criterion(gives(Gives::Either)),
        "select" => items(gives(Gives::Argument)),
        "repeat" => items(gives(Gives::Repeated)),
        "aggregate" => items(gives(Gives::Anything)),
        "sort" | "trace" | "defineVariable" => items(gives(Gives::Input)),
        "first" | "last" | "tail" | "skip" | "take" => places,
        "single" | "distinct" | "intersect" | "exclude" | "checkModifiers" | "abs" | "round" | "coalesce" => {
            gives(if name == "coalesce" || name == "round" { Gives::Anything } else { Gives::Input })
        }
        "union" | "combine" => gives(Gives::Both),
        "ofType" | "as" => gives(Gives::Typed(TypeOperator::As)),
        "is" => gives(Gives::Typed(TypeOperator::Is)),
        "children" | "descendants" => gives(Gives::Unordered),
        "extension" => gives(Gives::Fhir("Extension")),
        "type" => system("TypeInfo"),
        "empty" | "allTrue" | "anyTrue" | "allFalse" | "anyFalse" | "subsetOf" | "supersetOf" | "isDistinct"
        | "not" | "hasValue" | "memberOf" | "conformsTo" | "htmlChecks" | "comparable" | "subsumes" | "subsumedBy" => {
            system("Boolean")
        }
        "startsWith" | "endsWith" | "contains" | "matches" | "matchesFull" => text("Boolean"),
        "indexOf" | "lastIndexOf" | "length" => text("Integer"),
        "substring" | "upper" | "lower" | "trim" | "replace" | "replaceMatches" | "toChars" | "split" | "encode"
        | "decode" | "escape" | "unescape" => text("String"),
        "join" | "toString" => system("String"),
        "count" | "toInteger" | "precision" => system("Integer"),
        "toBoolean" => system("Boolean"),
        "toDecimal" | "exp" | "ln" | "sqrt" | "log" => system("Decimal"),
        "toDate" | "today" => system("Date"),
        "toDateTime" | "now" => system("DateTime"),
        "toTime" | "timeOfDay" => system("Time"),
        "toQuantity" => system("Quantity"),
        converts if converts.starts_with("convertsTo") => system("Boolean"),
        _ => PLAIN,
    }
}
