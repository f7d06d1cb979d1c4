//! The items that a condition is tried on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::{Run, SearchError};
use crate::json::Node;
use crate::search::column::{Column, Slots, look_once};
use crate::search::parameter::Parameter;
use crate::search::world::Handle;

/// Items of one type, ascending, or one resource that is contained in an item.
pub(super) struct Rows<'r> {
    /// The type.
    pub(super) type_name: Box<str>,
    /// The items; of a contained resource, what contains it.
    handles: Vec<Handle>,
    /// The contained resource.
    pub(super) contained: Option<Node<'r>>,
    /// The columns that were asked for.
    known: RefCell<Vec<Rc<Known>>>,
}

/// A column and where the rows are in it.
pub(super) struct Known {
    pub(super) column: Arc<Column>,
    pub(super) slots: Slots,
}

impl<'r> Rows<'r> {
    pub(super) fn of(type_name: &str, handles: Vec<Handle>) -> Self {
        Self { type_name: type_name.into(), handles, contained: None, known: RefCell::default() }
    }

    pub(super) fn of_contained(type_name: &str, container: Handle, contained: Node<'r>) -> Self {
        Self { contained: Some(contained), ..Self::of(type_name, vec![container]) }
    }

    /// The item of a row, or what contains it.
    pub(super) fn handle(&self, row: usize) -> Handle {
        self.handles.get(row).copied().unwrap_or(Handle::MAX)
    }

    pub(super) fn handles(&self) -> &[Handle] {
        &self.handles
    }

    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.handles.len()).collect()
    }

    /// The row of an item.
    pub(super) fn row(&self, handle: Handle) -> Option<usize> {
        self.handles.binary_search(&handle).ok()
    }

    /// The column of a parameter.
    pub(super) fn column(&self, run: &Run<'_>, parameter: &Arc<Parameter>) -> Result<Rc<Known>, SearchError> {
        if let Some(known) = self.get(parameter) {
            return Ok(known);
        }
        self.prepare(run, &[parameter])?;
        Ok(self.get(parameter).expect("the column was just prepared"))
    }

    fn get(&self, parameter: &Arc<Parameter>) -> Option<Rc<Known>> {
        self.known.borrow().iter().find(|it| Arc::ptr_eq(&it.column.parameter, parameter)).cloned()
    }

    /// Looks up the columns of several parameters at once.
    pub(super) fn prepare(&self, run: &Run<'_>, parameters: &[&Arc<Parameter>]) -> Result<(), SearchError> {
        let mut wanted: Vec<Arc<Parameter>> = Vec::new();
        for &parameter in parameters {
            if self.get(parameter).is_none() && !wanted.iter().any(|it| Arc::ptr_eq(it, parameter)) {
                wanted.push(Arc::clone(parameter));
            }
        }
        if let Some(contained) = self.contained {
            let columns = wanted
                .iter()
                .map(|it| (Arc::new(look_once(it, contained, self.handle(0), run.search.definitions)), Slots::Same));
            self.know(columns.collect());
            return Ok(());
        }
        let columns = run.search.columns.obtain(&wanted, &self.handles, run.world(), run.search.definitions);
        self.know(columns.map_err(|_| SearchError::Cancelled)?);
        Ok(())
    }

    fn know(&self, columns: Vec<(Arc<Column>, Slots)>) {
        let columns = columns.into_iter().map(|(column, slots)| Rc::new(Known { column, slots }));
        self.known.borrow_mut().extend(columns);
    }
}
