//! What an elementwise function takes and gives, and the example of its op's entry, for
//! its docstring.

macro_rules! documented {
    ($name:ident $(on $domain:ident)?: ($($x:literal),+) = $y:literal) => {
        concat!(
            "\n",
            documented!($($domain)? ($($x),+)),
            "\n\nExamples\n--------\n>>> import wengert\n",
            ">>> wengert.", stringify!($name), documented!(($($x),+) called),
            ".tolist()\n",
            $y
        )
    };
    (($x:literal) called) => {
        concat!("(", $x, ")")
    };
    (($a:literal, $b:literal) called) => {
        concat!("(", $a, ", ", $b, ")")
    };
    (Reals ($x:literal)) => {
        "`x` is a tensor or array_like of any shape. The result has its shape and float\n\
         type; integers and booleans are computed as float64."
    };
    (Numbers ($x:literal)) => {
        "`x` is a tensor or array_like of any shape. The result has its shape and type;\n\
         booleans are computed as integers."
    };
    (Bits ($x:literal)) => {
        "`x` is a tensor or array_like of integers or booleans, DTypeError otherwise, as\n\
         is the result. It has no gradient."
    };
    (Reals $pair:tt) => {
        "`a` and `b` are tensors, array_likes or numbers that broadcast, ShapeError\n\
         otherwise. The result is of float type; integers and booleans are computed as\n\
         float64."
    };
    (Numbers $pair:tt) => {
        "`a` and `b` are tensors, array_likes or numbers that broadcast, ShapeError\n\
         otherwise. The result has the type to which NumPy 2 promotes theirs."
    };
    (Bits $pair:tt) => {
        "`a` and `b` are tensors, array_likes or numbers that broadcast, ShapeError\n\
         otherwise, of integers or booleans, DTypeError otherwise. The result has no\n\
         gradient."
    };
    ($pair:tt) => {
        "`a` and `b` are tensors, array_likes or numbers that broadcast, ShapeError\n\
         otherwise. The result is boolean and has no gradient."
    };
}
