"""Train a classifier of handwritten digits: what a training loop looks like.

Two linear layers, minibatches, gradient descent. Prints the same lines as main.rs, and
writes the loss curve to digits-loss.png if matplotlib is installed.
"""

import sys
from pathlib import Path

import numpy as np
from wengert import ComputationRecord, ParameterStore, Rng
from wengert.layers import LinearLayer, Sequential, relu, softmax_cross_entropy

SEED, EPOCHS, BATCH, RATE, TESTED = 7, 40, 32, 0.2, 360


def classifier(rec: ComputationRecord, store: ParameterStore) -> Sequential:
    """Make the layers for a record: they read their parameters from the store."""
    return Sequential(
        LinearLayer(rec, 64, 32, store, name="hidden", bias=True, rate=RATE),
        relu,
        LinearLayer(rec, 32, 10, store, name="output", bias=True, rate=RATE),
    )


def show_progress(text: str) -> None:
    """Update a line on a terminal; elsewhere say nothing."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)


def draw(losses: list[float]) -> None:
    """Write the loss curve as a picture, if matplotlib is installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.semilogy(range(1, len(losses) + 1), losses)
    axes.set(xlabel="epoch", ylabel="training loss", title="Handwritten digits")
    axes.grid(alpha=0.3)
    figure.savefig("digits-loss.png", dpi=120)
    print("wrote digits-loss.png", file=sys.stderr)


def main() -> None:
    """Train, and report the loss and the accuracy on images not trained with."""
    table = np.loadtxt(Path(__file__).parent / "digits.csv", delimiter=",", dtype=int)
    images, labels = (table[:, :64] / 16).astype(np.float32), table[:, 64]
    rng = Rng(SEED)
    order = rng.permutation(len(table))
    tested, trained = order[:TESTED], order[TESTED:]

    store, losses = ParameterStore(), []
    rec = ComputationRecord(rng=rng)
    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        shuffled = trained[rng.permutation(len(trained))]
        for start in range(0, len(shuffled), BATCH):
            rows = shuffled[start : start + BATCH]
            with rec:
                model = classifier(rec, store)
                logits = model(rec.constant(images[rows]))
                loss = softmax_cross_entropy(logits, labels[rows])
                total += loss.item() * len(rows)
                model.optimize(loss.grad(), store)
            done = start + len(rows)
            show_progress(f"epoch {epoch:2}  {done}/{len(shuffled)} images")
        losses.append(total / len(shuffled))
        if epoch % 5 == 0:
            with rec:
                guesses = classifier(rec, store)(rec.constant(images[tested])).data()
            accuracy = np.mean(guesses.argmax(axis=-1) == labels[tested])
            show_progress("")
            print(
                f"epoch {epoch:2}  loss {losses[-1]:.4f}  test accuracy {accuracy:.4f}"
            )
    draw(losses)


if __name__ == "__main__":
    main()
