"""LeNet-5 as printed: its layers, codes, losses and models. Needs Keras, except `codes`."""
