//! What comes along with a page: `_include` and `_revinclude`.

use std::collections::HashSet;

use super::rows::Rows;
use super::{Run, SearchError, too_costly};
use crate::search::query::{Include, Query};
use crate::search::world::Handle;

impl Run<'_> {
    /// What the includes bring, in the order of being found. With `:iterate` they are followed from what was found until
    /// nothing new turns up.
    pub(super) fn included(&self, query: &Query, matches: &[Handle]) -> Result<Vec<Handle>, SearchError> {
        let mut seen: HashSet<Handle> = matches.iter().copied().collect();
        let mut included = Vec::new();
        let mut frontier = matches.to_vec();
        let mut is_first = true;
        while !frontier.is_empty() {
            self.patience()?;
            let mut found = Vec::new();
            for include in query.includes.iter().filter(|it| is_first || it.iterates) {
                let more = if include.is_reverse {
                    self.referring(include, &frontier)?
                } else {
                    self.referred(include, &frontier)?
                };
                found.extend(more.into_iter().filter(|item| seen.insert(*item)));
                if included.len() + found.len() > self.search.most_included {
                    let words = format!(
                        "More than {} items would come along with this page. Ask for smaller pages with '_count', or for \
                         fewer includes.",
                        self.search.most_included
                    );
                    return Err(too_costly(words));
                }
            }
            included.extend(&found);
            frontier = found;
            is_first = false;
        }
        Ok(included)
    }

    fn is_target(&self, include: &Include, item: Handle) -> bool {
        include.target.as_ref().is_none_or(|target| self.world().resource_type(item) == **target)
    }

    /// What some items refer to.
    fn referred(&self, include: &Include, from: &[Handle]) -> Result<Vec<Handle>, SearchError> {
        let mut found = Vec::new();
        let mut of_type: Vec<(Box<str>, Vec<Handle>)> = Vec::new();
        for &item in from {
            let name = self.world().resource_type(item);
            match of_type.iter_mut().find(|(it, _)| **it == *name) {
                Some((_, items)) => items.push(item),
                None => of_type.push(((&*name).into(), vec![item])),
            }
        }
        for (name, items) in of_type {
            let mut sorted = items.clone();
            sorted.sort_unstable();
            let rows = Rows::of(&name, sorted);
            let parameters: Vec<_> = include.parameters.iter().filter(|it| *it.type_name == *name).collect();
            rows.prepare(self, &parameters)?;
            for parameter in parameters {
                let known = rows.column(self, parameter)?;
                let mut links = self.links(&known);
                for &item in &items {
                    let Some(row) = rows.row(item) else { continue };
                    for &id in known.column.ids(&known.slots, row) {
                        found.extend(links.item(id, item).filter(|item| self.is_target(include, *item)));
                    }
                }
            }
        }
        Ok(found)
    }

    /// What refers to some items.
    fn referring(&self, include: &Include, to: &[Handle]) -> Result<Vec<Handle>, SearchError> {
        let wanted: HashSet<Handle> = to.iter().copied().filter(|item| self.is_target(include, *item)).collect();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(first) = include.parameters.get(at) {
            let end = include.parameters[at..].iter().take_while(|it| it.type_name == first.type_name).count() + at;
            let parameters: Vec<_> = include.parameters[at..end].iter().collect();
            at = end;
            let items = self.items(&first.type_name);
            if items.is_empty() {
                continue;
            }
            self.patience()?;
            let rows = Rows::of(&first.type_name, items);
            rows.prepare(self, &parameters)?;
            for parameter in parameters {
                let known = rows.column(self, parameter)?;
                let mut links = self.links(&known);
                for row in rows.all() {
                    let from = rows.handle(row);
                    let ids = known.column.ids(&known.slots, row);
                    if ids.iter().any(|&id| links.item(id, from).is_some_and(|item| wanted.contains(&item))) {
                        found.push(from);
                    }
                }
            }
        }
        Ok(found)
    }
}
