"""Everything done to a Keras model before it is a file: fold, quantise, convert. Needs Keras."""
