"""The seed's design problem: x changes while z, computed from it, is in use.

Here x lives in a store and z in a record, so updating one cannot disturb the other.
"""

from wengert import ComputationRecord, ParameterStore

store = ParameterStore({"x": [2.0], "y": [3.0]})
rec = ComputationRecord()

for _ in range(2):
    x = rec.tensor_from_value(store["x"])
    y = rec.tensor_from_value(store["y"])
    z = x * y
    # A gradient is a value: there is nothing to zero, and nothing holds on to x.
    x_grad = z.grad().wrt(x)
    print(f"x_grad = {x_grad.item():.4f}")
    store["x"] = store["x"] - 0.1 * x_grad.data()
    print(f"x = {store['x'].item():.4f}")

# z is what it was when it was recorded: 1.7 · 3, although x is 1.4 by now.
print(f"z = {z.item():.4f}")
