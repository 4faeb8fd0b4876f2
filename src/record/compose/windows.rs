//! Convolutions and poolings: windows that move over the axes after the first two.
//!
//! A convolution is a matrix product with what the windows show; a transposed one adds a
//! matrix product up where windows show it. So both have each other's derivative.

use super::Arena;
use crate::array::NdArray;
use crate::dtype::DType;
use crate::error::{Error, Fault, Operand, Result};
use crate::ops::Op;
use crate::ops::emit::Arg;
use crate::ops::patches::{Fold, MaxPool, Patches, Window, Windows, places};
use crate::ops::reduce::{Mean, Sum};
use crate::ops::view::Reshape;
use crate::shape::{Axes, Shape};

/// The zeros around the axes that windows move over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Margins {
    /// None: windows stay within their operand.
    #[default]
    Valid,
    /// As many as make the number of places that of the positions by the stride, rounded
    /// up; of an odd number one more behind.
    Same,
    /// Before and behind each axis; one pair stands for all axes.
    Each(Vec<(usize, usize)>),
}

/// How the windows of a convolution lie. A list without entries means the default, one
/// with a single entry has it for all axes.
///
/// ```
/// use wengert::Convolution;
/// use wengert::prelude::*;
/// let rec = ComputationRecord::new();
/// let x = rec.ones(&[1, 2, 5], DType::F64);
/// let weight = rec.ones(&[4, 2, 3], DType::F64);
/// let by_two = Convolution { stride: vec![2], ..Convolution::default() };
/// assert_eq!(x.conv1d(&weight, None, &by_two).shape(), [1, 4, 2]);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Convolution {
    /// Positions from one place of the window to the next; 1.
    pub stride: Vec<usize>,
    /// Zeros around the axes.
    pub padding: Margins,
    /// Positions from one tap to the next; 1.
    pub dilation: Vec<usize>,
    /// The number of parts into which the channels are split; 1.
    pub groups: usize,
    /// Of a transposed convolution, positions that its result has beyond those that
    /// windows reach; 0.
    pub output_padding: Vec<usize>,
}

impl Default for Convolution {
    fn default() -> Self {
        Convolution {
            stride: Vec::new(),
            padding: Margins::Valid,
            dilation: Vec::new(),
            groups: 1,
            output_padding: Vec::new(),
        }
    }
}

/// How the windows of a pooling lie. A list with a single entry has it for all axes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pooling {
    /// The sizes of the window.
    pub window: Vec<usize>,
    /// Positions from one place of the window to the next; without any, its size.
    pub stride: Vec<usize>,
    /// What is added around the axes.
    pub padding: Margins,
    /// Whether an average leaves padding out of its count; otherwise that counts as
    /// zeros.
    pub leave_out_padding: bool,
}

/// A parameter for each axis; `default` if it has no entries.
fn each<T: Copy>(
    op: &'static str,
    what: &'static str,
    given: &[T],
    axes: usize,
    default: T,
) -> Result<Vec<T>> {
    match given {
        [] => Ok(vec![default; axes]),
        &[one] => Ok(vec![one; axes]),
        many if many.len() == axes => Ok(many.to_vec()),
        many => {
            let (given, wanted) = (many.len(), axes);
            Err(Error::new(Fault::PerAxis { op, what, given, wanted }))
        }
    }
}

/// As `each`, of numbers above 0.
fn positive(
    op: &'static str,
    what: &'static str,
    given: &[usize],
    axes: usize,
) -> Result<Vec<usize>> {
    let values = each(op, what, given, axes, 1)?;
    if values.contains(&0) {
        return Err(Error::new(Fault::ZeroParameter { op, what }));
    }
    Ok(values)
}

/// The windows of these sizes over axes of the lengths `over`.
fn windows(
    op: &'static str,
    sizes: &[usize],
    over: &[usize],
    [stride, dilation]: [&[usize]; 2],
    padding: &Margins,
) -> Result<Windows> {
    let axes = over.len();
    let sizes = positive(op, "window", sizes, axes)?;
    let stride = positive(op, "stride", stride, axes)?;
    let dilation = positive(op, "dilation", dilation, axes)?;
    let margins = match padding {
        Margins::Each(margins) => each(op, "padding", margins, axes, (0, 0))?,
        Margins::Valid | Margins::Same => vec![(0, 0); axes],
    };
    let mut windows = Windows::new();
    for k in 0..axes {
        let (size, stride, dilation) = (sizes[k], stride[k], dilation[k]);
        let mut window = Window { size, stride, dilation, padding: margins[k] };
        if *padding == Margins::Same {
            let places = over[k].div_ceil(stride);
            let reach = places.saturating_sub(1).saturating_mul(stride);
            let zeros = reach.saturating_add(window.span()).saturating_sub(over[k]);
            window.padding = (zeros / 2, zeros - zeros / 2);
        }
        windows.push(window);
    }
    Ok(windows)
}

impl Arena {
    fn expect_rank(&self, op: &'static str, x: u32, wanted: usize) -> Result<()> {
        if self.ndim(x) == wanted {
            return Ok(());
        }
        let operand = Operand::new(&self.ty(x).shape);
        self.about(x, Err(Error::new(Fault::Rank { op, operand, wanted })))
    }

    /// The shape of a batch of images with `axes` that windows move over; one image
    /// alone is a batch of one.
    fn images(&self, op: &'static str, x: u32, axes: usize) -> Result<Shape> {
        let from = &self.ty(x).shape;
        match from.ndim().checked_sub(axes) {
            Some(2) => Ok(from.clone()),
            Some(1) => Ok([1].iter().chain(from.iter()).copied().collect()),
            _ => {
                let (operand, wanted) = (Operand::new(from), axes + 2);
                self.about(x, Err(Error::new(Fault::Images { op, operand, wanted })))
            }
        }
    }

    /// What was made of a batch: of one image alone without the axis of images.
    fn like_images(&mut self, x: u32, axes: usize, y: u32, site: u32) -> Result<u32> {
        if self.ndim(x) == axes + 2 {
            return Ok(y);
        }
        let shape = Shape::new(&self.ty(y).shape[1..]);
        self.reshaped(y, shape, site)
    }

    /// Fails unless `count` channels of an operand split into groups.
    fn expect_groups(
        &self,
        op: &'static str,
        x: u32,
        count: usize,
        groups: usize,
    ) -> Result<()> {
        if groups == 0 {
            return Err(Error::new(Fault::ZeroParameter { op, what: "groups" }));
        }
        if count.is_multiple_of(groups) {
            return Ok(());
        }
        let operand = Operand::new(&self.ty(x).shape);
        self.about(x, Err(Error::new(Fault::Groups { op, operand, count, groups })))
    }

    fn expect_channels(
        &self,
        op: &'static str,
        [x, weight]: [u32; 2],
        from: &Shape,
        channels: usize,
        groups: usize,
    ) -> Result<()> {
        if channels.checked_mul(groups) == Some(from[1]) {
            return Ok(());
        }
        let kernel = &self.ty(weight).shape;
        let (of, taken) = (Operand::new(from), Operand::new(kernel));
        let fault = Fault::Channels { op, x: of, weight: taken, channels, groups };
        let operands = [Arg::Value(x), Arg::Value(weight)];
        Err(self.explain(Error::new(fault), &operands))
    }

    /// `y` with a bias for each channel.
    fn with_bias(
        &mut self,
        op: &'static str,
        [weight, y]: [u32; 2],
        bias: Option<u32>,
        site: u32,
    ) -> Result<u32> {
        let Some(bias) = bias else { return Ok(y) };
        let shape = self.ty(y).shape.clone();
        let found = &self.ty(bias).shape;
        if **found != [shape[1]] {
            let operand = Operand::new(&self.ty(weight).shape);
            let (what, found) = ("bias", Operand::new(found));
            let wanted = vec![shape[1]];
            let fault = Fault::Companion { op, what, operand, found, wanted };
            let operands = [Arg::Value(weight), Arg::Value(bias)];
            return Err(self.explain(Error::new(fault), &operands));
        }
        let column = std::iter::once(shape[1]);
        let column = column.chain(std::iter::repeat_n(1, shape.ndim() - 2)).collect();
        let bias = self.one(Reshape { shape: column }.into(), bias, site)?;
        self.binary(&Op::Add, Arg::Value(y), Arg::Value(bias), site)
    }

    /// The convolution, by the layout of the field, of `x` (images, channels, sizes...)
    /// with `weight` (outputs, channels of a group, window...) and `bias` (outputs).
    pub(crate) fn convolution(
        &mut self,
        op: &'static str,
        axes: usize,
        [x, weight]: [u32; 2],
        bias: Option<u32>,
        by: &Convolution,
        site: u32,
    ) -> Result<u32> {
        let from = self.images(op, x, axes)?;
        self.expect_rank(op, weight, axes + 2)?;
        let kernel = self.ty(weight).shape.clone();
        let (groups, outputs, channels) = (by.groups, kernel[0], kernel[1]);
        self.expect_groups(op, weight, outputs, groups)?;
        self.expect_channels(op, [x, weight], &from, channels, groups)?;
        let lie = [&*by.stride, &*by.dilation];
        let windows = windows(op, &kernel[2..], &from[2..], lie, &by.padding)?;
        let places = self.about(x, places(op, &from, &windows))?;
        let taps = channels * kernel[2..].iter().product::<usize>();
        let shown = Shape::new(&[from[0], groups, taps, places.len()]);
        let filters = Shape::new(&[groups, outputs / groups, taps]);
        let shape: Shape =
            [from[0], outputs].iter().chain(places.iter()).copied().collect();
        self.composed(op, |arena| {
            let images = arena.reshaped(x, from, site)?;
            let patches = arena.one(Patches { windows }.into(), images, site)?;
            let patches = arena.one(Reshape { shape: shown }.into(), patches, site)?;
            let filters = arena.one(Reshape { shape: filters }.into(), weight, site)?;
            let y = arena.matmul(filters, patches, site)?;
            let y = arena.one(Reshape { shape }.into(), y, site)?;
            let y = arena.with_bias(op, [weight, y], bias, site)?;
            arena.like_images(x, axes, y, site)
        })
    }

    /// The transpose of a convolution in its operand: `x` (images, channels, sizes...)
    /// with `weight` (channels, outputs of a group, window...) and `bias` (outputs).
    pub(crate) fn transposed_convolution(
        &mut self,
        op: &'static str,
        axes: usize,
        [x, weight]: [u32; 2],
        bias: Option<u32>,
        by: &Convolution,
        site: u32,
    ) -> Result<u32> {
        let from = self.images(op, x, axes)?;
        self.expect_rank(op, weight, axes + 2)?;
        if by.padding == Margins::Same {
            return Err(Error::new(Fault::SameTransposed { op }));
        }
        let kernel = self.ty(weight).shape.clone();
        let (groups, channels, outputs) = (by.groups, kernel[0], kernel[1]);
        self.expect_groups(op, weight, channels, groups)?;
        self.expect_channels(op, [x, weight], &from, channels / groups, groups)?;
        let lie = [&*by.stride, &*by.dilation];
        let windows = windows(op, &kernel[2..], &from[2..], lie, &by.padding)?;
        let more = each(op, "output_padding", &by.output_padding, axes, 0)?;
        let sizes = self.about(x, reached(op, &from, &windows, &more))?;
        let places: usize = from[2..].iter().product();
        let taps = outputs * kernel[2..].iter().product::<usize>();
        let flat = Shape::new(&[from[0], groups, channels / groups, places]);
        let filters = Shape::new(&[groups, channels / groups, taps]);
        let shown = [from[0], outputs * groups];
        let shown = shown.iter().chain(&kernel[2..]).chain(&from[2..]);
        let shown: Shape = shown.copied().collect();
        self.composed(op, |arena| {
            let images = arena.one(Reshape { shape: flat }.into(), x, site)?;
            let filters = arena.one(Reshape { shape: filters }.into(), weight, site)?;
            let filters = arena.swapaxes(filters, -1, -2, site)?;
            let patches = arena.matmul(filters, images, site)?;
            let patches = arena.one(Reshape { shape: shown }.into(), patches, site)?;
            let y = arena.one(Fold { windows, sizes }.into(), patches, site)?;
            let y = arena.with_bias(op, [weight, y], bias, site)?;
            arena.like_images(x, axes, y, site)
        })
    }

    /// The shape of a pooling's batch, its windows, none of which lies in padding alone,
    /// and the number of their places.
    fn pooling(
        &self,
        op: &'static str,
        axes: usize,
        x: u32,
        by: &Pooling,
    ) -> Result<(Shape, Windows, Shape)> {
        let from = self.images(op, x, axes)?;
        let stride = if by.stride.is_empty() { &by.window } else { &by.stride };
        let windows = windows(op, &by.window, &from[2..], [stride, &[]], &by.padding)?;
        for (k, window) in windows.iter().enumerate() {
            let (before, after) = window.padding;
            let (value, limit) = (before.max(after), window.size);
            if value >= limit {
                let (what, axis) = ("padding", k + 2);
                let fault = Fault::TooWide { op, what, axis, value, limit };
                return self.about(x, Err(Error::new(fault)));
            }
        }
        if from[2..].contains(&0) {
            let operand = Operand::new(&from);
            let fault = Fault::EmptyReduction { op, operand };
            return self.about(x, Err(Error::new(fault)));
        }
        let places = self.about(x, places(op, &from, &windows))?;
        Ok((from, windows, places))
    }

    /// The largest element that each window shows.
    pub(crate) fn max_pool(
        &mut self,
        op: &'static str,
        axes: usize,
        x: u32,
        by: &Pooling,
        site: u32,
    ) -> Result<u32> {
        let (from, windows, _) = self.pooling(op, axes, x, by)?;
        self.composed(op, |arena| {
            let images = arena.reshaped(x, from, site)?;
            let y = arena.one(MaxPool { windows }.into(), images, site)?;
            arena.like_images(x, axes, y, site)
        })
    }

    /// The mean of what each window shows.
    pub(crate) fn average_pool(
        &mut self,
        op: &'static str,
        axes: usize,
        x: u32,
        by: &Pooling,
        site: u32,
    ) -> Result<u32> {
        let (from, windows, places) = self.pooling(op, axes, x, by)?;
        let taps: Axes = (2..2 + axes).collect();
        let padded = windows.iter().any(|window| window.padding != (0, 0));
        let counts = (padded && by.leave_out_padding)
            .then(|| counts(op, self.ty(x).dtype, &from[2..], &windows, &places))
            .transpose()?;
        self.composed(op, |arena| {
            let images = arena.reshaped(x, from, site)?;
            let shown = arena.one(Patches { windows }.into(), images, site)?;
            let y = match counts {
                None => {
                    let mean = Mean { axes: taps, keepdims: false };
                    arena.one(mean.into(), shown, site)?
                }
                Some(counts) => {
                    let sum = Sum { axes: taps, keepdims: false };
                    let sum = arena.one(sum.into(), shown, site)?;
                    let counts = arena.source(&Op::Constant, &counts, None, site)?;
                    let (sum, counts) = (Arg::Value(sum), Arg::Value(counts));
                    arena.binary(&Op::Divide, sum, counts, site)?
                }
            };
            arena.like_images(x, axes, y, site)
        })
    }
}

/// The sizes that the windows of a transposed convolution reach, and `more` beyond.
fn reached(
    op: &'static str,
    from: &[usize],
    windows: &[Window],
    more: &[usize],
) -> Result<Shape> {
    if from[2..].contains(&0) {
        return Err(Error::new(Fault::EmptyReduction {
            op,
            operand: Operand::new(from),
        }));
    }
    let mut sizes = Shape::scalar();
    for (k, (window, &value)) in windows.iter().zip(more).enumerate() {
        let (axis, limit) = (k + 2, window.stride);
        if value >= limit {
            let what = "output_padding";
            return Err(Error::new(Fault::TooWide { op, what, axis, value, limit }));
        }
        let reach = (from[axis] - 1).saturating_mul(window.stride);
        let reach = reach.saturating_add(window.span()).saturating_add(value);
        let Some(size) = reach.checked_sub(window.padded(0)) else {
            return Err(Error::new(Fault::NothingLeft { op, axis }));
        };
        sizes.push(size);
    }
    Ok(sizes)
}

/// For each place of the windows the number of taps that lie within axes of these
/// sizes.
fn counts(
    op: &'static str,
    dtype: DType,
    sizes: &[usize],
    windows: &[Window],
    places: &Shape,
) -> Result<NdArray> {
    let within = |window: &Window, len: usize, place: usize| {
        let first = place * window.stride;
        let (start, end) = (window.padding.0, window.padding.0 + len);
        (first + window.size).min(end).saturating_sub(first.max(start)) as f64
    };
    let count = |place: usize| {
        let axes = windows.iter().zip(sizes).zip(places.iter()).rev();
        let (product, _) =
            axes.fold((1.0, place), |(product, place), ((window, &len), &count)| {
                (product * within(window, len, place % count), place / count)
            });
        product
    };
    let counts = (0..places.len()).map(count);
    NdArray::try_from_iter(op, places, counts)?.cast(dtype.to_float())
}
