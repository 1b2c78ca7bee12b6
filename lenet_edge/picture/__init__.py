"""Turn a page into a model's input: find the ink, the digit or the line, and normalise it as in MNIST."""
