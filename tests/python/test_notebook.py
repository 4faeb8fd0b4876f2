"""What records and tensors show in a notebook."""

from __future__ import annotations

import re

import pytest
from wengert import ComputationRecord, HandleError

from tests.python.pages import example


def test_a_record_as_a_table_of_html(rec: ComputationRecord) -> None:
    example(rec)
    table = rec._repr_html_()
    rows = re.findall(r"<tr>(.*?)</tr>", table)
    assert len(rows) == 1 + len(rec)
    cells = re.findall(r">([^<]*)</td>", rows[4])
    line = str(rec).splitlines()[5].split()
    assert cells[:2] == ["3", "relu hidden"]
    assert [*cells[2].split(), *cells[3].split()] == ["#2", "f64", "(1,", "2)"]
    assert cells[4] == "[8, 10]"
    assert cells[5] == line[-1]
    for _ in range(100):
        rec.ones(1)
    table = rec._repr_html_()
    assert table.count("<tr>") == 1 + 41
    assert ">... 67 nodes ...<" in table


def test_a_tensor_as_html(rec: ComputationRecord) -> None:
    w, hidden, _ = example(rec)
    assert hidden._repr_html_() == (
        "<div><b>tensor hidden f64 (1, 2)</b><pre>[[ 8. 10.]]</pre></div>"
    )
    rec.clear()
    with pytest.raises(HandleError):
        w.data()
    assert "dead tensor #1 parameter" in w._repr_html_()
