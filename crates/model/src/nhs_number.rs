//! The NHS number: ten digits with a modulus 11 check digit (uk-rules NN-1 to NN-5).

use std::fmt;
use std::str::FromStr;

/// A ten-digit NHS number whose check digit is right. `Display` prints it in groups of 3, 3 and 4; `Debug` never prints
/// it, so that it cannot slip into a log (NN-6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NhsNumber([u8; 10]);

/// Why a text is not an NHS number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NhsNumberError {
    /// Not ten digits once spaces and dashes are taken out.
    #[error("an NHS number has 10 digits")]
    Length,
    /// Ten digits, but the check digit does not agree with the other nine.
    #[error("the digits do not make an NHS number; check them for a slip")]
    CheckDigit,
}

impl NhsNumber {
    /// The number whose first nine digits are given, or `None` where no check digit exists for them (NN-1: a check
    /// value of 10 is never issued).
    #[must_use]
    pub fn from_first_nine(nine: [u8; 9]) -> Option<Self> {
        if nine.iter().any(|&d| d > 9) {
            return None;
        }
        let mut digits = [0u8; 10];
        digits[..9].copy_from_slice(&nine);
        digits[9] = check_digit(&nine)?;
        Some(Self(digits))
    }

    /// The ten digits without spaces, as they stand in FHIR identifiers and HL7 v2 messages.
    #[must_use]
    pub fn digits(&self) -> String {
        self.0.iter().map(|&d| char::from(b'0' + d)).collect()
    }

    /// Whether the number lies in the range reserved for tests, 900 to 999 million (NN-5). Such a number is refused
    /// outside demonstration tenants.
    #[must_use]
    pub fn is_test_range(&self) -> bool {
        self.0[0] == 9
    }
}

fn check_digit(nine: &[u8; 9]) -> Option<u8> {
    let sum: u32 = nine.iter().zip((2..=10).rev()).map(|(&d, weight)| u32::from(d) * weight).sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        check => Some(u8::try_from(check).expect("a remainder of 11 is small")),
    }
}

impl FromStr for NhsNumber {
    type Err = NhsNumberError;
    /// Accepts spaces and dashes anywhere between the digits (NN-3).
    fn from_str(text: &str) -> Result<Self, NhsNumberError> {
        let mut digits = [0u8; 10];
        let mut count = 0;
        for c in text.chars() {
            match c {
                ' ' | '-' | '\u{a0}' | '\u{2011}' => continue,
                '0'..='9' if count < 10 => digits[count] = u8::try_from(u32::from(c) - 48).expect("a digit"),
                _ => return Err(NhsNumberError::Length),
            }
            count += 1;
        }
        if count != 10 {
            return Err(NhsNumberError::Length);
        }
        let nine: [u8; 9] = digits[..9].try_into().expect("nine of ten");
        if check_digit(&nine) == Some(digits[9]) { Ok(Self(digits)) } else { Err(NhsNumberError::CheckDigit) }
    }
}

impl fmt::Display for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        write!(f, "{} {} {}", &digits[..3], &digits[3..6], &digits[6..])
    }
}

impl fmt::Debug for NhsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NhsNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nn_1_published_numbers_are_accepted() {
        for text in ["9000000009", "9912003888", "9876543210", "9434765919"] {
            assert!(text.parse::<NhsNumber>().is_ok(), "{text}");
        }
    }

    #[test]
    fn nn_2_the_service_manuals_display_example_is_refused() {
        assert_eq!("999 123 4567".parse::<NhsNumber>(), Err(NhsNumberError::CheckDigit));
    }

    #[test]
    fn nn_3_spaces_and_dashes_are_accepted_and_other_things_are_not() {
        for text in ["943 476 5919", "943-476-5919", " 9434765919 "] {
            assert_eq!(text.parse::<NhsNumber>().unwrap().to_string(), "943 476 5919");
        }
        for text in ["", "94347659190", "943476591", "943476591O", "٩434765919", "+9434765919"] {
            assert_eq!(text.parse::<NhsNumber>(), Err(NhsNumberError::Length), "{text}");
        }
    }

    #[test]
    fn nn_6_debug_never_prints_the_number() {
        assert!(!format!("{:?}", "9434765919".parse::<NhsNumber>().unwrap()).contains("943"));
    }

    #[test]
    fn changing_any_one_digit_is_noticed() {
        for position in 0..10 {
            for digit in b'0'..=b'9' {
                let mut text = *b"9434765919";
                if text[position] == digit {
                    continue;
                }
                text[position] = digit;
                assert!(std::str::from_utf8(&text).unwrap().parse::<NhsNumber>().is_err());
            }
        }
    }
}
