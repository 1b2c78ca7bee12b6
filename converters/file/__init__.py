"""A .tflite file's bytes: read, checked, described, laid out, rewritten. NumPy and the schema only."""
