"""A Keras model, until it is a file: assembled layers, folding, quantising, conversion. Needs Keras."""
