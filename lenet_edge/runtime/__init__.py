"""Read one digit or a string of digits with a .tflite file. TensorFlow only if asked for."""
