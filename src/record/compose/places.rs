//! Elements taken, put and added at integer places along one axis.

use super::Arena;
use super::arrange::as_index;
use super::assign::node_of;
use super::index::Gathered;
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::{Error, Fault, Result};
use crate::kernels;
use crate::ops::along::{AddAlongAxis, TakeAlongAxis, expect_within};
use crate::ops::convert::Cast;
use crate::ops::emit::Arg;
use crate::ops::{Op, Tag};
use crate::shape::{self, Shape};
use smallvec::{SmallVec, smallvec};

impl Arena {
    /// The parts at positions along an axis; without one, of the elements in C order.
    pub(crate) fn take(
        &mut self,
        x: u32,
        positions: u32,
        axis: Option<isize>,
        site: u32,
    ) -> Result<u32> {
        self.composed("take", |arena| {
            let (x, axis) = arena.along("take", x, axis, site)?;
            arena.gather(x, &[(axis, positions)], false, site)
        })
    }

    /// The elements at positions along an axis. With `broadcasts` the other axes do, as
    /// in `NumPy`; otherwise the positions reach as far as they do.
    pub(crate) fn take_along(
        &mut self,
        x: u32,
        positions: u32,
        axis: Option<isize>,
        broadcasts: bool,
        site: u32,
    ) -> Result<u32> {
        let op = if broadcasts { Tag::TakeAlongAxis.name() } else { "gather" };
        self.composed(op, |arena| {
            let (mut x, axis) = arena.along(op, x, axis, site)?;
            let mut positions = positions;
            if broadcasts && arena.ndim(positions) == arena.ndim(x) {
                let whole = |arena: &Arena, node: u32| {
                    let mut shape = arena.ty(node).shape.to_vec();
                    shape[axis] = 1;
                    shape
                };
                let shapes = [whole(arena, x), whole(arena, positions)];
                let common = shape::broadcast(op, &[&shapes[0], &shapes[1]])?;
                for node in [&mut x, &mut positions] {
                    let mut to = common.to_vec();
                    to[axis] = arena.ty(*node).shape[axis];
                    if *arena.ty(*node).shape != *to {
                        *node = arena.broadcast_to(*node, &to, site)?;
                    }
                }
            }
            let operands = smallvec![Arg::Value(x), Arg::Value(positions)];
            arena.apply(&TakeAlongAxis { axis }.into(), operands, site)
        })
    }

    /// `x` with values at positions along an axis, where `take_along` would read them.
    pub(crate) fn put_along(
        &mut self,
        x: u32,
        positions: u32,
        values: Arg<u32>,
        axis: Option<isize>,
        broadcasts: bool,
        site: u32,
    ) -> Result<u32> {
        let op = if broadcasts { "put_along_axis" } else { "scatter" };
        let named = [x, positions].into_iter().chain(node_of(values));
        let named: SmallVec<[u32; 4]> = named.collect();
        self.naming(op, &named, |arena| {
            let (y, axis) = arena.along(op, x, axis, site)?;
            let (sizes, reach) =
                (arena.ty(y).shape.clone(), arena.ty(positions).shape.clone());
            if broadcasts && reach.ndim() == sizes.ndim() {
                let apart = |shape: &[usize]| {
                    let others = (0..axis).chain(axis + 1..shape.len());
                    others.map(|k| shape[k]).collect::<Shape>()
                };
                shape::broadcast(op, &[&apart(&sizes), &apart(&reach)])?;
            } else {
                arena.about(y, expect_within(op, &sizes, &reach, axis))?;
            }
            // On each other axis every place is its own position.
            let mut gathered = Gathered::new();
            for (k, &size) in sizes.iter().enumerate() {
                gathered.push((
                    k,
                    if k == axis {
                        positions
                    } else {
                        let len = if broadcasts { size } else { reach[k] };
                        let mut shape = vec![1; sizes.ndim()];
                        shape[k] = len;
                        let range = (0..len).map(as_index);
                        let range = NdArray::try_from_iter(op, &shape, range)?;
                        arena.source(&Op::Constant, &range, None, site)?
                    },
                ));
            }
            let y = arena.put(op, y, &gathered, false, values, site)?;
            let shape = arena.ty(x).shape.clone();
            arena.shaped(y, &shape, site)
        })
    }

    /// `x` with values added at positions along an axis.
    pub(crate) fn scatter_add(
        &mut self,
        x: u32,
        positions: u32,
        values: u32,
        axis: isize,
        site: u32,
    ) -> Result<u32> {
        let axis = shape::axis("scatter_add", axis, self.ndim(x));
        let axis = self.about(x, axis)?;
        let shape = self.ty(x).shape.clone();
        self.composed("scatter_add", |arena| {
            let operands = smallvec![Arg::Value(values), Arg::Value(positions)];
            let op = AddAlongAxis { shape, axis }.into();
            let added = arena.apply(&op, operands, site)?;
            arena.binary(&Op::Add, Arg::Value(x), Arg::Value(added), site)
        })
    }

    /// 1 at each label of a new last axis of `classes` elements, otherwise 0.
    pub(crate) fn one_hot(
        &mut self,
        labels: u32,
        classes: usize,
        dtype: DType,
        site: u32,
    ) -> Result<u32> {
        let op = "one_hot";
        let found = self.ty(labels).dtype;
        if found != DType::I64 {
            return Err(Error::new(Fault::IndexDType { op, dtype: found }));
        }
        self.about(
            labels,
            kernels::gather::check_labels(op, self.view(labels), classes),
        )?;
        self.composed(op, |arena| {
            let last = arena.ndim(labels).cast_signed();
            let column = arena.expand_dims(labels, &[last], site)?;
            let range = arena.integers(classes, (0..classes).map(as_index), site)?;
            let hits = arena.binary(
                &Op::Equal,
                Arg::Value(column),
                Arg::Value(range),
                site,
            )?;
            if dtype == DType::Bool {
                return Ok(hits);
            }
            arena.one(Cast { dtype }.into(), hits, site)
        })
    }
}
