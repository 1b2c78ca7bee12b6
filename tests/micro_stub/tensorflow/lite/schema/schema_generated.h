// Stands in for tensorflow/lite/schema/schema_generated.h of tflite-micro: see the README of this folder.
#ifndef STUB_SCHEMA_GENERATED_H_
#define STUB_SCHEMA_GENERATED_H_

#include <cstdint>

#include "tensorflow/lite/c/common.h"

namespace tflite {

class Model {
 public:
  std::uint32_t version() const { return StubFails("GetModel") ? 2 : 3; }
};

inline const Model* GetModel(const void*) {
  static const Model model;
  return &model;
}

}  // namespace tflite

#endif  // STUB_SCHEMA_GENERATED_H_
