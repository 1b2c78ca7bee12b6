"""Running a .tflite file: in which runtime, with which delegate, in which process."""
