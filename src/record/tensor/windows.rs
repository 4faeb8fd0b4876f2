//! Convolutions and poolings as methods.

use super::Tensor;
use crate::error::{self, Result};
use crate::record::{Convolution, Pooling};

macro_rules! convolutions {
    ($(
        $(#[$doc:meta])*
        $name:ident $fallible:ident $method:ident $axes:literal;
    )*) => {
        /// Convolutions, as networks call them: no window is turned around.
        impl<'rec> Tensor<'rec> { $(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(
                &self,
                weight: &Tensor<'rec>,
                bias: Option<&Tensor<'rec>>,
                by: &Convolution,
            ) -> Tensor<'rec> {
                error::expect(self.$fallible(weight, bias, by))
            }

            #[doc = concat!("As `", stringify!($name), "`; an error records nothing.")]
            #[track_caller]
            pub fn $fallible(
                &self,
                weight: &Tensor<'rec>,
                bias: Option<&Tensor<'rec>>,
                by: &Convolution,
            ) -> Result<Tensor<'rec>> {
                let op = stringify!($name);
                let operands = [self.index, weight.node_of(op, self.record)?];
                let [bias] = self.nodes(op, [bias])?;
                self.record
                    .node(|arena, site| arena.$method(op, $axes, operands, bias, by, site))
            }
        )* }
    };
}
convolutions! {
    /// `(n, channels, size)`, or `(channels, size)` for one image alone, with
    /// `(outputs, channels of a group, window)`.
    conv1d try_conv1d convolution 1;
    /// As `conv1d`, over two axes.
    conv2d try_conv2d convolution 2;
    /// As `conv1d`, over three axes.
    conv3d try_conv3d convolution 3;
    /// The transpose of `conv1d` in its operand: `(n, channels, size)` with
    /// `(channels, outputs of a group, window)`.
    conv_transpose1d try_conv_transpose1d transposed_convolution 1;
    /// As `conv_transpose1d`, over two axes.
    conv_transpose2d try_conv_transpose2d transposed_convolution 2;
    /// As `conv_transpose1d`, over three axes.
    conv_transpose3d try_conv_transpose3d transposed_convolution 3;
}

methods! {
    /// The largest element in each window over the last of three axes, or of two for one
    /// image alone. At ties the cotangent is split equally; padding is no element.
    max_pool1d try_max_pool1d(by: &Pooling)
    |x, arena, site| arena.max_pool("max_pool1d", 1, x, by, site);

    /// As `max_pool1d`, over the last two of four axes.
    max_pool2d try_max_pool2d(by: &Pooling)
    |x, arena, site| arena.max_pool("max_pool2d", 2, x, by, site);

    /// As `max_pool1d`, over the last three of five axes.
    max_pool3d try_max_pool3d(by: &Pooling)
    |x, arena, site| arena.max_pool("max_pool3d", 3, x, by, site);

    /// The mean in each window over the last of three axes, or of two for one image
    /// alone.
    avg_pool1d try_avg_pool1d(by: &Pooling)
    |x, arena, site| arena.average_pool("avg_pool1d", 1, x, by, site);

    /// As `avg_pool1d`, over the last two of four axes.
    avg_pool2d try_avg_pool2d(by: &Pooling)
    |x, arena, site| arena.average_pool("avg_pool2d", 2, x, by, site);

    /// As `avg_pool1d`, over the last three of five axes.
    avg_pool3d try_avg_pool3d(by: &Pooling)
    |x, arena, site| arena.average_pool("avg_pool3d", 3, x, by, site);
}
