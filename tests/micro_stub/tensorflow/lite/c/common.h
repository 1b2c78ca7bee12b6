// Stands in for tensorflow/lite/c/common.h of tflite-micro: see the README of this folder.
#ifndef STUB_COMMON_H_
#define STUB_COMMON_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>

typedef enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;

typedef union TfLitePtrUnion {
  std::int8_t* int8;
} TfLitePtrUnion;

typedef struct TfLiteTensor {
  TfLitePtrUnion data;
} TfLiteTensor;

// Not of tflite-micro: whether the test wants `call` to fail.
inline bool StubFails(const char* call) {
  const char* wanted = std::getenv("STUB_FAILS");
  return wanted != nullptr && std::strcmp(wanted, call) == 0;
}

#endif  // STUB_COMMON_H_
