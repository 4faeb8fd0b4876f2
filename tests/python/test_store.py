"""The parameter store is a mapping."""

from __future__ import annotations

import copy
import pickle
from collections.abc import MutableMapping
from typing import Any

import numpy as np
import pytest
from wengert import ComputationRecord, DTypeError, ParameterStore


def test_it_is_a_mutable_mapping() -> None:
    store = ParameterStore()
    assert isinstance(store, MutableMapping)
    assert len(store) == 0
    assert not store
    store["a"] = np.ones(2)
    store["b"] = [1, 2, 3]
    assert len(store) == 2
    assert list(store) == ["a", "b"]
    assert "a" in store
    assert "c" not in store
    assert store.get("c") is None
    assert [name for name, _ in store.items()] == ["a", "b"]
    assert [x.shape for x in store.values()] == [(2,), (3,)]
    store.update({"c": np.zeros(1)}, d=np.zeros(2))
    assert list(store.keys()) == ["a", "b", "c", "d"]
    assert store.pop("d").tolist() == [0, 0]
    assert store.setdefault("c", np.ones(9)).tolist() == [0]
    del store["a"]
    assert list(store) == ["b", "c"]
    store.clear()
    assert not store


def test_names_that_are_missing() -> None:
    store = ParameterStore({"a": [1.0]})
    with pytest.raises(KeyError, match="b"):
        store["b"]
    with pytest.raises(KeyError, match="b"):
        del store["b"]
    with pytest.raises(KeyError):
        store.pop("b")
    assert list(store) == ["a"]


@pytest.mark.parametrize("name", [1, None, b"a", ("a",), 1.0])
def test_names_are_strings(name: Any) -> None:
    store = ParameterStore()
    with pytest.raises(TypeError, match="string"):
        store[name] = np.ones(1)
    assert not store


@pytest.mark.parametrize("size", [3, 3000])
def test_arrays_are_copied_in_and_read_only(size: int) -> None:
    source = np.zeros(size)
    store = ParameterStore({"a": source})
    source[:] = 1
    assert not store["a"].any()
    assert store["a"] is store["a"]
    with pytest.raises(ValueError, match="read-only"):
        store["a"][0] = 1
    store["a"] = store["a"] + 2
    assert (store["a"] == 2).all()


@pytest.mark.parametrize("size", [3, 3000])
def test_an_update_leaves_records_alone(size: int) -> None:
    store = ParameterStore({"a": np.ones(size)})
    rec = ComputationRecord()
    a = rec.parameter("a", store["a"])
    z = a * 2
    store["a"] = store["a"] * 100
    assert (a.data() == 1).all()
    assert (z.data() == 2).all()
    assert (z.sum().grad().wrt(a).data() == 2).all()


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1, 2], "int64"),
        ([True], "bool"),
        (np.ones(2, "f4"), "float32"),
        (np.ones(2, "f2"), "float32"),
        (np.ones(2, ">f8"), "float64"),
        (1.5, "float64"),
    ],
)
def test_types(value: Any, dtype: str) -> None:
    store = ParameterStore()
    store["a"] = value
    assert store["a"].dtype == dtype
    np.testing.assert_array_equal(store["a"], value)


@pytest.mark.parametrize("value", ["text", None, [1j], [object()]])
def test_what_is_no_parameter(value: Any) -> None:
    store = ParameterStore({"a": [1.0]})
    with pytest.raises(DTypeError):
        store["a"] = value
    assert store["a"].tolist() == [1]


def test_a_tensor_is_not_stored_by_itself() -> None:
    """Its value is: the text says how to get it."""
    x = ComputationRecord().ones(2)
    store = ParameterStore()
    with pytest.raises(TypeError, match=r"\.data\(\)"):
        store["x"] = x
    store["x"] = x.data()
    assert store["x"].tolist() == [1, 1]


def test_copies() -> None:
    store = ParameterStore({"a": [1.0], "b": np.ones((2, 3), "f4")})
    other = ParameterStore(store)
    other["a"] = other["a"] + 1
    assert store["a"].tolist() == [1]
    assert dict(store).keys() == {"a", "b"}


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_duplicates_are_stores_of_their_own(duplicate: Any) -> None:
    store = ParameterStore({"a": [1.0], "b": np.ones((200, 3), "f4")})
    other = duplicate(store)
    assert type(other) is ParameterStore
    assert list(other) == ["a", "b"]
    other["a"] = other["a"] + 5
    other["c"] = [1.0]
    assert list(store) == ["a", "b"]
    assert store["a"].tolist() == [1]
    assert not other["a"].flags.writeable
    assert not other["b"].flags.writeable


def test_repr() -> None:
    assert repr(ParameterStore()) == "ParameterStore()"
    store = ParameterStore({"a": [1.0], "b.weight": np.ones((2, 3), "f4")})
    assert repr(store) == "ParameterStore(a: float64 (1,), b.weight: float32 (2, 3))"
