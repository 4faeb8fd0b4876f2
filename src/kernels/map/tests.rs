use super::*;
use crate::kernels::naive::{config, fresh, layout_of, sizes};
use proptest::prelude::*;
use proptest::sample::select;

struct Difference;
impl Map<f64, 2> for Difference {
    type Output = f64;
    fn at<const FMA: bool>([a, b]: [f64; 2]) -> f64 {
        a - b
    }
}

/// Many rows of few elements, and arrays of any sizes.
fn shapes() -> impl Strategy<Value = Vec<usize>> {
    let short = (select(&[1, 2, 65, 300][..]), 1..200_usize, 1..20_usize);
    prop_oneof![short.prop_map(|(a, b, c)| vec![a, b, c]), sizes(0..=4)]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn operands_of_any_layout_meet_element_by_element(
        layouts in shapes().prop_flat_map(|sizes| [layout_of(sizes.clone()), layout_of(sizes)]),
        seed: u64,
    ) {
        let [a, b] = layouts.map(|x| x.array(seed, |x| (x >> 40) as f64));
        let wanted = &a.as_array::<f64>() - &b.as_array::<f64>();
        let result = fresh::<f64>(a.shape(), |out| {
            map::<Difference, f64, 2>([a.view(), b.view()], out, Mode::Write).unwrap();
        });
        prop_assert_eq!(result, wanted);
    }
}
