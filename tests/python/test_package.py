"""The package as it is installed: names, types, and what it needs."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import wengert
from wengert import _core, errors

FOLDER = Path(wengert.__file__).parent
MODULES = [
    "wengert",
    *(f"wengert.{m.name}" for m in pkgutil.iter_modules([str(FOLDER)])),
]


def test_it_is_typed() -> None:
    assert (FOLDER / "py.typed").exists()


@pytest.mark.parametrize("name", [m for m in MODULES if not m.endswith("_core")])
def test_all_is_complete(name: str) -> None:
    """`__all__` names what is public, and all that it names is there."""
    module = importlib.import_module(name)
    names = list(module.__all__)
    assert len(set(names)) == len(names)
    for public in names:
        assert hasattr(module, public), public
    made_here = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == name
    }
    assert made_here <= set(names)


def test_every_op_is_exported() -> None:
    """What the engine offers is in `wengert`, but for what only the package uses."""
    internal = {"_check_custom", "_custom", "descend", "freeze", "op_table"}
    builtins = {k for k, v in vars(_core).items() if inspect.isbuiltin(v)}
    assert builtins - internal <= set(wengert.__all__)
    classes = {
        k
        for k, v in vars(_core).items()
        if inspect.isclass(v) and not k.startswith("_")
    }
    assert classes <= set(wengert.__all__)
    assert set(errors.__all__) <= set(wengert.__all__)


def test_a_star_import() -> None:
    namespace: dict[str, object] = {}
    exec("from wengert import *", namespace)
    assert set(wengert.__all__) <= set(namespace)


def test_errors_are_builtin_errors_too() -> None:
    wanted = {
        "ShapeError": ValueError,
        "DTypeError": TypeError,
        "HandleError": RuntimeError,
        "GradError": RuntimeError,
        "OutOfRangeError": IndexError,
        "CheckpointError": ValueError,
        "NonFiniteError": FloatingPointError,
        "InternalError": RuntimeError,
    }
    assert {*wanted, "WengertError"} == set(errors.__all__)
    for name, builtin in wanted.items():
        kind = getattr(wengert, name)
        assert kind.__bases__ == (wengert.WengertError, builtin)
        assert kind.__module__ == "wengert.errors"


def test_the_version() -> None:
    assert wengert.__version__ == _core.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", wengert.__version__)


def installed() -> importlib.metadata.Distribution | None:
    """Give the distribution that is imported; none if it was built in place."""
    try:
        found = importlib.metadata.distribution("wengert")
    except importlib.metadata.PackageNotFoundError:
        return None
    where = Path(str(found.locate_file("wengert")))
    return found if where == FOLDER else None


@pytest.mark.skipif(installed() is None, reason="the package is not installed")
def test_it_needs_numpy_alone() -> None:
    found = installed()
    assert found is not None
    needed = [r for r in found.requires or [] if "extra ==" not in r]
    assert needed == ["numpy>=2.0"]
    assert found.version == wengert.__version__
    assert found.metadata["License-Expression"] == "MIT OR Apache-2.0"
    files = {str(file) for file in found.files or []}
    assert "wengert/py.typed" in files
    assert "wengert/_core.pyi" in files
    assert not any("test" in file for file in files)


def test_importing_brings_numpy_alone() -> None:
    """And starts no thread, and leaves no trace in NumPy."""
    code = """if True:
        import sys, threading
        import numpy as np
        before, state = set(sys.modules), np.geterr()
        import wengert
        new = {name.split(".")[0] for name in set(sys.modules) - before}
        standard = set(sys.stdlib_module_names)
        assert new - standard <= {"wengert", "numpy"}, new - standard
        assert threading.active_count() == 1
        assert np.geterr() == state
        """
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_the_interpreter_ends_with_records_alive() -> None:
    code = """if True:
        import numpy as np, wengert, sys, threading
        rec = wengert.ComputationRecord()
        x = rec.tensor_from_value(np.ones(1000), borrow=True)
        kept = [x, (x * x).sum().grad(), x.data(), (x * 2)[::2].data()]
        sys.kept = kept
        loop = [rec]
        loop.append(loop)
        threading.local().kept = kept
        wengert.errors.kept = kept
        """
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code],
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_subinterpreters_are_refused_or_work() -> None:
    """Never a crash."""
    code = """if True:
        try:
            import _interpreters as interpreters
        except ImportError:
            try:
                import _xxsubinterpreters as interpreters
            except ImportError:
                raise SystemExit
        import wengert
        new = interpreters.create()
        try:
            interpreters.run_string(new, "import wengert; wengert.exp(1.0)")
        except Exception as error:
            text = str(error)
            assert "interpreter" in text or "once per process" in text, text
        """
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, timeout=60, capture_output=True
    )
    assert done.returncode == 0, done.stderr
