"""Run a .tflite file in any runtime, with any delegate, in this process or another."""
