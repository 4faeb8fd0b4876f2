//! The matrix product.

use super::declare::Entry;
use super::emit::{Emit, Node};
use super::{Forward, Linear};
use crate::array::{View, ViewMut};
use crate::error::{Error, Fault, Operand, Result};
use crate::kernels;
use crate::shape::{self, Shape, Strides, Type};

/// Matrix product by `NumPy`'s rules.
///
/// Shapes `(..., m, k)` and `(..., k, n)` give `(..., m, n)`; leading axes broadcast. An
/// operand with one axis is a row on the left, a column on the right, and its axis does
/// not appear in the result.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct MatMul;

impl Entry for MatMul {
    const NAME: &'static str = "matmul";
}

/// An operand's shape with the axis that a vector lacks.
fn as_matrix(shape: &[usize], left: bool) -> Shape {
    match *shape {
        [n] if left => Shape::new(&[1, n]),
        [n] => Shape::new(&[n, 1]),
        _ => Shape::new(shape),
    }
}

/// The sizes and steps of a vector or a matrix as a matrix.
fn plain(x: &View<'_>, left: bool) -> ([usize; 2], [isize; 2]) {
    match (x.shape(), &*x.strides()) {
        (&[n], &[step]) if left => ([1, n], [0, step]),
        (&[n], &[step]) => ([n, 1], [step, 0]),
        (&[m, n], &[row, column]) => ([m, n], [row, column]),
        _ => unreachable!("an operand has one axis or two"),
    }
}

/// The result's shape before the axes of vectors are dropped.
fn product_shape(a: &[usize], b: &[usize]) -> Result<Shape> {
    if a.is_empty() || b.is_empty() {
        let operands = [a, b].into_iter().collect();
        return Err(Error::new(Fault::MatmulScalar { operands }));
    }
    let (left, right) = (as_matrix(a, true), as_matrix(b, false));
    let (rows, inner) = (left[left.ndim() - 2], left[left.ndim() - 1]);
    let (also_inner, columns) = (right[right.ndim() - 2], right[right.ndim() - 1]);
    if inner != also_inner {
        return Err(Error::new(Fault::InnerSizes {
            op: MatMul::NAME,
            a: Operand::new(a),
            b: Operand::new(b),
            axis_a: a.len() - 1,
            axis_b: b.len().saturating_sub(2),
            size_a: inner,
            size_b: also_inner,
        }));
    }
    let batches = [&left[..left.ndim() - 2], &right[..right.ndim() - 2]];
    let mut shape = shape::broadcast(MatMul::NAME, &batches).map_err(|_| {
        let operands = [a, b].into_iter().collect();
        Error::new(Fault::Broadcast { op: MatMul::NAME, operands })
    })?;
    shape.push(rows);
    shape.push(columns);
    Ok(shape)
}

impl Forward for MatMul {
    fn infer(&self, x: &[&Type]) -> Result<Type> {
        let (a, b) = (&x[0].shape, &x[1].shape);
        if let ([m, k], [also_k, n]) = (&**a, &**b)
            && k == also_k
        {
            let shape = shape::check(MatMul::NAME, &[*m, *n], x[0].dtype)?;
            return Ok(Type::new(shape, x[0].dtype));
        }
        let full = product_shape(a, b)?;
        let batch = &full[..full.ndim() - 2];
        let rows = (a.ndim() > 1).then_some(full[full.ndim() - 2]);
        let columns = (b.ndim() > 1).then_some(full[full.ndim() - 1]);
        let shape: Shape = batch.iter().copied().chain(rows).chain(columns).collect();
        Ok(Type::new(shape::check(MatMul::NAME, &shape, x[0].dtype)?, x[0].dtype))
    }

    fn eval(&self, x: &[View<'_>], out: ViewMut<'_>) -> Result<()> {
        if x.iter().all(|x| x.shape().len() <= 2) {
            let (a, b) = (plain(&x[0], true), plain(&x[1], false));
            // SAFETY: axes of size 1 reach no other elements.
            let (a, b) =
                unsafe { (x[0].restrided(&a.0, &a.1), x[1].restrided(&b.0, &b.1)) };
            let sizes = [a.shape()[0], b.shape()[1]];
            return kernels::gemm::matmul(a, b, out.reshaped(&sizes));
        }
        let full = product_shape(x[0].shape(), x[1].shape())?;
        let batch = &full[..full.ndim() - 2];
        let operand = |x: &View<'_>, left: bool| -> (Shape, Strides) {
            let (matrix, mut strides) = (as_matrix(x.shape(), left), x.strides());
            if strides.len() == 1 {
                strides.insert(usize::from(!left), 0);
            }
            let core = &matrix[matrix.ndim() - 2..];
            let shape: Shape = batch.iter().chain(core).copied().collect();
            let strides = shape::broadcast_strides(&matrix, &strides, &shape);
            (shape, strides)
        };
        let ((a_shape, a_strides), (b_shape, b_strides)) =
            (operand(&x[0], true), operand(&x[1], false));
        // SAFETY: broadcasting and axes of size 1 reach no other elements.
        let (a, b) = unsafe {
            (x[0].restrided(&a_shape, &a_strides), x[1].restrided(&b_shape, &b_strides))
        };
        kernels::gemm::matmul(a, b, out.reshaped(&full))
    }
}

impl Linear for MatMul {
    fn transpose<E: Emit>(
        &self,
        e: &mut E,
        node: Node,
        k: usize,
        ct: E::V,
    ) -> Result<E::V> {
        let types = [e.input_type(node, 0), e.input_type(node, 1)];
        let ct = {
            let full = product_shape(&types[0].shape, &types[1].shape)?;
            e.reshape(ct, full)?
        };
        let other = e.input_value(node, 1 - k)?;
        let other = e.reshape(other, as_matrix(&types[1 - k].shape, k == 1))?;
        let other = e.swap_last(other)?;
        let product = if k == 0 { e.matmul(ct, other)? } else { e.matmul(other, ct)? };
        let matrix = as_matrix(&types[k].shape, k == 0);
        let product = e.sum_to(product, &matrix)?;
        e.reshape(product, types[k].shape.clone())
    }
}
