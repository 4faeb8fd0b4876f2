"""The rows of ops that show elements in another shape or order."""

from __future__ import annotations

from typing import Any

import numpy as np
import wengert as wg

from tests.python.ops.operands import AXES, CUBES, UNARY, reals, whole
from tests.python.ops.table.row import Row, moving


def rows() -> list[Row]:
    def of(wengert_call: Any, numpy_call: Any, *args: Any, **options: Any) -> Any:
        """Bind the same arguments to both."""
        return {
            "call": lambda x: wengert_call(x, *args, **options),
            "reference": lambda x: numpy_call(x, *args, **options),
            "plain": True,
        }

    ones = (((1, 3, 1),), ((1, 1, 1),), ((1, 0, 1),))
    return [
        moving("reshape", lambda x: x.reshape(-1), UNARY, "(-1)"),
        moving("reshape", lambda x: x.reshape(4, 6), (((2, 3, 4),),), "4, 6"),
        moving("reshape", lambda x: x.reshape((3, -1)), (((2, 3, 4),),), "(3, -1)"),
        moving("reshape", lambda x: x.T.reshape(-1), CUBES, "of a transpose"),
        moving("reshape", lambda x: x[::-1].reshape(-1), CUBES, "of a reversal"),
        moving(
            "reshape", **of(wg.reshape, np.reshape, (-1, 1)), shapes=UNARY, note="f"
        ),
        moving("transpose", lambda x: x.T, UNARY, ".T"),
        moving("transpose", lambda x: x.transpose(2, 0, 1), CUBES, "2, 0, 1"),
        moving("transpose", lambda x: x.transpose((1, 0, 2)), CUBES, "(1, 0, 2)"),
        moving(
            "transpose",
            **of(wg.transpose, np.transpose, (-1, 0, 1)),
            shapes=CUBES,
            note="(-1, 0, 1)",
        ),
        moving("transpose", lambda x: x.swapaxes(0, -1), CUBES, "swapaxes 0, -1"),
        moving(
            "transpose",
            **of(wg.swapaxes, np.swapaxes, 1, 2),
            shapes=CUBES,
            note="swapaxes 1, 2",
        ),
        moving(
            "reshape", **of(wg.expand_dims, np.expand_dims, 0), shapes=UNARY, note="e0"
        ),
        moving(
            "reshape",
            **of(wg.expand_dims, np.expand_dims, (1, -1)),
            shapes=AXES,
            note="expand_dims (1, -1)",
        ),
        moving("reshape", **of(wg.squeeze, np.squeeze), shapes=ones, note="squeeze"),
        moving(
            "reshape", **of(wg.squeeze, np.squeeze, (0, -1)), shapes=ones, note="sq"
        ),
        moving("reshape", lambda x: x.squeeze(0), ones, "squeeze 0"),
        moving(
            "broadcast_to",
            **of(wg.broadcast_to, np.broadcast_to, (2, 4, 3)),
            shapes=(((3,),), ((4, 1),), ((2, 1, 3),), ((),), ((2, 4, 3),)),
            note="(2, 4, 3)",
        ),
        moving(
            "broadcast_to",
            **of(wg.broadcast_to, np.broadcast_to, (2, 0)),
            shapes=(((1,),), ((2, 1),), ((0,),)),
            note="(2, 0)",
        ),
        Row(
            "stop_gradient",
            "constant",
            wg.stop_gradient,
            lambda x: x,
            (reals,),
            UNARY,
            integers=(whole,),
            booleans=True,
            gradient=False,
        ),
    ]
