"""Messages name the user's line: the innermost frame outside the package."""

from __future__ import annotations

import gc
import importlib.util
import os
import textwrap
import threading
import weakref
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
import wengert as wg
from wengert import ComputationRecord, ShapeError
from wengert.layers import LinearLayer, Sequential, relu, softmax_cross_entropy

from tests.python.places import line_of


def sites(rec: ComputationRecord) -> list[str]:
    """Give the last column of the printed record."""
    return [row.split()[-1] for row in str(rec).splitlines()[2:]]


def message(f: Any) -> str:
    with pytest.raises(wg.WengertError) as caught:
        f()
    return str(caught.value)


def load(path: Path, text: str) -> ModuleType:
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_kind_of_call_has_its_line(rec: ComputationRecord) -> None:
    wanted = []
    x = rec.tensor_from_value([1.0, 2.0])
    wanted.append(line_of(-1))
    rec.parameter("p", [1.0])
    wanted.append(line_of(-1))
    rec.constant(1.0)
    wanted.append(line_of(-1))
    rec.zeros(2)
    wanted.append(line_of(-1))
    x + x
    wanted.append(line_of(-1))
    2 * x
    wanted.append(line_of(-1))
    _ = -x
    wanted.append(line_of(-1))
    _ = x < 2
    wanted.append(line_of(-1))
    x[:1]
    wanted.append(line_of(-1))
    wg.exp(x)
    wanted.append(line_of(-1))
    wg.softmax(x, axis=0)
    wanted.append(line_of(-1))
    y = x.sum()
    wanted.append(line_of(-1))
    y.grad().wrt(x)
    wanted.append(line_of(-1))
    assert sites(rec) == wanted


def test_a_call_over_several_lines(rec: ComputationRecord) -> None:
    x = rec.ones(2)
    first = line_of(+1)
    wg.exp(
        x * 2,
    )
    assert sites(rec)[-2] == line_of(-2)
    # Where Python says that the call is: its first line.
    assert sites(rec)[-1] == first


def test_lines_of_one_function_differ(rec: ComputationRecord) -> None:
    def forward(x: Any) -> tuple[Any, list[str]]:
        a = x * 2
        b = (a + 1) * a
        return b, [line_of(-2), line_of(-1), line_of(-1)]

    _, wanted = forward(rec.ones(2))
    assert sites(rec)[-3:] == wanted


def test_a_layer_is_not_the_place(rec: ComputationRecord) -> None:
    x = rec.ones((1, 3), "float32")
    made = line_of(+1)
    layer = LinearLayer(rec, 3, 2, {}, bias=True)
    assert sites(rec)[-2:] == [made, made]
    used = line_of(+1)
    y = layer.forward(x)
    assert sites(rec)[-1] == used
    called = line_of(+1)
    y = Sequential(layer, relu, lambda y: y)(x)
    assert sites(rec)[-1] == called
    lost = line_of(+1)
    loss = softmax_cross_entropy(y, [0])
    assert sites(rec)[-1] == lost
    text = message(lambda: layer.forward(rec.ones((1, 4), "float32")))
    assert f"linear0.weight at {made}" in text
    before = sites(rec)
    layer.optimize(loss.grad(), {})
    assert sites(rec) == before


def test_inside_a_users_function(rec: ComputationRecord) -> None:
    def block(x: Any) -> Any:
        return relu(x) * 2

    here = line_of(-2)
    block(rec.ones(2))
    assert sites(rec)[-2:] == [here, here]


def test_lambdas_comprehensions_and_generators(rec: ComputationRecord) -> None:
    x = rec.ones(3)
    here = line_of(+1)
    made = [f(x) for f in (lambda t: t + 1, wg.exp)]
    made += list(t * 2 for t in made)  # noqa: C400
    assert sites(rec)[1:3] == [here, here]
    assert sites(rec)[3:] == [line_of(-2)] * 2
    here = line_of(+1)
    list(map(wg.exp, made))
    assert sites(rec)[-4:] == [here] * 4


def test_executed_code(rec: ComputationRecord) -> None:
    namespace: dict[str, Any] = {"rec": rec, "wg": wg}
    exec("x = rec.ones(2)\n\ny = wg.exp(x)", namespace)
    assert sites(rec) == ["<string>:1", "<string>:3"]
    code = compile("x + 1", "notebook cell 3", "eval")
    eval(code, namespace)
    assert str(rec).splitlines()[-1].endswith("notebook cell 3:1")


def test_a_module_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rec: ComputationRecord
) -> None:
    module = load(
        tmp_path / "model.py",
        """\
        import wengert

        def forward(x):
            return wengert.exp(x)

        def wrong(x):
            return forward(x) + [1, 2, 3, 4]
        """,
    )
    x = rec.ones(2)
    module.forward(x)
    # Outside the working directory the whole path is shown.
    assert sites(rec)[-1] == f"{tmp_path}/model.py:4"
    assert f"#2 exp recorded at {tmp_path}/model.py:4" in message(
        lambda: module.wrong(x)
    )
    monkeypatch.chdir(tmp_path)
    assert sites(rec)[-1] == "model.py:4"
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert sites(rec)[-1] == f"{tmp_path}/model.py:4"


def test_a_working_directory_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rec: ComputationRecord
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    rec.ones(2)
    assert str(rec)


def test_names_of_files_that_are_no_paths(rec: ComputationRecord) -> None:
    for name in ("", "\udcff", "a\nb", "<stdin>", "/", "ünï.py"):
        exec(compile("rec.ones(1)", name, "exec"), {"rec": rec})
    assert len(str(rec).splitlines()) >= 8


def test_a_site_survives_a_clear(rec: ComputationRecord) -> None:
    y, place = wg.exp(rec.ones(2)), line_of()
    rec.clear()
    rec.ones(3)
    assert f"#1 exp recorded at {place}" in message(y.data)


def test_a_site_keeps_its_code() -> None:
    """Another function at the address of one that is gone is not mistaken for it."""
    rec = ComputationRecord()
    lines = []
    for k in range(50):
        namespace: dict[str, Any] = {"rec": rec}
        exec(compile("\n" * k + "rec.ones(1)", f"cell{k}", "exec"), namespace)
        lines.append(f"cell{k}:{k + 1}")
        del namespace
        gc.collect()
    shown = sites(rec)
    # Long records are elided in the middle.
    assert shown[:20] == lines[:20]
    assert shown[-20:] == lines[-20:]


def test_code_is_released_with_the_record() -> None:
    rec = ComputationRecord()
    namespace: dict[str, Any] = {"rec": rec}
    exec("def f():\n    rec.ones(1)", namespace)
    code: weakref.ref[CodeType] = weakref.ref(namespace["f"].__code__)
    namespace["f"]()
    namespace.clear()
    gc.collect()
    assert code() is not None
    del rec
    gc.collect()
    assert code() is None


def test_loops_reuse_sites(rec: ComputationRecord) -> None:
    """A place costs memory once, however often it records."""

    def work() -> None:
        y = rec.ones(())
        for _ in range(1000):
            y = y * 1.0

    work()
    assert set(sites(rec)[1:]) == {line_of(-3), "..."}
    rec.clear()
    before = rec.bytes()
    for _ in range(100):
        work()
        rec.clear()
    assert rec.bytes() == before


def test_sites_are_bounded() -> None:
    """A record of more places than are remembered goes on, without their lines."""
    rec = ComputationRecord()
    lines = 1 << 13
    source = "\n".join(["rec.ones(())"] * lines)
    for k in range(9):
        exec(compile(source, f"many{k}", "exec"), {"rec": rec})
        mark = len(rec)
        assert mark == (k + 1) * lines
    rows = str(rec).splitlines()
    assert rows[2].endswith("many0:1")
    assert rows[-1].endswith("an unknown place")
    rec.clear()
    rec.ones(())
    assert str(rec).splitlines()[-1].endswith("an unknown place")
    # Places that are known stay so.
    exec(compile(source, "many0", "exec"), {"rec": rec})


def test_a_thread_that_runs_a_builtin(rec: ComputationRecord) -> None:
    """The innermost frame is then the interpreter's own."""
    x = rec.ones(2)
    thread = threading.Thread(target=wg.exp, args=(x,))
    thread.start()
    thread.join(60)
    assert "threading.py" in sites(rec)[-1]


def test_a_message_names_each_operand_once(rec: ComputationRecord) -> None:
    x, place = rec.ones((2, 3)), line_of()
    text = message(lambda: x @ x)
    assert text.count("recorded at") == 1
    assert f"#0 tensor recorded at {place}" in text


def test_unpicklable_lines_do_not_hide_the_fault(
    rec: ComputationRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is what is raised, even if a line cannot be told."""
    x = rec.ones((2, 3))
    monkeypatch.setattr(os, "getcwd", None)
    with pytest.raises(ShapeError):
        x @ x
