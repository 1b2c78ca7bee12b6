// Stands in for tensorflow/lite/micro/micro_mutable_op_resolver.h of tflite-micro: see the README of this folder.
#ifndef STUB_MICRO_MUTABLE_OP_RESOLVER_H_
#define STUB_MICRO_MUTABLE_OP_RESOLVER_H_

#include "tensorflow/lite/c/common.h"

namespace tflite {

// tensorflow/lite/micro/micro_op_resolver.h
class MicroOpResolver {};

template <unsigned int tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddConv2D() { return Add("AddConv2D"); }
  TfLiteStatus AddDepthwiseConv2D() { return Add("AddDepthwiseConv2D"); }
  TfLiteStatus AddFullyConnected() { return Add("AddFullyConnected"); }
  TfLiteStatus AddSoftmax() { return Add("AddSoftmax"); }
  TfLiteStatus AddTanh() { return Add("AddTanh"); }

 private:
  // As the real one, it refuses one operator more than it has room for.
  TfLiteStatus Add(const char* call) {
    return StubFails(call) || ++added_ > tOpCount ? kTfLiteError : kTfLiteOk;
  }

  unsigned int added_ = 0;
};

}  // namespace tflite

#endif  // STUB_MICRO_MUTABLE_OP_RESOLVER_H_
