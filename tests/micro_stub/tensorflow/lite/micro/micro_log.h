// Stands in for tensorflow/lite/micro/micro_log.h of tflite-micro: see the README of this folder.
#ifndef STUB_MICRO_LOG_H_
#define STUB_MICRO_LOG_H_

#include <cstdarg>
#include <cstdio>

// The real one ends the line, too, and prints to standard error on a desktop.
inline void MicroPrintf(const char* format, ...) {
  va_list values;
  va_start(values, format);
  std::vfprintf(stderr, format, values);
  va_end(values);
  std::fputs("\r\n", stderr);
}

#endif  // STUB_MICRO_LOG_H_
