"""The promises of what functions of the user's may do within a call of the record."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wengert as wg
from wengert import ComputationRecord, CustomOp, GradError, HandleError

from tests.python.faults import in_thread, nothing_lost, raises


def op_that(act: Callable[[], Any], at: str) -> CustomOp:
    """Make x² that acts in its function, or in one of its rules."""

    def square(x: Any) -> Any:
        if at == "forward":
            act()
        return x * x

    def rule(ct: Any, y: Any, x: Any) -> Any:
        if at != "forward":
            act()
        return 2 * x * ct

    op = wg.custom_op(square)
    op.vjp(rule, on="tensors" if at == "tensors" else "arrays")
    return op


def use(x: Any) -> None:
    """Take the lock of a tensor's record, and add nothing."""
    assert x.data().tolist() == [1, 2]


PLACES = pytest.mark.parametrize(
    ("at", "record"),
    [
        ("forward", False),
        ("arrays", False),
        ("arrays", True),
        ("tensors", False),
        ("tensors", True),
    ],
)


class Mine(BaseException):
    pass


@PLACES
@pytest.mark.parametrize("kind", [KeyError, KeyboardInterrupt, Mine, MemoryError])
def test_fault_31_an_exception_passes_through(
    at: str, record: bool, kind: type[BaseException]
) -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    earlier = (x * x).sum().grad()
    before = earlier.wrt(x).data()
    error = kind("mine")
    fails = False

    def act() -> None:
        if fails:
            raise error

    op = op_that(act, at)
    loss = op(op(x)).sum()
    fails = True
    hidden = x * 1

    def run() -> None:
        if at == "forward":
            op(hidden)
        else:
            loss.grad(record=record)

    with nothing_lost(rec), pytest.raises(kind) as caught:
        run()
    assert caught.value is error
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names[-1] == "act"
    assert "run" in names
    # Nobody holds a lock, neither for this thread nor for others.
    in_thread(lambda: use(x))
    np.testing.assert_array_equal(earlier.wrt(x).data(), before)
    fails = False
    run()
    assert loss.grad().wrt(x).data().tolist() == [4, 32]


def test_fault_31_an_exception_in_a_replay_and_in_later_sweeps() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    fails = False

    def act() -> None:
        if fails:
            raise KeyError("mine")

    hidden = x * 1
    forward, rule = op_that(act, "forward"), op_that(act, "arrays")
    loss = rule(forward(hidden)).sum()
    grad = loss.grad()
    fails = True
    for call in (
        lambda: rec.replay({x: [3.0, 4.0]}),
        lambda: grad.wrt(hidden),
        lambda: rec.table(grad),
        lambda: rec.to_html(grad),
        lambda: loss.grad(consume=False, wrt=[hidden]),
    ):
        with nothing_lost(rec), pytest.raises(KeyError, match="mine"):
            call()
    assert grad.wrt(x).data().tolist() == [4, 32]
    fails = False
    assert grad.wrt(hidden).data().tolist() == [4, 32]
    assert rec.replay({x: [3.0, 4.0]})[loss].item() == 3.0**4 + 4.0**4


def test_fault_31_an_exception_in_a_conversion_of_what_a_rule_gives() -> None:
    error = KeyError("mine")

    class Failing:
        def __array__(self, *_: Any, **__: Any) -> Any:
            raise error

    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    bad = wg.custom_op(lambda x: Failing(), name="bad")
    same = wg.custom_op(lambda x: x, name="same")
    same.vjp(lambda ct, y, x: Failing())
    loss = same(x).sum()
    calls: list[Callable[[], Any]] = [
        lambda: bad(x),
        lambda: bad([1.0]),
        lambda: same(x, Failing()),
        lambda: loss.grad(),
        lambda: loss.grad(record=True),
    ]
    for call in calls:
        with nothing_lost(rec), pytest.raises(KeyError) as caught:
            call()
        assert caught.value is error
        in_thread(lambda: use(x))


def test_fault_31_a_sweep_that_consumes_and_fails() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.ones(500))
    nothing: list[float] = []
    op = op_that(lambda: nothing[0], "arrays")
    y = op(x * 2)
    loss = (y * 3).sum()
    with nothing_lost(rec), pytest.raises(IndexError):
        loss.grad(consume=True)
    with raises(HandleError, RuntimeError, "freed by grad(consume=True)"):
        y.data()
    assert (x * x).sum().grad().wrt(x).data()[0] == 2


@PLACES
def test_fault_32_a_function_uses_its_record(at: str, record: bool) -> None:
    """No lock is held: it records, differentiates, prints and replays."""

    def work() -> None:
        rec = ComputationRecord()
        x = rec.tensor_from_value([1.0, 2.0])
        results: list[Any] = []
        inner = op_that(lambda: None, at)
        within = False

        def act() -> None:
            nonlocal within
            if within:
                return
            # A replay calls the op again.
            within = True
            y = inner(x).sum()
            results.append(y.grad().wrt(x).data().tolist())
            results.append((x * x).sum().grad(record=True).wrt(x).data().tolist())
            assert str(rec).startswith("record")
            assert rec.replay({x: [2.0, 2.0]})[y].item() == 8
            within = False

        op = op_that(act, at)
        loss = op(op(x) * 1).sum()
        grad = loss.grad(record=record)
        assert grad.wrt(x).data().tolist() == [4, 32]
        assert results == [[2, 4]] * 4

    in_thread(work)


@PLACES
def test_fault_32_a_function_clears_its_record(at: str, record: bool) -> None:
    def work() -> None:
        rec = ComputationRecord()
        armed = at == "forward"

        def act() -> None:
            if armed:
                rec.clear()

        op = op_that(act, at)
        x = rec.tensor_from_value([1.0, 2.0])
        with raises(HandleError, RuntimeError, "before the record was cleared"):
            loss = op(op(x * 1) * 1).sum()
            armed = True
            loss.grad(record=record)
        assert len(rec) == 0
        x = rec.tensor_from_value([1.0, 2.0])
        assert (x * x).sum().grad().wrt(x).data().tolist() == [2, 4]

    in_thread(work)


def test_fault_32_a_function_rewinds_its_record() -> None:
    """What a recorded sweep has recorded may go; what a plain one reads stays."""
    rec = ComputationRecord()
    op = op_that(lambda: rec.rewind(mark), "arrays")
    x = rec.tensor_from_value([1.0, 2.0])
    loss = op(x * 1).sum()
    mark = rec.mark()
    assert loss.grad().wrt(x).data().tolist() == [2, 4]
    rec.rewind(mark)
    with raises(HandleError, RuntimeError, "before the record was rewound"):
        loss.grad(record=True)
    assert len(rec) == 4


def test_fault_32_a_function_consumes_its_record() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value(np.ones(500))
    hidden = x * 1
    other = (x * 3).sum()
    op = op_that(lambda: other.grad(consume=True), "arrays")
    loss = op(hidden).sum()
    for consume in (False, True):
        with raises(GradError, RuntimeError, "an earlier grad(consume=True) freed"):
            loss.grad(consume=consume)
    assert (x * x).sum().grad().wrt(x).data()[0] == 2


def test_fault_32_a_function_asks_its_own_gradient() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    hidden = x * 1
    found: list[Any] = []
    asked = False

    def act() -> None:
        nonlocal asked
        if grads and not asked:
            asked = True
            found.append(grads[0].wrt(hidden).data().tolist())

    grads: list[Any] = []
    grads.append(op_that(act, "arrays")(hidden).sum().grad())
    assert grads[0].wrt(hidden).data().tolist() == [2, 4]
    assert found == [[2, 4]]
    assert grads[0].wrt([hidden, x])[1].data().tolist() == [2, 4]


@PLACES
def test_fault_33_another_thread_uses_the_record_meanwhile(
    at: str, record: bool
) -> None:
    """A function waits for a thread that waits for the record: no lock is held."""

    def work() -> None:
        rec = ComputationRecord()
        x = rec.tensor_from_value([1.0, 2.0])
        op = op_that(lambda: in_thread(lambda: use(x)), at)
        loss = op(op(x)).sum()
        assert loss.grad(record=record).wrt(x).data().tolist() == [4, 32]

    in_thread(work)


def test_fault_33_two_threads_use_each_others_records() -> None:
    records = [ComputationRecord(), ComputationRecord()]
    meet = threading.Barrier(2, timeout=30)
    leaves = [rec.tensor_from_value([1.0, 2.0]) for rec in records]
    results: list[list[float]] = [[], []]

    def work(k: int) -> None:
        other = leaves[1 - k]

        def act() -> None:
            meet.wait()
            (other * other).sum().grad()
            meet.wait()

        loss = op_that(act, "arrays")(leaves[k]).sum()
        results[k] = loss.grad().wrt(leaves[k]).data().tolist()

    threads = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [[2, 4], [2, 4]]


def test_fault_33_threads_share_a_record_and_an_op() -> None:
    rec = ComputationRecord()
    x = rec.tensor_from_value([1.0, 2.0])
    op = op_that(lambda: None, "tensors")
    loss = op(op(x)).sum()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for k in range(50):
                found = loss.grad(record=k % 2 == 0).wrt(x)
                assert found.data().tolist() == [4, 32]
                assert op(x).data().tolist() == [1, 4]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)
