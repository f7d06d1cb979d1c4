//! Names and dates of birth, compared as NN-4 asks.

use keepwell_fhir::person::Person;
use keepwell_model::NhsNumber;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A name without what people and systems spell differently: case, accents, blanks, hyphens, apostrophes.
pub(crate) fn folded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'đ' | 'ð' => out.push('d'),
            'ł' => out.push('l'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            c if c.is_alphanumeric() => out.push(c),
            _ => {}
        }
    }
    out
}

/// What identifies a person in one Patient resource, folded for comparing.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Details {
    /// As sent.
    pub(crate) birth_date: String,
    /// Family names, old ones too.
    pub(crate) families: Vec<String>,
    /// First given names, old ones too.
    pub(crate) givens: Vec<String>,
    pub(crate) nhs_numbers: Vec<NhsNumber>,
}

impl Details {
    pub(crate) fn of(person: &Person<'_>) -> Self {
        let names = person.names();
        let fold = |text: &str| Some(folded(text)).filter(|text| !text.is_empty());
        Self {
            birth_date: person.birth_date().unwrap_or_default().into_owned(),
            families: names.iter().filter_map(|name| fold(name.family.as_deref()?)).collect(),
            givens: names.iter().filter_map(|name| fold(name.given.first()?)).collect(),
            nhs_numbers: person.nhs_numbers(),
        }
    }

    /// Whether date of birth and a family name are there, without which nothing can be compared.
    pub(crate) fn complete(&self) -> bool {
        let date = self.birth_date.as_bytes();
        date.len() == 10 && date[4] == b'-' && date[7] == b'-' && !self.families.is_empty()
    }

    pub(crate) fn same_birth_date(&self, other: &Self) -> bool {
        !self.birth_date.is_empty() && self.birth_date == other.birth_date
    }

    pub(crate) fn shares_family(&self, other: &Self) -> bool {
        self.families.iter().any(|family| other.families.contains(family))
    }

    pub(crate) fn shares_given(&self, other: &Self) -> bool {
        self.givens.iter().any(|given| other.givens.contains(given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nn_4_names_agree_whatever_their_case_accents_and_hyphens() {
        for (one, other) in [
            ("O'Neill", "ONEILL"),
            ("O’Neill", "o neill"),
            ("Alcántar", "ALCANTAR"),
            ("Smith-Jones", "smith jones"),
            ("Łukasz", "lukasz"),
            ("Strauß", "STRAUSS"),
            ("Ñuñez", "nunez"),
            ("Nguyễn", "NGUYEN"),
            ("İnan", "inan"),
        ] {
            assert_eq!(folded(one), folded(other), "{one}");
        }
        for (one, other) in [("Khan", "Kahn"), ("Shaw", "Shah"), ("Ng", "N")] {
            assert_ne!(folded(one), folded(other), "{one}");
        }
        assert_eq!(folded("李"), "李");
    }

    #[test]
    fn details_without_a_whole_date_of_birth_or_family_name_are_not_complete() {
        let details = |birth_date: &str, family: &str| Details {
            birth_date: birth_date.to_owned(),
            families: Some(folded(family)).filter(|f| !f.is_empty()).into_iter().collect(),
            ..Details::default()
        };
        assert!(details("1958-02-11", "Khan").complete());
        for (date, family) in [("1958", "Khan"), ("1958-02", "Khan"), ("", "Khan"), ("1958-02-11", "")] {
            assert!(!details(date, family).complete(), "{date} {family}");
        }
    }
}
