"""A long recurrence of scalars: nanoseconds and bytes a node."""

from __future__ import annotations

from benches.python.libraries import Library, Task
from benches.python.work import Case

NODES = 1_000_000
# A run of a million nodes would take a peer most of a minute.
PEERS = {"autograd": 50_000, "torch": 100_000}


def task(library: Library) -> Task:
    """Prepare the recurrence, as long as the library can bear."""
    return library.recurrence(PEERS.get(library.name, NODES))


CASES = [Case(f"scalars/{NODES}", 1, tuple(PEERS), "node", task)]
