//! Type names and tests (FHIRPath N1 §6.3).

use super::ast::{TypeName, TypeOperator};
use super::error::EvalError;
use super::eval::{Evaluator, Outcome, single};
use super::value::{Collection, Value};
use crate::definitions::{Definitions, TypeKind};

/// The types of the System namespace.
const SYSTEM: [&str; 9] = ["Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"];

/// What a type name stands for. A name without a namespace is a FHIR type if there is one, else a System type; `Quantity`
/// is both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked<'n> {
    fhir: Option<&'n str>,
    system: Option<&'n str>,
}

/// Looks up what a name stands for.
pub(super) fn resolve<'n>(definitions: &'n Definitions, name: &'n TypeName) -> Result<Asked<'n>, EvalError> {
    let system = |name: &'n str| SYSTEM.into_iter().find(|other| *other == name);
    let fhir = |name: &str| definitions.type_named(name).map(|it| &*it.name);
    let asked = match name.namespace.as_deref() {
        // A System type that does not exist is no error: nothing has it.
        Some("System") => Some(Asked { fhir: None, system: Some(system(&name.name).unwrap_or("")) }),
        Some("FHIR") => fhir(&name.name).map(|name| Asked { fhir: Some(name), system: None }),
        // A part of one type is named by its path.
        Some(other) => fhir(&format!("{other}.{}", name.name)).map(|name| Asked { fhir: Some(name), system: None }),
        None => match (fhir(&name.name), system(&name.name)) {
            (None, None) => None,
            (fhir, system) => Some(Asked { fhir, system }),
        },
    };
    asked.ok_or_else(|| {
        let namespace = name.namespace.as_deref().map(|namespace| format!("{namespace}.")).unwrap_or_default();
        EvalError::UnknownType(format!("{namespace}{}", name.name).chars().take(64).collect())
    })
}

impl Asked<'_> {
    /// Whether a value has the type, or one that builds on it.
    pub(super) fn is(&self, definitions: &Definitions, value: &Value<'_>) -> bool {
        match value {
            Value::Element(element) => {
                let name = element.type_name();
                self.fhir.is_some_and(|asked| asked == name || definitions.is_a(name, asked))
                    || self.system == Some("Any")
            }
            other => self.system.is_some_and(|asked| asked == other.type_name().1 || asked == "Any"),
        }
    }

    /// Whether `as` and `ofType` keep a value: one of the type or of one that builds on it, but a primitive only of
    /// exactly the type. HL7's suite wants it so (`gender.as(string)` is empty: it is a `code`).
    pub(super) fn keeps(&self, definitions: &Definitions, value: &Value<'_>) -> bool {
        if let Value::Element(element) = value
            && self
                .fhir
                .and_then(|asked| definitions.type_named(asked))
                .is_some_and(|it| it.kind == TypeKind::Primitive)
        {
            return self.fhir == Some(element.type_name());
        }
        self.is(definitions, value)
    }
}

/// `is` and `as`, from left to right.
pub(super) fn typed<'a>(
    evaluator: &Evaluator<'_, 'a>,
    mut values: Collection<'a>,
    tests: &[(TypeOperator, TypeName)],
) -> Outcome<'a> {
    for (operator, name) in tests {
        values = match operator {
            TypeOperator::Is => is(evaluator, &values, name)?,
            TypeOperator::As => as_type(evaluator, values, name)?,
        };
    }
    Ok(values)
}

pub(super) fn is<'a>(evaluator: &Evaluator<'_, 'a>, values: &Collection<'a>, name: &TypeName) -> Outcome<'a> {
    let definitions = evaluator.context.definitions;
    let asked = resolve(definitions, name)?;
    let value = single(values, "is")?;
    Ok(value.map(|value| Value::Boolean(asked.is(definitions, value))).into())
}

pub(super) fn as_type<'a>(evaluator: &Evaluator<'_, 'a>, values: Collection<'a>, name: &TypeName) -> Outcome<'a> {
    if !evaluator.context.as_filters {
        single(&values, "as")?;
    }
    of_type(evaluator, values, name)
}

pub(super) fn of_type<'a>(evaluator: &Evaluator<'_, 'a>, values: Collection<'a>, name: &TypeName) -> Outcome<'a> {
    let definitions = evaluator.context.definitions;
    let asked = resolve(definitions, name)?;
    Ok(values.into_iter().filter(|value| asked.keeps(definitions, value)).collect())
}
