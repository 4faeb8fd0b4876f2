"""Every example in the docs runs, and prints what it shows."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import wengert
from wengert import _core

ROOT = Path(__file__).parent.parent.parent


def modules() -> list[ModuleType]:
    names = [info.name for info in pkgutil.iter_modules(wengert.__path__)]
    public = [name for name in names if not name.startswith("_")]
    return [wengert, *(importlib.import_module(f"wengert.{name}") for name in public)]


def public() -> Iterator[tuple[str, Any]]:
    """Give what has a docstring: modules, classes, functions and methods, by name."""
    seen: set[int] = set()
    for module in modules():
        yield module.__name__, module
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value):
                continue
            home = getattr(value, "__module__", None) or ""
            if not home.startswith("wengert") or id(value) in seen:
                continue
            seen.add(id(value))
            path = f"{module.__name__}.{name}"
            yield path, value
            if inspect.isclass(value):
                for attribute, member in vars(value).items():
                    if not attribute.startswith("_"):
                        yield f"{path}.{attribute}", member


PUBLIC = dict(public())
CALLABLE = {name: x for name, x in PUBLIC.items() if callable(x)}
EXAMPLES = {
    name: x for name, x in PUBLIC.items() if ">>> " in (inspect.getdoc(x) or "")
}


def test_something_is_documented() -> None:
    names = {"wengert.Tensor", "wengert.Tensor.grad", "wengert.layers.LinearLayer"}
    assert len(CALLABLE) > 180
    assert names | {"wengert.exp", "wengert.Tensor.sum"} <= CALLABLE.keys()


@pytest.mark.parametrize("name", CALLABLE)
def test_public_callables_have_an_example(name: str) -> None:
    assert name in EXAMPLES, f"{name} has no example"


@pytest.mark.parametrize("name", PUBLIC)
def test_public_things_have_a_docstring(name: str) -> None:
    value = PUBLIC[name]
    if not (callable(value) or isinstance(value, ModuleType | property)):
        return
    text = inspect.getdoc(value) or ""
    assert text.strip(), f"{name} has no docstring"
    first = text.strip().split("\n\n")[0]
    assert first.endswith((".", ":")), f"{name}: {first!r}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_docstring_examples(name: str) -> None:
    text = inspect.getdoc(EXAMPLES[name]) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    lines = [line for x in test.examples for line in x.source.splitlines()]
    own = [line for line in lines if "import " not in line]
    assert len(own) <= 6, f"{name}: an example has at most six lines"
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    with contextlib.redirect_stdout(report):
        runner.run(test)
    assert runner.failures == 0, report.getvalue()


@pytest.mark.parametrize("op", _core.op_table(), ids=lambda op: op["name"])
def test_every_op_is_described(op: dict[str, Any]) -> None:
    """By the function of its name, or by a line of its own in the reference."""
    assert op["about"] or op["name"] in wengert.__all__
    page = (ROOT / "docs" / "reference" / "ops.md").read_text(encoding="utf-8")
    assert f"| `{op['name']}` | {op['tier']} |" in page
    assert op["about"] in page


def test_signatures_are_visible() -> None:
    for name, value in vars(_core).items():
        if inspect.isbuiltin(value):
            assert inspect.signature(value), name
    assert str(inspect.signature(_core.softmax)) == "(x, /, axis=-1)"


# --- Markdown -------------------------------------------------------------------------

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
# A block of Python, and what it prints if that follows.
BLOCK = re.compile(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", re.DOTALL)


def blocks() -> Iterator[Any]:
    for page in PAGES:
        for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
            line = page.read_text(encoding="utf-8")[: found.start()].count("\n") + 1
            name = f"{page.relative_to(ROOT)}:{line}"
            yield pytest.param(found.group(1), found.group(2), id=name)


@pytest.mark.parametrize(("source", "wanted"), list(blocks()))
def test_markdown_examples(source: str, wanted: str | None, tmp_path: Path) -> None:
    """A block is a whole program, in a file that its output calls example.py."""
    (tmp_path / "example.py").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    if wanted is not None:
        assert done.stdout == wanted


def test_the_readme_shows_python_and_rust() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
    found = BLOCK.findall(text)
    assert any(output for _, output in found)
    assert "```rust" in text
    # Figures that a script fills in are not left open.
    assert not re.search(r"@[A-Z]+@", text)
