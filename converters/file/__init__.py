"""Read, check, describe, lay out and rewrite the bytes of a .tflite file. Needs NumPy and the schema only."""
