//! A compiled regular expression, and how much work it may be.

use regex::{Captures, Regex, RegexBuilder};
use regex_automata::nfa::thompson::NFA;
use regex_automata::util::syntax;

/// A longer pattern is refused: the longest of HL7's own has a few hundred characters.
const LONGEST: usize = 4_096;
/// How large a compiled pattern may be, in bytes. HL7's own rule `eld-19` needs half of it.
const LARGEST: usize = 1 << 20;

/// A regular expression. `.` stands for any character, line ends included (N1 §5.6.8, single line mode).
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    states: usize,
}

impl Pattern {
    /// Compiles a pattern, to match somewhere or, if asked for, the whole text; `None` if it is none or too large.
    pub(super) fn compile(text: &str, whole: bool) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let text = if whole { format!("^(?:{text})$") } else { text.to_owned() };
        let size = NFA::config().nfa_size_limit(Some(LARGEST)).shrink(false);
        let syntax = syntax::Config::new().dot_matches_new_line(true).nest_limit(64);
        let states = NFA::compiler().configure(size).syntax(syntax).build(&text).ok()?.states().len();
        let mut builder = RegexBuilder::new(&text);
        builder.dot_matches_new_line(true).nest_limit(64).size_limit(2 * LARGEST).dfa_size_limit(LARGEST);
        Some(Self { regex: builder.build().ok()?, states })
    }

    /// How many states the pattern has.
    pub(super) const fn states(&self) -> usize {
        self.states
    }

    /// The steps to count for a match. The engine takes time linear to the text whatever the pattern, but at worst it
    /// visits every state at every byte.
    pub(super) fn work(&self, text: &str) -> usize {
        1 + text.len().saturating_mul(self.states) / 256
    }

    pub(super) fn is_empty(&self) -> bool {
        self.regex.as_str().is_empty()
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The text with each match replaced, `$1` and the like in the replacement standing for groups; `None` if it gets
    /// longer than that.
    pub(super) fn replace(&self, text: &str, with: &str, longest: usize) -> Option<String> {
        let mut replaced = String::with_capacity(text.len());
        let mut last = 0;
        for captures in self.regex.captures_iter(text) {
            let found = captures.get_match();
            replaced.push_str(text.get(last..found.start())?);
            expand(&captures, with, &mut replaced, longest)?;
            last = found.end();
            if replaced.len() > longest {
                return None;
            }
        }
        replaced.push_str(text.get(last..)?);
        Some(replaced)
    }
}

/// Appends a replacement, `$1` standing for the first group, `$0` for the match, `$$` for a dollar sign.
fn expand(captures: &Captures<'_>, with: &str, replaced: &mut String, longest: usize) -> Option<()> {
    let mut rest = with;
    while let Some((before, after)) = rest.split_once('$') {
        replaced.push_str(before);
        rest = after;
        // Two digits where there are so many groups, else one.
        let number = |digits: usize| after.get(..digits)?.parse().ok().filter(|&number| number < captures.len());
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let group = (1..=digits).rev().find_map(|digits| Some((number(digits)?, digits)));
        if let Some((number, digits)) = group {
            replaced.push_str(captures.get(number).map_or("", |group| group.as_str()));
            rest = after.get(digits..)?;
        } else if let Some(after) = after.strip_prefix('$') {
            replaced.push('$');
            rest = after;
        } else {
            replaced.push('$');
        }
        if replaced.len() > longest {
            return None;
        }
    }
    replaced.push_str(rest);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_stand_in_the_replacement() {
        let swap = Pattern::compile(r"(\w+) (\w+)", false).unwrap();
        for (with, replaced) in [
            ("$2 $1", "world hello, b a"),
            ("$12", "hello2, a2"),
            ("<$0>", "<hello world>, <a b>"),
            ("$$", "$, $"),
            ("$9$", "$9$, $9$"),
            ("", ", "),
        ] {
            assert_eq!(swap.replace("hello world, a b", with, 100).unwrap(), replaced, "{with}");
        }
        assert_eq!(swap.replace("hello world", "$0$0$0", 20), None);
    }

    #[test]
    fn a_pattern_has_as_many_states_as_it_repeats() {
        let states = |text: &str| Pattern::compile(text, false).unwrap().states();
        assert!(states("a{100}") > 100 && states("a") < 20);
        assert!(Pattern::compile("(a{1000}){1000}", false).is_none());
        let eld_19 =
            r#"[^\s.,:;'"/|?!@#$%&*()\[\]{}]{1,64}(\.[^\s.,:;'"/|?!@#$%&*()\[\]{}]{1,64}(\[x\])?(:[^\s.]+)?)*"#;
        assert!(states(eld_19) > 1_000);
    }
}
