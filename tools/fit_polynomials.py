"""Fit the polynomials of ``src/kernels/math`` and print them as Rust constants.

Each is a minimax polynomial by the Remez exchange (Muller, "Elementary Functions",
3rd ed., chapter 3), found in 60 digits. Coefficients are rounded to the working format
one at a time, lowest degree first, and the rest refitted each time, so that later
coefficients absorb the rounding of earlier ones.

Run as ``python tools/fit_polynomials.py``; needs mpmath.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp

mp.mp.dps = 60
Function = Callable[[mp.mpf], mp.mpf]


@dataclass
class Fit:
    """Approximate ``target(t)`` by powers of t on ``interval``.

    The error is measured as ``weight(t) * (p(t) - target(t))``.
    """

    file: str
    name: str
    target: Function
    weight: Function
    interval: tuple[mp.mpf, mp.mpf]
    count: int
    bits: int


def remez(
    target: Function,
    weight: Function,
    first: int,
    last: int,
    interval: tuple[mp.mpf, mp.mpf],
) -> list[mp.mpf]:
    """Return the best coefficients of t**first .. t**last."""
    a, b = interval
    count = last - first + 2

    def chebyshev(x: mp.mpf) -> mp.mpf:
        return (a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * x)

    nodes = [chebyshev(mp.mpf(2 * i + 1) / (2 * count)) for i in range(count)]
    grid = [chebyshev(mp.mpf(i) / 600) for i in range(601)]
    weights = [weight(t) for t in grid]
    targets = [target(t) for t in grid]
    coefficients: list[mp.mpf] = []
    for _ in range(12):
        matrix = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for row, t in enumerate(nodes):
            w = weight(t)
            for column in range(count - 1):
                matrix[row, column] = w * t ** (first + column)
            matrix[row, count - 1] = (-1) ** row
            right[row] = w * target(t)
        coefficients = list(mp.lu_solve(matrix, right)[: count - 1])
        errors = [
            w * (t**first * mp.polyval(coefficients[::-1], t) - f)
            for t, w, f in zip(grid, weights, targets, strict=True)
        ]
        # One extremum for each run of equal sign.
        extrema: list[int] = []
        for i, error in enumerate(errors):
            if extrema and error * errors[extrema[-1]] > 0:
                if abs(error) > abs(errors[extrema[-1]]):
                    extrema[-1] = i
            elif error != 0:
                extrema.append(i)
        while len(extrema) > count:
            smaller_first = abs(errors[extrema[0]]) < abs(errors[extrema[-1]])
            extrema.pop(0 if smaller_first else -1)
        if len(extrema) < count:
            break
        nodes = [grid[i] for i in extrema]
    return coefficients


def rounded(x: mp.mpf, bits: int) -> mp.mpf:
    """Round to a binary float of ``bits`` bits."""
    with mp.workprec(bits):
        return +x


def fit(job: Fit) -> tuple[list[mp.mpf], mp.mpf]:
    """Return rounded coefficients and the largest weighted error they leave."""
    done: list[mp.mpf] = []
    a, b = job.interval

    def rest(t: mp.mpf) -> mp.mpf:
        return job.target(t) - (mp.polyval(done[::-1], t) if done else 0)

    if a < 0:
        # t**k with k >= 1 vanishes inside the interval, where the exchange theorem
        # fails: round all at once.
        best = remez(rest, job.weight, 0, job.count - 1, job.interval)
        done += [rounded(c, job.bits) for c in best]
    else:
        for k in range(job.count):
            best = remez(rest, job.weight, k, job.count - 1, job.interval)
            done.append(rounded(best[0], job.bits))
    grid = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * i / 999) for i in range(1000)]
    return done, max(abs(job.weight(t) * rest(t)) for t in grid)


def filled(f: Function, at_zero: mp.mpf) -> Function:
    """Return f, completed by its limit at 0."""
    return lambda t: f(t) if abs(t) > mp.mpf(10) ** -25 else at_zero


def literal(x: mp.mpf, bits: int) -> str:
    """Shortest decimal that reads back as the same float, grouped as clippy asks."""
    text = repr(float(x))
    if bits == 24:
        single = struct.pack("f", float(x))
        candidates = (f"{float(x):.{digits}g}" for digits in range(1, 12))
        text = next(t for t in candidates if struct.pack("f", float(t)) == single)
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    groups = [fraction[i : i + 3] for i in range(0, len(fraction), 3)]
    power = f"e{int(exponent)}" if exponent else ""
    return f"{whole}.{'_'.join(groups) or '0'}{power}"


def jobs() -> list[Fit]:
    """Every polynomial of the module, under the name of its constant."""
    # A little wider than the exact interval: the reduction rounds.
    slack = 1 + mp.mpf(2) ** -12
    half_ln2 = mp.log(2) / 2 * slack
    s_max = (3 - 2 * mp.sqrt(2)) * slack
    quarter_pi = mp.pi / 4 * slack
    zero = mp.mpf(0)

    def exp_target(r: mp.mpf) -> mp.mpf:
        return (mp.expm1(r) - r) / r**2

    def exp_target_64(r: mp.mpf) -> mp.mpf:
        return (exp_target(r) - mp.mpf(1) / 2) / r

    def exp_weight(r: mp.mpf) -> mp.mpf:
        # Relative to expm1, and twice as strict at the left end, where 2^k e^r has a
        # smaller last place; kept off 0, where the exchange needs a positive weight.
        return abs(r**2 / mp.expm1(r)) * mp.exp(-r) + mp.mpf("0.002")

    def exp_weight_64(r: mp.mpf) -> mp.mpf:
        return abs(r**3 / mp.expm1(r)) * mp.exp(-r) + mp.mpf("0.002")

    def ln_target(z: mp.mpf) -> mp.mpf:
        s = mp.sqrt(z)
        return (2 * mp.atanh(s) / s - 2) / z

    def ln_weight(z: mp.mpf) -> mp.mpf:
        s = mp.sqrt(z)
        return s * z / (2 * mp.atanh(s))

    def sin_target(z: mp.mpf) -> mp.mpf:
        r = mp.sqrt(z)
        return (mp.sin(r) / r - 1) / z

    def sin_weight(z: mp.mpf) -> mp.mpf:
        r = mp.sqrt(z)
        return r * z / mp.sin(r)

    def cos_target(z: mp.mpf) -> mp.mpf:
        return ((mp.cos(mp.sqrt(z)) - 1) / z + mp.mpf(1) / 2) / z

    def cos_weight(z: mp.mpf) -> mp.mpf:
        return z**2 / mp.cos(mp.sqrt(z))

    # tanh r = r - r^3 U(z) / V(z) with z = r^2. For f32 U is 1; for f64 V is that of
    # Lambert's continued fraction, cut off behind its seventh term.
    def tanh_above(v: Function) -> Function:
        def target(z: mp.mpf) -> mp.mpf:
            r = mp.sqrt(z)
            return v(z) * (r - mp.tanh(r)) / (r * z)

        return filled(target, v(zero) / 3)

    def tanh_below(z: mp.mpf) -> mp.mpf:
        r = mp.sqrt(z)
        return r * z / (r - mp.tanh(r))

    def tanh_weight(z: mp.mpf) -> mp.mpf:
        # Of an error relative to V / U: the part that r^3 U / V is of tanh r.
        r = mp.sqrt(z)
        return (r / mp.tanh(r) - 1) / below(z)

    def lambert(z: mp.mpf) -> mp.mpf:
        return mp.polyval([28, 3150, 62370, 135135], z)

    def lambert_weight(z: mp.mpf) -> mp.mpf:
        r = mp.sqrt(z)
        return r * z / (lambert(z) * mp.tanh(r))

    below = filled(tanh_below, mp.mpf(3))
    tanh = below, filled(tanh_weight, zero)
    tanh_64 = tanh_above(lambert), filled(lambert_weight, zero)
    tanh_near = (zero, (mp.mpf("0.55") * slack) ** 2)

    near, small = (-half_ln2, half_ln2), (zero, s_max**2)
    angles = (zero, quarter_pi**2)
    flat = mp.mpf("0.002")
    exp = filled(exp_target, mp.mpf(1) / 2), filled(exp_weight, flat), near
    exp_64 = filled(exp_target_64, mp.mpf(1) / 6), filled(exp_weight_64, flat), near
    ln = filled(ln_target, mp.mpf(2) / 3), filled(ln_weight, zero), small
    sin = filled(sin_target, mp.mpf(-1) / 6), filled(sin_weight, zero), angles
    cos = filled(cos_target, mp.mpf(1) / 24), cos_weight, angles
    return [
        Fit("f32.rs", "EXP", *exp, 5, 24),
        Fit("f32.rs", "EXP_64", *exp_64, 4, 53),
        Fit("f32.rs", "LN", *ln, 3, 24),
        Fit("f32.rs", "LN_64", *ln, 4, 53),
        Fit("f32.rs", "SIN", *sin, 3, 24),
        Fit("f32.rs", "COS", *cos, 3, 24),
        Fit("f32.rs", "TANH", *tanh, tanh_near, 3, 24),
        Fit("f64.rs", "EXP", *exp, 10, 53),
        Fit("f64.rs", "LN", *ln, 7, 53),
        Fit("f64.rs", "LN_POW", *ln, 8, 53),
        Fit("f64.rs", "TANH", *tanh_64, tanh_near, 3, 53),
        Fit("f64.rs", "SIN", *sin, 6, 53),
        Fit("f64.rs", "COS", *cos, 6, 53),
    ]


def main() -> None:
    """Print every polynomial, lowest degree first, with its error as a power of 2."""
    for job in jobs():
        coefficients, error = fit(job)
        element = "f32" if job.bits == 24 else "f64"
        print(f"// {job.file}: error 2^{float(mp.log(error, 2)):.1f}")
        print(f"const {job.name}: [{element}; {job.count}] = [")
        for c in coefficients:
            print(f"    {literal(c, job.bits)},")
        print("];")


if __name__ == "__main__":
    main()
