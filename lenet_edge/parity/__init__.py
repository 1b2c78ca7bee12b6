"""Parity: compare every released file in every runtime with the original model, on the test digits."""

from lenet_edge.parity.command import main

__all__ = ["main"]
