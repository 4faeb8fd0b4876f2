//! The example of an elementwise op's entry as a documentation test.

macro_rules! example {
    ($name:ident on Bits $operands:tt = $y:literal) => {
        example!($name, "i64", $operands, $y)
    };
    ($name:ident on $domain:ident $operands:tt = $y:literal) => {
        example!($name, "f64", $operands, $y)
    };
    ($name:ident, $element:literal, ($x:literal), $y:literal) => {
        example!(
            [example!(leaf "x", $element, $x), "let y = x.", stringify!($name), "();\n"],
            $element,
            $y
        )
    };
    ($name:ident, $element:literal, ($a:literal, $b:literal), $y:literal) => {
        example!(
            [
                example!(leaf "a", $element, $a),
                example!(leaf "b", $element, $b),
                "let y = a.", stringify!($name), "(b);\n"
            ],
            $element,
            $y
        )
    };
    (leaf $name:literal, $element:literal, $x:literal) => {
        concat!(
            "let ", $name, " = NdArray::from_elements::<", $element, ">(&", $x, ");\n",
            "let ", $name, " = rec.tensor_from_value(", $name, ");\n"
        )
    };
    ([$($lines:tt)*], $element:literal, $y:literal) => {
        concat!(
            "\n```\n",
            "# use wengert::prelude::*;\n",
            "# let rec = ComputationRecord::new();\n",
            $($lines)*,
            "assert_eq!(y.data().to_vec::<", $element, ">(), ", $y, ");\n",
            "```"
        )
    };
}
