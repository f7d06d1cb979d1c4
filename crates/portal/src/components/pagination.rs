//! Numbered links between the pages of a list.

use crate::routes;

/// The links.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pagination {
    /// Address of the page before.
    pub(crate) previous: Option<String>,
    /// Address of the page after.
    pub(crate) next: Option<String>,
    /// What stands between.
    pub(crate) steps: Vec<Step>,
}

/// One place in the row of numbers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A page.
    Page {
        /// Its number.
        number: usize,
        /// Its address.
        href: String,
        /// Whether it is this one.
        current: bool,
    },
    /// Pages left out.
    Gap,
}

impl Pagination {
    /// The links of a list at `list` that has `pages` pages and shows page `page`: first, last and those around it.
    pub(crate) fn new(list: &str, page: usize, pages: usize) -> Self {
        let mut steps = Vec::new();
        let mut last = 0;
        for number in 1..=pages {
            if number != 1 && number != pages && number.abs_diff(page) > 1 {
                continue;
            }
            if number > last + 1 {
                steps.push(Step::Gap);
            }
            steps.push(Step::Page { number, href: routes::page_of(list, number), current: number == page });
            last = number;
        }
        Self {
            previous: (page > 1).then(|| routes::page_of(list, page - 1)),
            next: (page < pages).then(|| routes::page_of(list, page + 1)),
            steps,
        }
    }

    /// Whether there is more than one page.
    pub(crate) fn is_needed(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}

/// The `page` of an address; anything that is no page number is the first page.
#[derive(serde::Deserialize, Default)]
pub(crate) struct PageQuery {
    page: Option<String>,
}

impl PageQuery {
    /// The number, from 1.
    pub(crate) fn number(&self) -> usize {
        self.page.as_deref().and_then(|page| page.parse().ok()).filter(|&page| page > 0).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(page: usize, pages: usize) -> String {
        let step = |step: &Step| match step {
            Step::Gap => "…".to_owned(),
            Step::Page { number, current: true, .. } => format!("[{number}]"),
            Step::Page { number, .. } => number.to_string(),
        };
        Pagination::new("/list", page, pages).steps.iter().map(step).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn first_last_and_neighbours_are_always_there() {
        assert_eq!(row(1, 3), "[1] 2 3");
        assert_eq!(row(1, 9), "[1] 2 … 9");
        assert_eq!(row(5, 9), "1 … 4 [5] 6 … 9");
        assert_eq!(row(9, 9), "1 … 8 [9]");
    }

    #[test]
    fn a_single_page_needs_no_links() {
        assert!(!Pagination::new("/list", 1, 1).is_needed());
        assert_eq!(Pagination::new("/list", 2, 2).previous.as_deref(), Some("/list"));
    }

    #[test]
    fn nonsense_in_the_address_is_the_first_page() {
        for page in ["", "0", "-1", "x", "99999999999999999999999"] {
            assert_eq!(PageQuery { page: Some(page.to_owned()) }.number(), 1, "{page}");
        }
        assert_eq!(PageQuery { page: Some("3".to_owned()) }.number(), 3);
    }
}
