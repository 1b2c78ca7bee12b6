"""Prove that a file computes what its model does: exact arithmetic, tolerances, weights. Needs TensorFlow."""
