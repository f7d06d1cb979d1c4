//! The name that somebody may have meant.

/// Longer words are not compared: nobody misspells one into a search parameter's name.
const LONGEST: usize = 64;

/// The nearest of some names to a misspelt one, if one is near: a slip or two, or another case.
pub(super) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.is_empty() || wrong.len() > LONGEST {
        return None;
    }
    let wrong = plain(wrong);
    let most = (wrong.len() / 3).clamp(1, 3);
    let scored = names.filter(|name| name.len() <= LONGEST).map(|name| (distance(&wrong, &plain(name)), name));
    scored.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

/// Without case and what joins words: `birthDate`, `birth_date` and `birth-date` are near.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters to add, leave out, change or swap with their neighbour.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (previous[j] + usize::from(a != b)).min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let names = ["birthdate", "name", "given", "gender", "general-practitioner", "_id", "_lastUpdated"];
        for (wrong, meant) in [
            ("birthdat", Some("birthdate")),
            ("birth_date", Some("birthdate")),
            ("birthDate", Some("birthdate")),
            ("gneder", Some("gender")),
            ("generalpractitioner", Some("general-practitioner")),
            ("_lastupdate", Some("_lastUpdated")),
            ("nam", Some("name")),
            ("shoesize", None),
            ("", None),
            (&"x".repeat(100_000), None),
        ] {
            assert_eq!(nearest(wrong, names.into_iter()), meant, "{wrong}");
        }
    }
}
