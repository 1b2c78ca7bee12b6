"""What is released with the package: weights, .tflite files, their manifest and layouts."""
