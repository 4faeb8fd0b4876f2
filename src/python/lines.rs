//! Nodes and errors with the source lines of their places.

use super::error::exception;
use super::record::PyRecord;
use super::work::Work;
use crate::array::NdArray;
use crate::error::{Error, Kind, Result};
use crate::record::{Arena, print};
use pyo3::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

impl PyRecord {
    /// The exception for an error, with the lines of its places.
    #[cold]
    pub(super) fn explain(&self, py: Python<'_>, error: Error) -> PyErr {
        if error.kind() == Kind::Interrupted {
            return exception(py, &error);
        }
        exception(py, &error.resolved(|site| self.line(py, site)))
    }

    /// The source line that a site stands for.
    pub(super) fn line(&self, py: Python<'_>, site: u32) -> String {
        match self.place(py, site) {
            Some(place) => place.line(py),
            None => "an unknown place".to_owned(),
        }
    }

    /// What `f` makes with the source lines of some nodes' sites.
    pub(super) fn with_lines<R: Send>(
        &self,
        py: Python<'_>,
        nodes: impl FnOnce(&mut Arena) -> Vec<u32> + Send,
        f: impl FnOnce(&mut Arena, &dyn Fn(u32) -> String) -> Result<R> + Send,
    ) -> PyResult<R> {
        let sites = self.run(py, "print", Work::OnRecord, |arena| {
            let nodes = nodes(arena);
            Ok(nodes.into_iter().map(|node| arena.site(node)).collect::<BTreeSet<_>>())
        })?;
        let lines: BTreeMap<u32, String> =
            sites.into_iter().map(|site| (site, self.line(py, site))).collect();
        self.run(py, "print", Work::OnRecord, |arena| {
            f(arena, &|site| lines.get(&site).cloned().unwrap_or_default())
        })
    }

    /// The Wengert list as text.
    pub(super) fn printed(
        &self,
        py: Python<'_>,
        cotangents: Option<&[(u32, NdArray)]>,
    ) -> PyResult<String> {
        let shown = |arena: &mut Arena| print::shown(arena.len()).collect();
        self.with_lines(py, shown, |arena, line| {
            Ok(print::table(arena, cotangents, line))
        })
    }
}
