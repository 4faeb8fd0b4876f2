"""The seed's program: a linear layer, a rectifier, a sum, five steps of descent.

Parameters live in a store; each step reads them into a record of its own.
"""

import numpy as np
from wengert import ComputationRecord, ParameterStore, Rng, debug
from wengert.layers import LinearLayer, relu, sum

# A seed with which all three outputs stay positive, so each step lowers the loss by
# 3 * 0.01 * (1² + 2² + 3²) = 0.42.
SEED = 16

# Tensors exist only inside a record; parameters outlive it here.
store = ParameterStore()
rng = Rng(SEED)

for _ in range(5):
    with ComputationRecord(rng=rng) as rec:
        # The first record draws the weights, the later ones find them in the store.
        linear = LinearLayer(rec, 3, 3, store)

        data = np.array([1, 2, 3], dtype=np.float32)
        x = rec.tensor_from_value(data.reshape(1, 3))

        output = linear.forward(x)
        loss = sum(relu(output))
        print("Loss:", debug(loss.data()))

        grad = loss.grad()
        print("Relu grad:", debug(grad.wrt(output).data()))
        print()
        linear.optimize(grad, store)
