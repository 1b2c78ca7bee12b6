"""The released weights and .tflite files: their names, manifest and layouts."""
