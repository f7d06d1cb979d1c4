//! `Observation/$lastn`: the newest observations of each kind (FHIR R4, OperationDefinition/Observation-lastn).

use std::collections::HashMap;

use crate::date::Moment;
use crate::element::{Concept, Timing};
use crate::json::Node;

/// The newest `max` observations of each group of codes, the newest first, as places in `observations`.
///
/// Two observations are of one group if they share a coding (system and code); codings of one observation are translations
/// of each other, so groups grow together over them. Without a coding the text counts, letter by letter. Where several are
/// equally old as the last one of a group, all of them are there, so that there may be more than `max`.
///
/// Which observations are asked for (whose, category, code, status) is for a search to say beforehand.
#[must_use]
pub fn last_n(observations: &[Node<'_>], max: usize) -> Vec<usize> {
    let groups = groups(observations);
    let times: Vec<Option<i64>> = observations.iter().map(|node| time(*node)).collect();
    let mut order: Vec<usize> = (0..observations.len()).collect();
    // What has no time counts as older than anything. Stable: what is equally old stays in the order of the search.
    order.sort_by(|&a, &b| times[b].cmp(&times[a]));
    let mut taken: HashMap<usize, (usize, Option<i64>)> = HashMap::new();
    order.retain(|&at| {
        let (count, last) = taken.entry(groups[at]).or_default();
        let tie = *count > 0 && times[at].is_some() && times[at] == *last;
        let keep = *count < max || tie;
        if keep {
            (*count, *last) = (*count + 1, times[at]);
        }
        keep
    });
    order
}

/// When it was: `effective[x]`, else `issued`.
fn time(observation: Node<'_>) -> Option<i64> {
    let effective = Timing::of(observation, "effective").and_then(|it| it.moment());
    let moment = effective.or_else(|| Moment::parse(&observation.get_text("issued")?));
    moment.map(|it| it.earliest().micros())
}

/// For each observation the number of its group.
fn groups(observations: &[Node<'_>]) -> Vec<usize> {
    let mut groups = Groups::default();
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    let of_each: Vec<usize> = observations
        .iter()
        .map(|node| {
            let own = groups.add();
            for key in keys(&node.get("code").map(Concept::of).unwrap_or_default()) {
                let other = *known.entry(key).or_insert(own);
                groups.join(own, other);
            }
            own
        })
        .collect();
    of_each.into_iter().map(|own| groups.find(own)).collect()
}

/// What a code is known by: its codings, or its text if it has none.
fn keys(code: &Concept<'_>) -> Vec<(String, String)> {
    let codings = code.codings.iter().filter_map(|coding| {
        Some((coding.system.as_deref().unwrap_or_default().to_owned(), coding.code.as_deref()?.to_owned()))
    });
    let codings: Vec<_> = codings.collect();
    if codings.is_empty() {
        // No system has a space in it, so this is nobody's coding.
        return vec![(" text".to_owned(), code.text.as_deref().unwrap_or_default().to_owned())];
    }
    codings
}

/// Sets that grow together.
#[derive(Default)]
struct Groups(Vec<usize>);

impl Groups {
    fn add(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len() - 1
    }

    fn find(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Observations from a letter for each coding (or `'text'`) and a time.
    fn observations(all: &[(&str, &str)]) -> Vec<String> {
        let one = |&(codes, time): &(&str, &str)| {
            let code = match codes.strip_prefix('\'') {
                Some(text) => format!(r#"{{"text":"{text}"}}"#),
                None => {
                    let codings: Vec<_> =
                        codes.chars().map(|code| format!(r#"{{"system":"s","code":"{code}"}}"#)).collect();
                    format!(r#"{{"coding":[{}],"text":"same words"}}"#, codings.join(","))
                }
            };
            format!(r#"{{"resourceType":"Observation","code":{code}{time}}}"#)
        };
        all.iter().map(one).collect()
    }

    fn chosen(max: usize, all: &[(&str, u8)]) -> Vec<usize> {
        let times: Vec<String> =
            all.iter().map(|(_, day)| format!(r#","effectiveDateTime":"2026-01-{day:02}""#)).collect();
        let all: Vec<_> = all.iter().zip(&times).map(|((codes, _), time)| (*codes, time.as_str())).collect();
        let texts = observations(&all);
        last_n(&texts.iter().map(|text| Node::of_text(text)).collect::<Vec<_>>(), max)
    }

    #[test]
    fn the_newest_of_each_code_come_newest_first() {
        assert_eq!(chosen(1, &[("a", 1), ("b", 9), ("a", 3), ("a", 2), ("b", 4)]), [1, 2]);
        assert_eq!(chosen(2, &[("a", 1), ("b", 9), ("a", 3), ("a", 2), ("b", 4)]), [1, 4, 2, 3]);
        assert_eq!(chosen(9, &[("a", 1), ("a", 2)]), [1, 0]);
        assert_eq!(chosen(1, &[]), [0; 0]);
    }

    #[test]
    fn translations_join_groups() {
        assert_eq!(chosen(1, &[("a", 1), ("b", 2), ("c", 3)]), [2, 1, 0]);
        assert_eq!(chosen(1, &[("a", 1), ("b", 2), ("ac", 3)]), [2, 1]);
        assert_eq!(chosen(1, &[("a", 1), ("b", 2), ("ab", 3)]), [2]);
        assert_eq!(chosen(1, &[("ab", 1), ("cd", 2), ("bc", 3), ("e", 4)]), [3, 2]);
    }

    #[test]
    fn text_counts_letter_by_letter_and_only_without_a_coding() {
        assert_eq!(chosen(1, &[("'text", 1), ("'Text", 2), ("'t e x t", 3), ("'text", 4)]), [3, 2, 1]);
        assert_eq!(chosen(1, &[("a", 1), ("b", 2), ("'same words", 3)]), [2, 1, 0]);
    }

    #[test]
    fn equally_old_ones_are_all_returned() {
        assert_eq!(chosen(3, &[("a", 9), ("a", 8), ("a", 7), ("a", 7), ("a", 7), ("a", 6)]), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_has_no_time_is_older_than_anything() {
        let texts = observations(&[
            ("a", ""),
            ("a", r#","issued":"2026-01-02T00:00:00Z""#),
            ("a", ""),
            ("a", r#","effectivePeriod":{"start":"2026-01-03"}"#),
            ("a", r#","effectiveDateTime":"soon""#),
        ]);
        let nodes: Vec<_> = texts.iter().map(|text| Node::of_text(text)).collect();
        assert_eq!(last_n(&nodes, 3), [3, 1, 0]);
    }

    proptest! {
        #[test]
        fn each_group_has_its_newest_and_nothing_panics(
            all in prop::collection::vec(("[a-d]{1,2}", 1u8..29), 0..20),
            max in 1usize..4,
        ) {
            let all: Vec<(&str, u8)> = all.iter().map(|(codes, day)| (codes.as_str(), *day)).collect();
            let result = chosen(max, &all);
            prop_assert!(result.windows(2).all(|pair| all[pair[0]].1 >= all[pair[1]].1));
            for code in ["a", "b", "c", "d"] {
                let newest = all.iter().filter(|(codes, _)| codes.contains(code)).map(|(_, day)| *day).max();
                // The newest with that code is there, or its group has a newer one.
                if let Some(newest) = newest {
                    prop_assert!(result.iter().any(|&at| all[at].1 >= newest));
                }
            }
        }
    }
}
