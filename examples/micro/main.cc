// Reads digits on a microcontroller with TensorFlow Lite Micro: checks itself by the golden sample, then reads a
// picture of its own. Nothing is allocated but the arena. See docs/microcontroller.md.
//
// lenet5_micro.h and lenet5_micro.cc are made by:
//   lenet-edge convert --model lenet5 --target micro --out examples/micro/generated

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "lenet5_micro.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

namespace model = lenet5_micro;

// Exactly the model's operators, as the header counts them: a kernel that is not named is not linked.
using Resolver = tflite::MicroMutableOpResolver<model::kOperatorCount>;

static_assert(std::is_same<model::InputType, std::int8_t>::value, "the file of --target micro");
static_assert(std::is_same<model::OutputType, std::int8_t>::value, "the file of --target micro");

constexpr int kSide = model::kInputDimensions[1];
constexpr int kDigits = static_cast<int>(model::kOutputLength);

// The header's size is of the reference kernels. Optimised ones may want scratch memory: if AllocateTensors()
// fails, raise kMoreBytes until it does not.
constexpr std::size_t kMoreBytes = 0;
alignas(16) std::uint8_t arena[model::kArenaBytes + kMoreBytes];

// A score s, -128 to 127, is the probability (s + 128) / 256.
int In256ths(std::int8_t score) { return score - model::kOutputZeroPoint; }

// Runs the model on what lies in its input. Returns its ten scores, or nullptr.
const std::int8_t* Scores(tflite::MicroInterpreter& interpreter) {
  if (interpreter.Invoke() != kTfLiteOk) {
    MicroPrintf("Invoke() failed");
    return nullptr;
  }
  return interpreter.output(0)->data.int8;
}

// Reads a picture of 32x32 pixels, row by row, 0 for paper to 255 for ink. Returns its ten scores, or nullptr.
const std::int8_t* Read(tflite::MicroInterpreter& interpreter, const std::uint8_t* pixels) {
  std::int8_t* input = interpreter.input(0)->data.int8;
  for (std::size_t i = 0; i < model::kInputLength; ++i) {
    input[i] = static_cast<std::int8_t>(pixels[i] + model::kInputZeroPoint);
  }
  return Scores(interpreter);
}

// The digit of the highest score.
int Digit(const std::int8_t* scores) {
  int best = 0;
  for (int digit = 1; digit < kDigits; ++digit) {
    if (scores[digit] > scores[best]) best = digit;
  }
  return best;
}

// Runs the sample of the header. True when each score is within its limits; the reference kernels give
// kSampleOutput itself.
bool SamplePasses(tflite::MicroInterpreter& interpreter) {
  std::memcpy(interpreter.input(0)->data.int8, model::kSampleInput, model::kInputLength);
  const std::int8_t* scores = Scores(interpreter);
  if (scores == nullptr) return false;
  int outside = 0;
  int others = 0;
  for (int digit = 0; digit < kDigits; ++digit) {
    if (scores[digit] < model::kSampleLow[digit] || scores[digit] > model::kSampleHigh[digit]) ++outside;
    if (scores[digit] != model::kSampleOutput[digit]) ++others;
  }
  MicroPrintf("golden sample: %d of %d scores differ, %d outside their limits", others, kDigits, outside);
  return outside == 0;
}

// A picture of one's own: a stroke from top to bottom, as a touch screen may give it.
void DrawOne(std::uint8_t* pixels) {
  std::memset(pixels, 0, model::kInputLength);
  for (int row = 6; row < 26; ++row) {
    pixels[row * kSide + 15] = pixels[row * kSide + 16] = 255;
    pixels[row * kSide + 14] = pixels[row * kSide + 17] = 96;
  }
}

// Makes everything ready, says how much memory it took. True when the model can run.
bool Ready(tflite::MicroInterpreter& interpreter) {
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    MicroPrintf("AllocateTensors() failed: an arena of %d bytes is too small", static_cast<int>(sizeof(arena)));
    return false;
  }
  MicroPrintf("model: %d bytes, arena: %d of %d bytes used", static_cast<int>(model::kModelLength),
              static_cast<int>(interpreter.arena_used_bytes()), static_cast<int>(sizeof(arena)));
  return true;
}

}  // namespace

int main() {
  tflite::InitializeTarget();
  const tflite::Model* file = tflite::GetModel(model::kModel);
  if (file->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("expected a model of version %d, got %d", TFLITE_SCHEMA_VERSION,
                static_cast<int>(file->version()));
    return 1;
  }
  // Static, so that the linker counts them and the stack stays small.
  static Resolver resolver;
  if (!model::AddOperators(resolver)) {
    MicroPrintf("the resolver refused an operator");
    return 1;
  }
  static tflite::MicroInterpreter interpreter(file, resolver, arena, sizeof(arena));
  if (!Ready(interpreter)) return 1;
  const bool passes = SamplePasses(interpreter);
  MicroPrintf(passes ? "PASS" : "FAIL");
  if (!passes) return 1;

  static std::uint8_t picture[model::kInputLength];  // fill it from a camera or a touch screen
  DrawOne(picture);
  const std::int8_t* scores = Read(interpreter, picture);
  if (scores == nullptr) return 1;
  const int digit = Digit(scores);
  MicroPrintf("the drawn 1 is read as %d, probability %d/256", digit, In256ths(scores[digit]));
  return 0;
}
