"""The record: its length, marks, memory, and what it shows of itself."""

from __future__ import annotations

import gc
import re
import weakref
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, DTypeError, HandleError, Mark, Rng, Tensor
from wengert.layers import LinearLayer, relu, sum

from tests.python import generated, snapshots

# --- Life -----------------------------------------------------------------------------


def test_a_record_is_empty_at_first_and_true_always() -> None:
    rec = ComputationRecord()
    assert len(rec) == 0
    assert rec
    rec.ones(1)
    assert len(rec) == 1


def test_closing_clears() -> None:
    rec = ComputationRecord()
    with rec as same:
        assert same is rec
        x = rec.ones(2)
        view = x.data()
    assert len(rec) == 0
    assert view.tolist() == [1, 1]
    with pytest.raises(HandleError, match="cleared"):
        x.data()

    def fail() -> None:
        with rec:
            rec.ones(2)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
    assert len(rec) == 0
    # It can be used again.
    with rec:
        assert rec.ones(2).sum().item() == 2


def test_tensors_keep_their_record() -> None:
    rec = ComputationRecord()
    weak = weakref.ref(rec)
    x = rec.tensor_from_value([1.0, 2.0])
    del rec
    gc.collect()
    assert weak() is not None
    assert (x * 2).data().tolist() == [2, 4]
    assert x.record is weak()
    grad = (x * x).sum().grad()
    del x
    gc.collect()
    assert weak() is not None
    del grad
    gc.collect()
    assert weak() is None


def test_weak_references() -> None:
    rec = ComputationRecord()
    x = rec.ones(2)
    weak = weakref.ref(x)
    assert weak() is x
    del x
    gc.collect()
    assert weak() is None
    # The node stays: a record drops nothing by itself.
    assert len(rec) == 1


def test_a_value_of_another_record_is_read(rec: ComputationRecord) -> None:
    other = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    y = other.tensor_from_value(x)
    assert y.record is other
    assert y.data().tolist() == [1, 2]
    assert rec.tensor_from_value(x * 2, dtype="float32").data().tolist() == [2, 4]
    assert not (y * y).sum().grad().connected(y * 3)


def test_sources(rec: ComputationRecord) -> None:
    assert rec.zeros(3).data().tolist() == [0, 0, 0]
    assert rec.ones((1, 2), "int64").data().tolist() == [[1, 1]]
    assert rec.ones((), dtype=bool).item() is True
    assert rec.zeros([2, 0]).shape == (2, 0)
    assert rec.zeros(2).dtype == np.float64
    assert rec.tensor_from_value([1, 2], dtype=np.float32).dtype == np.float32
    assert rec.tensor_from_value([0.0, 0.5], dtype="bool").data().tolist() == [0, 1]
    x = rec.constant([2.0])
    y = rec.zeros(1)
    p = rec.parameter("p", np.ones(1))
    loss = ((y + 1) * x * p).sum()
    grad = loss.grad()
    assert grad.wrt(y).item() == 2
    assert grad.wrt(p).item() == 2
    assert not grad.connected(x * 1)


# --- Marks ----------------------------------------------------------------------------


@pytest.mark.parametrize("block", range(10))
def test_marks_against_a_model(block: int) -> None:
    """A random history, and a list of what must be alive with which value."""
    for k in range(20):
        seed = generated.seed_of("marks", block, k)
        generated.count("histories")
        history(np.random.default_rng(seed), f"seed {seed}")


def history(rng: np.random.Generator, why: str) -> None:
    rec = ComputationRecord()
    # Tensors with their values, by node; dead ones; marks with lengths.
    alive: list[tuple[Tensor | None, np.ndarray[Any, Any]]] = []
    dead: list[Tensor] = []
    marks: list[tuple[Mark, int, bool]] = []
    views: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    # A reversal of one element is no node.
    sizes = (2, 3, 200)

    def cut(length: int) -> None:
        dead.extend(t for t, _ in alive[length:] if t is not None)
        del alive[length:]
        # A mark dies with the last node before it.
        marks[:] = [(m, n, ok and n <= length) for m, n, ok in marks]

    for step in range(60):
        kind = rng.choice(["new", "op", "mark", "rewind", "clear", "view"],
                          p=[0.2, 0.4, 0.15, 0.13, 0.02, 0.1])  # fmt: skip
        handles = [(t, x) for t, x in alive if t is not None]
        if kind == "new" or (kind == "op" and not handles):
            x = rng.normal(size=int(rng.choice(sizes)))
            alive.append((rec.tensor_from_value(x), x))
        elif kind == "op":
            t, x = handles[int(rng.integers(len(handles)))]
            choice = int(rng.integers(4))
            if choice == 0:
                alive.append((t * 2.5, x * 2.5))
            elif choice == 1:
                alive.append((wg.tanh(t), np.tanh(x)))
            elif choice == 2:
                alive.append((t[::-1], x[::-1]))
            else:
                # Two nodes: the first has no handle.
                both = (None, x), (wg.concatenate([t, t, t])[: x.size], x)
                alive.extend(both)
        elif kind == "mark":
            marks.append((rec.mark(), len(alive), True))
        elif kind == "rewind" and marks:
            mark, length, ok = marks[int(rng.integers(len(marks)))]
            if ok or length == 0:
                rec.rewind(mark)
                cut(length)
            else:
                with pytest.raises(HandleError, match="the mark was made before"):
                    rec.rewind(mark)
        elif kind == "clear":
            rec.clear()
            cut(0)
        elif kind == "view" and handles:
            t, x = handles[int(rng.integers(len(handles)))]
            views.append((t.data(), x))
        where = f"{why}, step {step}, {kind}"
        assert len(rec) == len(alive), where
        for node, (kept, x) in enumerate(alive):
            if kept is None:
                continue
            assert kept.index == node, where
            np.testing.assert_allclose(kept.data(), x, rtol=1e-14, err_msg=where)
        for gone in dead:
            with pytest.raises(HandleError):
                gone.data()
        for view, x in views:
            np.testing.assert_allclose(view, x, rtol=1e-14, err_msg=where)


def test_a_mark_may_be_used_again(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    mark = rec.mark()
    for k in range(5):
        y = (x * k).sum()
        assert y.item() == 3 * k
        assert y.grad().wrt(x).data().tolist() == [k, k]
        rec.rewind(mark)
        assert len(rec) == 1
    assert repr(mark) == "<mark after 1 nodes>"


def test_gradients_across_a_rewind(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    mark = rec.mark()
    y = x * x
    plain, recorded = y.sum().grad(), y.sum().grad(record=True)
    hidden = plain.wrt(y)
    rec.rewind(mark)
    # The cotangents of leaves were found at once, and are kept.
    assert plain.wrt(x).data().tolist() == [2, 4]
    with pytest.raises(HandleError):
        hidden.data()
    # Those of a recorded sweep were nodes.
    with pytest.raises(HandleError, match="before the record was rewound"):
        recorded.wrt(x)
    newer = x * 5
    newer_leaf = rec.tensor_from_value([3.0, 4.0])
    for t in (newer, newer_leaf):
        with pytest.raises(HandleError, match="the loss"):
            plain.wrt(t)
        with pytest.raises(HandleError, match="the loss"):
            plain.connected(t)


def test_a_recorded_gradient_rewound_away(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    loss = (x * x).sum()
    mark = rec.mark()
    grad = loss.grad(record=True)
    rec.rewind(mark)
    with pytest.raises(HandleError, match=r"the gradient of #2 .*rewound"):
        grad.wrt(x)
    # New nodes have the numbers of the old.
    for _ in range(5):
        x + 1
    with pytest.raises(HandleError, match=r"the gradient of #2 .*rewound"):
        grad.wrt(x)
    assert loss.grad(record=True).wrt(x).data().tolist() == [2, 4]


# --- Memory ---------------------------------------------------------------------------


def pass_of(rec: ComputationRecord, x: Any) -> None:
    t = rec.tensor_from_value(x)
    y = t
    for _ in range(10):
        y = wg.tanh(y * 1.01 + [0.5])
        y = wg.concatenate([y[1:], y[:1]])[::-1] @ np.eye(y.shape[-1])
    loss = (y**2.5).sum() + wg.logsumexp(y)
    loss.grad().wrt([t, y])
    loss.grad(record=True).wrt(t)


@pytest.mark.parametrize("size", [4, 300])
def test_bytes_are_flat_over_reuse(size: int) -> None:
    rec, x = ComputationRecord(), np.ones(size)
    pass_of(rec, x)
    full = rec.bytes()
    rec.clear()
    empty = rec.bytes()
    assert 0 < empty <= full
    for _ in range(50):
        pass_of(rec, x)
        assert rec.bytes() == full
        rec.clear()
        assert rec.bytes() == empty


def test_bytes_are_flat_over_rewinds() -> None:
    rec, x = ComputationRecord(), np.ones(300)
    rec.tensor_from_value(x)
    mark = rec.mark()
    pass_of(rec, x)
    full = rec.bytes()
    for _ in range(50):
        rec.rewind(mark)
        pass_of(rec, x)
        assert rec.bytes() == full


def test_failed_calls_leave_no_bytes(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value(np.ones((300, 2)))
    before = 0, 0
    for k in range(50):
        if k == 1:
            before = rec.bytes(), len(rec)
        for other in (np.ones((3, 300)), np.ones(7)):
            with pytest.raises(ValueError, match=r"broadcast|inner sizes"):
                x + other
            with pytest.raises(ValueError, match=r"broadcast|inner sizes"):
                x @ other
        with pytest.raises(IndexError):
            x[[0, 1], [0, 5]]
        with pytest.raises(ValueError, match="shapes differ"):
            wg.stack([x, np.ones(3)])
    assert (rec.bytes(), len(rec)) == before


def test_bytes_grow_by_what_is_held(rec: ComputationRecord) -> None:
    before = rec.bytes()
    x = rec.tensor_from_value(np.ones(100_000))
    y = x * 2
    z = y * 2
    assert rec.bytes() - before >= 2 * 800_000
    held = rec.bytes()
    # Views hold nothing.
    _ = z[::2].reshape(-1, 2).T
    assert rec.bytes() - held < 10_000


def test_a_large_record(rec: ComputationRecord) -> None:
    x = y = rec.tensor_from_value(1.0)
    for _ in range(200_000):
        y = y * 1.0
    assert len(rec) == 200_001
    assert rec.bytes() / len(rec) < 64
    assert y.grad().wrt(x).item() == 1


# --- What is shown --------------------------------------------------------------------


def example() -> ComputationRecord:
    rec = ComputationRecord(rng=Rng(7))
    x = rec.tensor_from_value(np.array([[1.0, 2.0, 3.0]], np.float32))
    layer = LinearLayer(rec, 3, 3, {}, name="hidden", bias=True)
    y = relu(layer(x))
    loss = sum(y)
    loss.grad().wrt(layer.weight)
    chosen = wg.where(y > 0.5, y**2.5, 1e-9)
    wg.concatenate([chosen] * 6)[1:, [0, 2], None].astype("float64")
    rec.constant([np.nan, 1e300, -1e-300, 5, 6])
    rec.zeros((0, 3))
    rec.tensor_from_value(123456789) * 2
    rec.tensor_from_value([True, False] * 5)
    wg.stop_gradient(loss) * True
    return rec


def without_places(text: str) -> str:
    text = re.sub(r"record \d+", "record N", text)
    return re.sub(r"\S+\.py:\d+", "FILE.py:LINE", text)


def test_a_printed_record() -> None:
    snapshots.expect("record", without_places(str(example())))


def test_a_printed_record_says_what_the_node_is(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([1.0, 2.0])
    x * 3
    title, header, *rows = str(rec).splitlines()
    assert title == repr(rec)[1:-1] == f"{title.split(':')[0]}: 2 nodes"
    assert header.split() == ["#", "op", "operands", "type", "value", "recorded", "at"]
    assert re.fullmatch(
        r"  0  tensor +f64 \(2,\)  \[1, 2\]  .*test_record.py:\d+", rows[0]
    )
    assert re.fullmatch(
        r"  1  multiply  #0, 3 +f64 \(2,\)  \[3, 6\]  .*test_record.py:\d+", rows[1]
    )


@pytest.mark.parametrize("nodes", [0, 1, 40, 41, 42, 43, 1000, 100_000])
def test_long_records_are_elided_in_the_middle(
    nodes: int, rec: ComputationRecord
) -> None:
    for _ in range(nodes):
        rec.ones(())
    title, _, *rows = str(rec).splitlines()
    assert title.endswith(f": {nodes:d} node" + "s" * (nodes != 1))
    if nodes <= 41:
        assert [int(row.split()[0]) for row in rows] == list(range(nodes))
        return
    assert rows[20] == f"  ... {nodes - 40} nodes ..."
    shown = [int(row.split()[0]) for row in rows[:20] + rows[21:]]
    assert shown == [*range(20), *range(nodes - 20, nodes)]


def test_names_stay_within_their_line(rec: ComputationRecord) -> None:
    for name in ("a\nb\tc\x1b[31m", "long " * 100, "<b>ü</b>", ""):
        rec.parameter(name, [1.0])
    x = rec.ones(2)
    wg.concatenate([x] * 100)
    rec.tensor_from_value(np.ones((1,) * 30))
    text = str(rec)
    assert len(text.splitlines()) == 2 + len(rec)
    assert "\x1b" not in text
    assert "<b>ü</b>" in text
    assert max(map(len, text.splitlines())) < 300


def test_repr_of_tensors(rec: ComputationRecord) -> None:
    x = rec.tensor_from_value([[0.5, -1.0], [2.0, 1e-7]])
    assert repr(x) == "<tensor #0 tensor f64 (2, 2): [0.5, -1, 2, 1.000e-7]>"
    assert repr(wg.exp(x * 0).sum()) == "<tensor #3 sum f64 (): 4>"
    y = rec.tensor_from_value(np.arange(6, dtype="f4").reshape(2, 3))
    assert repr(y) == "<tensor #4 tensor f32 (2, 3): 0..5>"
    assert repr(y > 1) == "<tensor #5 greater bool (2, 3): 4 of 6 true>"
    assert repr(rec.parameter("w", [1])) == "<tensor w i64 (1,): [1]>"
    assert repr(rec.zeros((0, 2))) == "<tensor #7 tensor f64 (0, 2): []>"
    assert "2 not finite" in repr(rec.tensor_from_value([np.nan, np.inf, 1, 2, 3]))
    assert str(x) == repr(x)
    rec.clear()
    assert repr(x).startswith("<dead tensor #0 tensor of record ")


def test_repr_of_the_rest(rec: ComputationRecord) -> None:
    x = rec.ones(1)
    assert re.fullmatch(r"<gradient of #0 of record \d+>", repr(x.grad()))
    assert repr(Rng(3)) == "<Rng>"
    assert re.fullmatch(r"<record \d+: 1 node>", repr(rec))
    assert [type(t).__module__ for t in (rec, x, x.grad(), rec.mark(), Rng(1))] == [
        "wengert"
    ] * 5


def test_debug_is_the_seeds_form() -> None:
    text = wg.debug(np.ones((1, 3), np.float32))
    assert text == (
        "NdArray([[1.0, 1.0, 1.0]], shape=[1, 3], strides=[3, 1], layout=C (0x1), "
        "dynamic ndim=2)"
    )
    assert wg.debug(np.array([90.61549], np.float32)) == (
        "NdArray([90.61549], shape=[1], strides=[1], layout=C | F (0x3), "
        "dynamic ndim=1)"
    )
    assert wg.debug(True) == (
        "NdArray(true, shape=[], strides=[], layout=C | F (0x3), dynamic ndim=0)"
    )


# --- Random numbers -------------------------------------------------------------------


def test_the_same_seed_gives_the_same_numbers() -> None:
    def numbers(seed: int) -> list[Any]:
        rng = Rng(seed)
        return [
            rng.uniform(3).tolist(),
            rng.normal((2, 2), "float64").tolist(),
            rng.permutation(5).tolist(),
            rng.uniform((), -5, -4).item(),
        ]

    assert numbers(7) == numbers(7)
    assert numbers(7) != numbers(8)


def test_a_record_draws_from_the_stream_that_it_was_given() -> None:
    rng, same = Rng(7), Rng(7)
    rec = ComputationRecord(rng=rng)
    first = rec.rng.uniform(2)
    assert first.tolist() == same.uniform(2).tolist()
    # One stream: what the record drew is gone for others.
    assert rng.uniform(2).tolist() == same.uniform(2).tolist()
    other = ComputationRecord(rng=rng)
    assert other.rng.uniform(2).tolist() == same.uniform(2).tolist()
    assert ComputationRecord().rng.uniform(8).tolist() != (
        ComputationRecord().rng.uniform(8).tolist()
    )


def test_random_numbers_are_what_they_say() -> None:
    rng = Rng(1)
    x = rng.uniform(100_000, 2, 3, "float64")
    assert 2 <= x.min() < 2.001
    assert 2.999 < x.max() < 3
    assert abs(x.mean() - 2.5) < 0.01
    y = rng.normal(100_000)
    assert y.dtype == np.float32
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02
    assert sorted(rng.permutation(1000)) == list(range(1000))
    assert rng.permutation(0).tolist() == []
    assert not x.flags.writeable
    for bad in (-1, 2**64):
        with pytest.raises(OverflowError):
            Rng(bad)
    for draw in (rng.uniform, rng.normal):
        with pytest.raises(DTypeError, match="not defined for i64"):
            draw(2, dtype="int64")
