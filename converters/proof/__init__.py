"""Is a file its model? Exact arithmetic, tolerances from scales, comparison of weights. Needs TensorFlow."""
