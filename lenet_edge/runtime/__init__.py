"""Reading digits with a .tflite file: one digit or a string. Never imports TensorFlow by itself."""
