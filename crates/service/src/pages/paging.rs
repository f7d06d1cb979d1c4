//! Cutting a list into pages.

use crate::views::Page;

/// One page of a list that is sorted already. A page beyond the last is the last.
pub(crate) fn paged<T>(items: Vec<T>, page: usize, size: usize) -> Page<T> {
    let (total, size) = (items.len(), size.max(1));
    let pages = total.div_ceil(size).max(1);
    let page = page.clamp(1, pages);
    let items = items.into_iter().skip((page - 1) * size).take(size).collect();
    Page { items, page, pages, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_on_exactly_one_page() {
        for total in [0, 1, 19, 20, 21, 40] {
            let list: Vec<usize> = (0..total).collect();
            let pages = paged(list.clone(), 1, 20).pages;
            let all: Vec<usize> = (1..=pages).flat_map(|page| paged(list.clone(), page, 20).items).collect();
            assert_eq!(all, list);
        }
        assert_eq!(paged(vec![1, 2, 3], 99, 2).items, [3]);
        assert_eq!(paged(vec![1, 2, 3], 0, 2).page, 1);
    }
}
