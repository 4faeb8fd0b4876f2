"""The record that tests of its views show, and names that try to break them."""

from __future__ import annotations

import numpy as np
import wengert as wg
from wengert import ComputationRecord, Tensor


def example(rec: ComputationRecord) -> tuple[Tensor, Tensor, Tensor]:
    x = rec.constant([[1.0, -2.0, 3.0]]).named("image")
    w = rec.parameter("w", np.arange(6.0).reshape(3, 2))
    hidden = wg.relu(x @ w).named("hidden")
    wg.stop_gradient(hidden)
    return w, hidden, (hidden * 2.5).sum()


HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "<!-- <script>",
    "\"'&amp;\\u003c\\",
    "${window.hacked = 3}",
    "\u2028\u2029\x00\x1b[31m",
    "../../etc/passwd",
    "",
]
