//! Tokens: codes, identifiers, yes and no (FHIR R4 §3.1.1.5.8).

use super::Context;
use crate::definitions::Membership;
use crate::outcome::{Issue, IssueCode};
use crate::search::fold::{dialled, same_but_for_case};
use crate::search::value::{System, Token, TypeCode};

/// What is asked of a token.
#[derive(Clone)]
pub(in crate::search) enum TokenTest {
    /// `code`, `system|code`, `|code`, `system|`.
    Is {
        /// The system.
        system: SystemTest,
        /// The code; `None` for any.
        code: Option<String>,
    },
    /// `:text`: a word of what it says to people starts like this (folded).
    Says(String),
    /// `:in`: the value set has it.
    In(String),
    /// `:below`: it is this code or lies below it.
    Below {
        /// The system.
        system: String,
        /// The code.
        code: String,
    },
    /// `:above`: it is this code or lies above it.
    Above {
        /// The system.
        system: String,
        /// The code.
        code: String,
    },
    /// `:of-type`: an identifier of that type with that value.
    OfType {
        /// The system of the type's code.
        system: String,
        /// The type's code.
        code: String,
        /// The identifier.
        value: String,
    },
}

/// What is asked of a token's system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::search) enum SystemTest {
    /// Nothing.
    Any,
    /// There is none.
    None,
    /// It is this one, or a `code` is bound to one of these value sets, which take their codes from it.
    Is(String, Vec<String>),
}

impl std::fmt::Debug for TokenTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenTest(…)")
    }
}

impl SystemTest {
    fn accepts(&self, system: &System) -> bool {
        match (self, system) {
            (Self::Any, _) | (Self::None, System::None | System::Implied(_)) => true,
            (Self::Is(asked, _), System::Named(it)) => **it == **asked,
            (Self::Is(asked, _), System::Either(one, other)) => **one == **asked || **other == **asked,
            (Self::Is(_, sets), System::Implied(set)) => sets.iter().any(|it| **it == **set),
            (Self::Is(..), System::None) | (Self::None, _) => false,
        }
    }
}

impl TokenTest {
    pub(super) fn accepts(&self, token: &Token, context: &Context<'_>) -> bool {
        match self {
            Self::Is { system, code } => {
                system.accepts(&token.system)
                    && match (code, &token.code) {
                        (None, code) => code.is_some() || token.system != System::None,
                        (Some(asked), Some(code)) => is_code(asked, code, token, context),
                        (Some(_), None) => false,
                    }
            }
            Self::Says(start) => token.text.as_ref().is_some_and(|text| says(text, start)),
            Self::In(value_set) => token.code.as_ref().is_some_and(|code| is_in(value_set, code, token, context)),
            Self::Below { system, code } => {
                token.is_of(system) && token.code.as_ref().is_some_and(|it| below(system, it, code, context))
            }
            Self::Above { system, code } => {
                token.is_of(system) && token.code.as_ref().is_some_and(|it| below(system, code, it, context))
            }
            Self::OfType { system, code, value } => {
                let is_type =
                    |(kind_system, kind): &TypeCode| kind_system.as_deref() == Some(system) && **kind == **code;
                token.kinds.iter().any(is_type) && token.code.as_ref().is_some_and(|it| same_but_for_case(value, it))
            }
        }
    }
}

impl Token {
    fn is_of(&self, system: &str) -> bool {
        matches!(&self.system, System::Named(it) if **it == *system)
    }

    fn named_system(&self) -> Option<&str> {
        match &self.system {
            System::Named(system) => Some(system),
            System::None | System::Either(..) | System::Implied(_) => None,
        }
    }
}

/// Case counts only where the code's system is known to mind it: R4 asks to err on the side of finding more.
fn is_code(asked: &str, code: &str, token: &Token, context: &Context<'_>) -> bool {
    if asked == code {
        return true;
    }
    if token.is_phone {
        return dialled(asked).eq(dialled(code));
    }
    let minds_case = match &token.system {
        // The codes of FHIR's own elements.
        System::Implied(_) => return false,
        System::Named(system) => || context.terminology.is_case_sensitive(system),
        System::None | System::Either(..) => return same_but_for_case(asked, code),
    };
    same_but_for_case(asked, code) && !minds_case()
}

/// Whether a folded text starts so, at its beginning or at the beginning of a word.
fn says(text: &str, start: &str) -> bool {
    text.match_indices(start).any(|(at, _)| at == 0 || text[..at].ends_with(' '))
}

fn is_in(value_set: &str, code: &str, token: &Token, context: &Context<'_>) -> bool {
    match context.terminology.has(value_set, token.named_system(), code) {
        Membership::Yes => true,
        Membership::No => false,
        Membership::Unknown => {
            let words = format!(
                "The value set '{value_set}' takes codes from a code system that is not loaded here, so which codes \
                 are in it is not known."
            );
            context.fault.borrow_mut().get_or_insert_with(|| Issue::error(IssueCode::NotSupported, words));
            false
        }
    }
}

fn below(system: &str, code: &str, ancestor: &str, context: &Context<'_>) -> bool {
    code == ancestor || context.terminology.is_below(system, code, ancestor) == Some(true)
}
