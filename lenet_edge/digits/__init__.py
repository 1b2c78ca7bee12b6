"""Pictures of digits: sizes, IDX files, MNIST, synthetic strings. NumPy only."""
