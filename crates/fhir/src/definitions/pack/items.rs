//! How each thing stands in a pack: its fields one after the other.

use std::sync::Arc;

use super::{Damaged, Packed, Reader, Writer};
use crate::definitions::codes::{CodeSystem, Concept, Content, Filter, Include, Included, Property, ValueSet};
use crate::definitions::model::{
    Binding, Component, ElementDef, Invariant, SearchKind, SearchParameter, Strength, Text, TypeDef, TypeKind, TypeRef,
    ValueRule,
};
use crate::definitions::profile::{
    Constraint, Context, Discriminator, DiscriminatorKind, Profile, Slicing, SlicingRules,
};

impl Packed for bool {
    fn write(&self, out: &mut Writer) {
        out.byte(u8::from(*self));
    }

    fn read(input: &mut Reader) -> Result<Self, Damaged> {
        Ok(input.byte()? != 0)
    }
}

impl Packed for u32 {
    fn write(&self, out: &mut Writer) {
        out.number(*self as usize);
    }

    fn read(input: &mut Reader) -> Result<Self, Damaged> {
        Self::try_from(input.number()?).map_err(|_| Damaged)
    }
}

impl Packed for Text {
    fn write(&self, out: &mut Writer) {
        out.word(self);
    }

    fn read(input: &mut Reader) -> Result<Self, Damaged> {
        input.word().map(Text::Borrowed)
    }
}

impl Packed for Arc<Invariant> {
    fn write(&self, out: &mut Writer) {
        out.invariant(self);
    }

    fn read(input: &mut Reader) -> Result<Self, Damaged> {
        input.invariant()
    }
}

impl<T: Packed> Packed for Option<T> {
    fn write(&self, out: &mut Writer) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(input: &mut Reader) -> Result<Self, Damaged> {
        if bool::read(input)? { T::read(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn write(&self, out: &mut Writer) {
        out.number(self.len());
        for item in self {
            item.write(out);
        }
    }

    fn read(input: &mut Reader) -> Result<Self, Damaged> {
        let count = input.number()?;
        let mut items = Vec::with_capacity(input.room(count));
        for _ in 0..count {
            items.push(T::read(input)?);
        }
        Ok(items)
    }
}

/// A struct is its fields, in this order.
macro_rules! packed_struct {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl Packed for $type {
            fn write(&self, out: &mut Writer) {
                $(self.$field.write(out);)*
            }

            fn read(input: &mut Reader) -> Result<Self, Damaged> {
                Ok(Self { $($field: Packed::read(input)?),* })
            }
        }
    };
}

/// An enum without fields is a number.
macro_rules! packed_enum {
    ($type:ident { $($variant:ident = $number:literal),* $(,)? }) => {
        impl Packed for $type {
            fn write(&self, out: &mut Writer) {
                out.byte(match self { $(Self::$variant => $number),* });
            }

            fn read(input: &mut Reader) -> Result<Self, Damaged> {
                match input.byte()? { $($number => Ok(Self::$variant),)* _ => Err(Damaged) }
            }
        }
    };
}

packed_enum!(TypeKind { Primitive = 0, Complex = 1, Resource = 2, Backbone = 3 });
packed_enum!(Strength { Example = 0, Preferred = 1, Extensible = 2, Required = 3 });
packed_enum!(Content { Complete = 0, Fragment = 1, Example = 2, NotPresent = 3, Supplement = 4 });
packed_enum!(SearchKind {
    Number = 0,
    Date = 1,
    String = 2,
    Token = 3,
    Reference = 4,
    Composite = 5,
    Quantity = 6,
    Uri = 7,
    Special = 8,
});

packed_enum!(SlicingRules { Open = 0, Closed = 1, OpenAtEnd = 2 });
packed_enum!(DiscriminatorKind { Value = 0, Exists = 1, Pattern = 2, Type = 3, Profile = 4 });

packed_struct!(Invariant { key, is_warning, human, expression });
packed_struct!(TypeRef { name, profiles, target_profiles });
packed_struct!(Binding { strength, value_set });
packed_struct!(ElementDef {
    name,
    is_choice,
    min,
    max,
    types,
    binding,
    invariants,
    rules,
    is_summary,
    is_modifier,
    must_support,
    is_attribute,
});
packed_struct!(TypeDef { name, base, kind, is_abstract, pattern, elements, invariants });
packed_struct!(Discriminator { kind, path });
packed_struct!(Slicing { discriminators, is_ordered, rules });
packed_struct!(Constraint { element, slice_name, slicing, slices, children });
packed_struct!(Context { kind, expression });
packed_struct!(Profile { url, version, name, title, type_name, base, is_abstract, contexts, root });
packed_struct!(Component { definition, expression });
packed_struct!(SearchParameter { code, url, base, kind, expression, targets, components });
packed_struct!(Property { code, value });
packed_struct!(Concept { code, display, definition, parents, properties });
packed_struct!(CodeSystem { url, version, name, title, value_set, content, case_sensitive, concepts, by_code });
packed_struct!(Included { code, display });
packed_struct!(Filter { property, op, value });
packed_struct!(Include { system, version, concepts, filters, value_sets });
packed_struct!(ValueSet { url, version, name, title, include, exclude });

impl Packed for ValueRule {
    fn write(&self, out: &mut Writer) {
        let (number, value) = match self {
            Self::Fixed(value) => (0, value),
            Self::Pattern(value) => (1, value),
            Self::Min(value) => (2, value),
            Self::Max(value) => (3, value),
            Self::MaxLength(length) => {
                out.byte(4);
                return length.write(out);
            }
        };
        out.byte(number);
        value.write(out);
    }

    fn read(input: &mut Reader) -> Result<Self, Damaged> {
        Ok(match input.byte()? {
            0 => Self::Fixed(Packed::read(input)?),
            1 => Self::Pattern(Packed::read(input)?),
            2 => Self::Min(Packed::read(input)?),
            3 => Self::Max(Packed::read(input)?),
            4 => Self::MaxLength(Packed::read(input)?),
            _ => return Err(Damaged),
        })
    }
}
