"""The benchmark: this package beside NumPy, autograd, JAX and PyTorch."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
