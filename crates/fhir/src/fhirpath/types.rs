//! Type names and tests (FHIRPath N1 §6.3).

use super::ast::{TypeName, TypeOperator};
use super::error::EvalError;
use super::eval::{Evaluator, Outcome, single};
use super::value::{Collection, Value};
use crate::definitions::{Definitions, TypeDef, TypeKind};

/// The types of the System namespace.
const SYSTEM: [&str; 9] = ["Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"];

/// What a type name stands for. A name without a namespace is a FHIR type if there is one, else a System type; `Quantity`
/// is both.
#[derive(Clone, Copy)]
pub(super) struct Asked<'n> {
    fhir: Option<&'n TypeDef>,
    system: Option<&'static str>,
}

/// Looks up what a name stands for.
pub(super) fn resolve<'n>(definitions: &'n Definitions, name: &'n TypeName) -> Result<Asked<'n>, EvalError> {
    let system = |name: &str| SYSTEM.into_iter().find(|other| *other == name);
    let of_fhir = |definition: &'n TypeDef| Asked { fhir: Some(definition), system: None };
    let asked = match name.namespace.as_deref() {
        // A System type that does not exist is no error: nothing has it.
        Some("System") => Some(Asked { fhir: None, system: Some(system(&name.name).unwrap_or("")) }),
        Some("FHIR") => definitions.type_named(&name.name).map(of_fhir),
        // A part of one type is named by its path.
        Some(other) => definitions.type_named(&format!("{other}.{}", name.name)).map(of_fhir),
        None => match (definitions.type_named(&name.name), system(&name.name)) {
            (None, None) => None,
            (fhir, system) => Some(Asked { fhir, system }),
        },
    };
    asked.ok_or_else(|| {
        let namespace = name.namespace.as_deref().map(|namespace| format!("{namespace}.")).unwrap_or_default();
        EvalError::UnknownType(format!("{namespace}{}", name.name).chars().take(64).collect())
    })
}

impl<'n> Asked<'n> {
    /// The FHIR type that is asked for.
    pub(super) fn fhir(&self) -> Option<&'n str> {
        self.fhir.map(|it| &*it.name)
    }

    /// The System type that is asked for.
    pub(super) fn system(&self) -> Option<&'static str> {
        self.system
    }

    /// Whether a value has the type, or one that builds on it.
    pub(super) fn is(&self, definitions: &Definitions, value: &Value<'_>) -> bool {
        match value {
            Value::Element(element) => {
                let name = element.type_name();
                self.fhir.is_some_and(|asked| asked.name == name || definitions.is_a(name, &asked.name))
                    || self.system == Some("Any")
            }
            other => self.system.is_some_and(|asked| asked == other.type_name().1 || asked == "Any"),
        }
    }

    /// Whether `as` and `ofType` keep a value: one of the type or of one that builds on it, but a primitive only of
    /// exactly the type. HL7's suite wants it so (`gender.as(string)` is empty: it is a `code`).
    pub(super) fn keeps(&self, definitions: &Definitions, value: &Value<'_>) -> bool {
        match (value, self.fhir) {
            (Value::Element(element), Some(asked)) if asked.kind == TypeKind::Primitive => {
                asked.name == element.type_name()
            }
            _ => self.is(definitions, value),
        }
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
