"""The seed's layers: parameters live in a store and are read into each record."""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping, Sequence
from types import BuiltinFunctionType
from typing import Any

import numpy as np
import numpy.typing as npt

from wengert import _core
from wengert._core import ComputationRecord, Grad, Tensor, relu, sigmoid, tanh
from wengert.errors import ShapeError
from wengert.store import ParameterStore

__all__ = ["LinearLayer", "Sequential", "relu", "softmax_cross_entropy", "sum"]

Array = npt.NDArray[Any]
Store = MutableMapping[str, Array]

# The functions that `LinearLayer` can end with, in one op with its product.
_ACTIVATIONS: dict[Any, str] = {relu: "relu", tanh: "tanh", sigmoid: "sigmoid"}


def sum(x: Tensor, /) -> Tensor:
    """Sum all elements into a tensor of shape (1,).

    `wengert.sum` and ``x.sum()`` are NumPy's and give shape ().

    Examples
    --------
    >>> import wengert
    >>> from wengert.layers import sum
    >>> rec = wengert.ComputationRecord()
    >>> sum(rec.ones((2, 3))).data()
    array([6.])
    """
    return x.sum().reshape(1)


def softmax_cross_entropy(logits: Tensor, labels: npt.ArrayLike | Tensor, /) -> Tensor:
    """Average the cross entropy of softmax(row) against integer labels, shape (1,).

    Parameters
    ----------
    logits : Tensor
        Of shape (..., classes).
    labels : array_like of int64
        Of shape (...), each from 0 to classes - 1; OutOfRangeError otherwise.

    Examples
    --------
    >>> import wengert
    >>> from wengert.layers import softmax_cross_entropy
    >>> rec = wengert.ComputationRecord()
    >>> softmax_cross_entropy(rec.zeros((1, 2)), [1]).data()
    array([0.69314718])
    """
    losses = _core.softmax_cross_entropy(logits, labels)
    mean = losses.mean(keepdims=True)
    return mean if mean.ndim == 1 else mean.reshape(1)


def _stored(store: Store, key: str, shape: tuple[int, ...]) -> Array | None:
    """Give the array of this key, if there is one; ShapeError if it does not fit."""
    try:
        value = store[key]
    except KeyError:
        return None
    # `np.shape` takes a while, and lists too, which a dict may hold.
    has = getattr(value, "shape", None) or np.shape(value)
    if has != shape:
        raise ShapeError(f"LinearLayer: the array has shape {has}, {key} has {shape}")
    return value


def _descend(layers: Sequence[LinearLayer], grad: Grad, store: Store) -> None:
    """Step the parameters of layers down; all steps are taken before one is written."""
    keys: list[str] = []
    values: list[Tensor] = []
    rates: list[float] = []
    for layer in layers:
        keys += layer.parameters
        values += layer.parameters.values()
        rates += [layer.rate] * len(layer.parameters)
    steps = dict(zip(keys, _core.descend(grad, values, rates), strict=True))
    if type(store) is ParameterStore:
        store._adopt(steps)
    else:
        store.update(steps)


class LinearLayer:
    """``x @ weight``, ``+ bias`` if there is one, and an activation if there is one.

    A layer is made for each record: it reads its parameters from the store, or draws
    them from the record's random numbers if they are not there; `optimize` writes them
    back. Weights are float32, drawn uniformly from ±sqrt(6 / (inputs + outputs))
    (Glorot and Bengio, 2010); a bias starts at 0.

    Parameters
    ----------
    rec : ComputationRecord
    inputs, outputs : int
        Sizes of the last axis of what goes in and what comes out.
    store : mapping from str to array
        A `ParameterStore` or a dict. ShapeError if a parameter in it does not fit.
    name : str, optional
        The parameters are ``NAME.weight`` and ``NAME.bias``; by default linear0,
        linear1 ... by order of creation in the record.
    bias : bool
    activation : {"relu", "tanh", "sigmoid"}, optional
        Applied last; ValueError for another. With a bias it takes no op of its own.
    rate : float
        The rate of descent of `optimize`.

    Examples
    --------
    >>> import wengert
    >>> from wengert.layers import LinearLayer, sum
    >>> store = wengert.ParameterStore()
    >>> with wengert.ComputationRecord(rng=wengert.Rng(7)) as rec:
    ...     linear = LinearLayer(rec, 3, 2, store)
    ...     loss = sum(linear(rec.ones((1, 3), dtype="float32")))
    ...     linear.optimize(loss.grad(), store)
    >>> store
    ParameterStore(linear0.weight: float32 (3, 2))
    """

    def __init__(
        self,
        rec: ComputationRecord,
        inputs: int,
        outputs: int,
        store: Store,
        *,
        name: str | None = None,
        bias: bool = False,
        activation: str | None = None,
        rate: float = 0.01,
    ) -> None:
        if activation is not None and activation not in _ACTIVATIONS.values():
            known = ", ".join(map(repr, _ACTIVATIONS.values()))
            raise ValueError(
                f"LinearLayer: the activation is {activation!r}, not None or {known}"
            )
        self.name = name if name is not None else f"linear{rec._layers}"
        self.activation = activation
        self.rate = rate
        # What does not fit is told before anything is drawn or recorded.
        weight_key, bias_key = f"{self.name}.weight", f"{self.name}.bias"
        arrays = store._arrays if type(store) is ParameterStore else store
        weight = _stored(arrays, weight_key, (inputs, outputs))
        offset = _stored(arrays, bias_key, (outputs,)) if bias else None
        if weight is None:
            # Sizes that are none are told by the draw.
            bound = math.sqrt(6.0 / max(1, inputs + outputs))
            weight = rec.rng.uniform((inputs, outputs), -bound, bound)
        if bias and offset is None:
            offset = np.zeros(outputs, "float32")
        self.weight = rec.parameter(weight_key, weight)
        self.parameters = {weight_key: self.weight}
        self.bias: Tensor | None = None
        if offset is not None:
            self.bias = rec.parameter(bias_key, offset)
            self.parameters[bias_key] = self.bias
        if name is None:
            rec._count_layer()

    def forward(self, x: Tensor, /) -> Tensor:
        """Apply the layer to rows of inputs.

        Parameters
        ----------
        x : Tensor
            Of shape (..., inputs); ShapeError otherwise. The result has (..., outputs).

        Examples
        --------
        >>> import wengert
        >>> rec, store = wengert.ComputationRecord(), {"l.weight": [[1.0], [2.0]]}
        >>> linear = wengert.layers.LinearLayer(rec, 2, 1, store, name="l")
        >>> linear.forward(rec.tensor_from_value([[3.0, 4.0]])).data()
        array([[11.]])
        """
        return _core.linear(x, self.weight, self.bias, self.activation)

    __call__ = forward

    def optimize(self, grad: Grad, store: Store) -> None:
        """Step each parameter down its gradient and write it to the store.

        A step is ``parameter - rate * gradient``, in the parameter's type. If one fails
        nothing is written.

        Parameters
        ----------
        grad : Grad
            Of this layer's record; HandleError otherwise.
        store : mapping from str to array
            A `ParameterStore` or a dict.

        Examples
        --------
        >>> import wengert
        >>> rec, store = wengert.ComputationRecord(), {"l.weight": [[1.0], [2.0]]}
        >>> linear = wengert.layers.LinearLayer(rec, 2, 1, store, name="l", rate=0.5)
        >>> linear.optimize(linear(rec.ones((1, 2))).sum().grad(), store)
        >>> store["l.weight"].tolist()
        [[0.5], [1.5]]
        """
        _descend([self], grad, store)


class Sequential:
    """Layers and functions, each applied to what the one before gave.

    A `LinearLayer` and the `relu`, `tanh` or `sigmoid` behind it are one op.

    Parameters
    ----------
    *parts : callable
        Layers, or functions from a tensor to a tensor.

    Examples
    --------
    >>> import wengert
    >>> from wengert.layers import LinearLayer, Sequential, relu
    >>> rec = wengert.ComputationRecord()
    >>> model = Sequential(LinearLayer(rec, 3, 4, {}), relu, LinearLayer(rec, 4, 2, {}))
    >>> model(rec.ones((5, 3), dtype="float32")).shape
    (5, 2)
    """

    def __init__(self, *parts: Callable[[Tensor], Tensor]) -> None:
        self.parts = parts
        # A layer and the activation behind it are one step.
        self._steps: list[tuple[Callable[[Tensor], Tensor], str | None]] = []
        last = None
        for part in parts:
            # The layer before, if nothing is applied to what it gives.
            layer, last = last, part if type(part) is LinearLayer else None
            if layer is not None and isinstance(part, BuiltinFunctionType):
                activation = _ACTIVATIONS.get(part)
                if activation is not None and layer.activation is None:
                    self._steps[-1] = (layer, activation)
                    continue
            self._steps.append((part, None))

    def forward(self, x: Tensor, /) -> Tensor:
        """Apply all parts in turn; the shapes are those that the parts take and give.

        Examples
        --------
        >>> import wengert
        >>> model = wengert.layers.Sequential(wengert.tanh, wengert.relu)
        >>> model.forward(wengert.ComputationRecord().constant([-1.0, 0.0])).data()
        array([0., 0.])
        """
        for part, activation in self._steps:
            if type(part) is LinearLayer:
                activation = activation or part.activation
                x = _core.linear(x, part.weight, part.bias, activation)
            else:
                x = part(x)
        return x

    __call__ = forward

    def optimize(self, grad: Grad, store: Store) -> None:
        """Step the parameters of all layers down their gradients.

        The parameters are those of `LinearLayer.optimize`.

        Examples
        --------
        >>> import wengert
        >>> rec, store = wengert.ComputationRecord(), {"l.weight": [[1.0], [2.0]]}
        >>> linear = wengert.layers.LinearLayer(rec, 2, 1, store, name="l", rate=0.5)
        >>> model = wengert.layers.Sequential(linear, wengert.relu)
        >>> model.optimize(model(rec.ones((1, 2))).sum().grad(), store)
        >>> store["l.weight"].tolist()
        [[0.5], [1.5]]
        """
        plain: list[LinearLayer] = []
        for part in self.parts:
            if type(part) is LinearLayer:
                plain.append(part)
            elif isinstance(part, (LinearLayer, Sequential)):
                # A class of its own may have a way of its own.
                _descend(plain, grad, store)
                plain = []
                part.optimize(grad, store)
        _descend(plain, grad, store)
