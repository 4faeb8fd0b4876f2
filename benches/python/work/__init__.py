"""What is timed: one subject a file, each with its cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module

from benches.python.libraries import Library, Task

SUBJECTS = (
    "op",
    "chain",
    "scalars",
    "training",
    "lotka_volterra",
    "mixture",
    "product",
    "unary",
    "reduction",
    "layout",
    "threads",
)
# Up to so many elements, cases share the processes of the libraries. Above, each size
# has fresh ones: allocators remember what came before.
SMALL = 4096


@dataclass(frozen=True)
class Case:
    """Something that is timed in several libraries."""

    # The subject, and what tells the case from others: "unary/exp/float32/1000".
    name: str
    # Elements of its largest operand.
    size: int
    # The libraries that take part, beside this package.
    peers: tuple[str, ...]
    # What the figures are for one of.
    per: str
    # Made in the process of a library.
    task: Callable[[Library], Task]


def calls_of(elements: int) -> int:
    """Give how many results of a size are kept before they are dropped together."""
    return max(1, min(1000, 16_384 // elements))


def cases(subject: str) -> list[Case]:
    """Give the cases of a subject."""
    found: list[Case] = import_module(f"{__name__}.{subject}").CASES
    return found


def find(name: str) -> Case:
    """Give a case by its name."""
    return next(case for case in cases(name.split("/")[0]) if case.name == name)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Say whether a name, or the parts that it begins with, is like a pattern."""
    beginnings = [name[:k] for k, letter in enumerate(name) if letter == "/"]
    names = [name, *beginnings]
    return not patterns or any(fnmatch(n, p) for p in patterns for n in names)


def chosen(patterns: Sequence[str]) -> list[Case]:
    """Give the cases whose names are like a pattern; all, if there is none."""
    every = [case for subject in SUBJECTS for case in cases(subject)]
    return [case for case in every if matches(case.name, patterns)]


def groups(cases: Sequence[Case]) -> list[list[Case]]:
    """Group the cases that share processes: all small ones, and each larger size."""
    found: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        subject = case.name.split("/")[0]
        key = ("", SMALL) if case.size <= SMALL else (subject, case.size)
        found.setdefault(key, []).append(case)
    return list(found.values())
