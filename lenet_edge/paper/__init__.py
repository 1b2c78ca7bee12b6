"""LeNet-5 as printed: its layers, codes, losses and models. Needs Keras; `codes` does not."""
