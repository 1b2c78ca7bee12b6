"""Any Keras 2 model to TensorFlow Lite: fold, convert, describe, compare."""
