// Stands in for tensorflow/lite/micro/system_setup.h of tflite-micro: see the README of this folder.
#ifndef STUB_SYSTEM_SETUP_H_
#define STUB_SYSTEM_SETUP_H_

namespace tflite {

inline void InitializeTarget() {}

}  // namespace tflite

#endif  // STUB_SYSTEM_SETUP_H_
