//! Counting: what each test runner says at its end.

use std::fmt;

/// How many tests of a suite passed, failed and were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// One check that either holds or does not.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed), skipped: 0 }
    }

    /// A suite that did not run.
    pub(crate) fn skipped() -> Self {
        Self { skipped: 1, ..Self::default() }
    }

    /// What was counted, and one failure more if the runner failed without naming a failed test.
    pub(crate) fn of_run(self, succeeded: bool) -> Self {
        if succeeded || self.failed > 0 { self } else { Self { failed: 1, ..self } }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// cargo nextest: `Summary [ 1.2s] 15 tests run: 13 passed (1 slow), 1 failed, 1 timed out, 2 skipped`.
pub(crate) fn nextest(output: &str) -> Tally {
    let summary = output.lines().rev().find(|line| line.contains("Summary [")).unwrap_or_default();
    let counts = summary.split_once("run:").map_or("", |(_, counts)| counts);
    let mut tally = Tally::default();
    for part in counts.split(',') {
        let Some((number, word)) = numbered(part) else { continue };
        match word {
            "passed" => tally.passed += number,
            "skipped" => tally.skipped += number,
            _ => tally.failed += number,
        }
    }
    tally
}

/// cargo test: one `test result: ok. 3 passed; 0 failed; 1 ignored; …` for each binary.
pub(crate) fn cargo_test(output: &str) -> Tally {
    let mut tally = Tally::default();
    for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result:")) {
        for part in line.split(['.', ';']) {
            match numbered(part) {
                Some((number, "passed")) => tally.passed += number,
                Some((number, "failed")) => tally.failed += number,
                Some((number, "ignored")) => tally.skipped += number,
                _ => {}
            }
        }
    }
    tally
}

/// node --test: lines such as `# pass 6` at the end, in the TAP form.
pub(crate) fn node(output: &str) -> Tally {
    let last = |word: &str| {
        let start = format!("# {word} ");
        output.lines().rev().find_map(|line| line.strip_prefix(&start)?.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    Tally { passed: last("pass"), failed: last("fail") + last("cancelled"), skipped: last("skipped") + last("todo") }
}

/// Python's unittest: `Ran 12 tests in 0.8s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=2)`.
pub(crate) fn unittest(output: &str) -> Tally {
    let ran = output.lines().rev().find_map(|line| line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok());
    let verdict = output.lines().rev().find(|line| line.starts_with("OK") || line.starts_with("FAILED"));
    let (mut failed, mut skipped) = (0, 0);
    for part in verdict.unwrap_or_default().split(['(', ',', ')']) {
        let Some((word, number)) = part.trim().split_once('=') else { continue };
        let number: u64 = number.parse().unwrap_or(0);
        *if word == "skipped" { &mut skipped } else { &mut failed } += number;
    }
    Tally { passed: ran.unwrap_or(0_u64).saturating_sub(failed + skipped), failed, skipped }
}

/// `13 passed (1 slow)` is 13 and "passed".
fn numbered(part: &str) -> Option<(u64, &str)> {
    let mut words = part.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Tally {
        Tally { passed, failed, skipped }
    }

    #[test]
    fn nextest_is_counted_by_its_summary() {
        let output = "  PASS a\n     Summary [   0.012s] 15 tests run: 15 passed, 0 skipped\n";
        assert_eq!(nextest(output), tally(15, 0, 0));
        let output =
            "     Summary [  9.1s] 15/20 tests run: 11 passed (1 slow), 3 failed, 1 timed out, 5 skipped\nerror";
        assert_eq!(nextest(output), tally(11, 4, 5));
    }

    #[test]
    fn cargo_test_is_counted_over_all_binaries() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(cargo_test(output), tally(4, 2, 1));
    }

    #[test]
    fn node_is_counted_by_its_last_lines() {
        let output = "# tests 9\n# suites 0\n# pass 6\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n";
        assert_eq!(node(output), tally(6, 2, 1));
    }

    #[test]
    fn unittest_is_counted_by_its_verdict() {
        assert_eq!(unittest("....\nRan 12 tests in 0.864s\n\nOK\n"), tally(12, 0, 0));
        assert_eq!(unittest("Ran 9 tests in 1s\n\nFAILED (failures=1, errors=2, skipped=1)\n"), tally(5, 3, 1));
    }

    #[test]
    fn a_runner_that_breaks_counts_as_a_failure() {
        assert_eq!(nextest("error: could not compile").of_run(false), tally(0, 1, 0));
        assert_eq!(tally(3, 2, 0).of_run(false), tally(3, 2, 0));
        assert_eq!(tally(3, 0, 0).of_run(true), tally(3, 0, 0));
    }
}
