// Any text as a model descriptor: a spec whose promises hold, or an error that names the file.

#include <cmath>

#include "models/spec/model_spec.h"
#include "postprocess/decode/decoder.h"
#include "postprocess/decode/decoders.h"
#include "tests/fuzz/fuzz_input.h"

namespace posecam::fuzz {
namespace {

void check_error(const Error& error, std::string_view where) {
  expect(error.code == Errc::kModel, "a bad descriptor is kModel:", error.message);
  expect(error.message.starts_with(where), "the message names the file:", error.message);
  expect(!error.message.ends_with('.') || error.message.ends_with("..."), "no full stop:", error.message);
  expect(error.message.find('\n') == std::string::npos, "a message is one line:", error.message);
}

void check_input(const InputSpec& input) {
  for (const int side : {input.size.width, input.size.height}) {
    expect(side >= 8 && side <= 4096, "a side of the input is out of range");
    expect(input.multiple_of == 0 || side % input.multiple_of == 0, "a side is no multiple");
  }
  expect(input.batch >= 1 && input.shape().elements() <= std::size_t{1} << 28U, "the input is too large");
  for (std::size_t c = 0; c < 3; ++c) {
    expect(std::isfinite(input.mean[c]) && std::isfinite(input.scale[c]) && input.scale[c] > 0, "mean or scale");
  }
  expect(input.pad_value >= 0 && input.pad_value <= 255, "pad_value");
}

void check_files(const ModelSpec& spec) {
  expect(!spec.weights.empty(), "a spec without weights");
  for (const BackendWeights& weights : spec.weights) {
    expect(spec.weights_for(weights.backend) == &weights, "each backend once");
    expect(!weights.files.empty(), "weights without files");
    for (const WeightFile& file : weights.files) {
      expect(file.name.find('/') == std::string::npos && !file.name.starts_with('.'), "file name", file.name);
      expect(!file.mirror_path.starts_with('/') && file.mirror_path.find("..") != 0 &&
                 file.mirror_path.find("/../") == std::string::npos,
             "a mirror path stays in the mirror:", file.mirror_path);
      expect(file.bytes > 0 && file.sha256.size() == 64, "size or checksum");
    }
  }
}

void check_resolution(const ModelSpec& spec) {
  const auto same = spec.at_resolution(spec.input.size);
  expect(same && same->input.size == spec.input.size, "the model's own resolution is allowed");
  for (const Size size : {Size{0, 0}, Size{-8, 8}, Size{64, 64}, Size{4096, 4096}, Size{1 << 30, 8}}) {
    if (const auto other = spec.at_resolution(size)) check_input(other->input);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = ModelSpec::parse(text, "descriptor.json", decoders());
  if (!spec) {
    check_error(spec.error(), "descriptor.json: ");
    return 0;
  }
  check_input(spec->input);
  check_files(*spec);
  check_resolution(*spec);
  for (std::size_t i = 0; i < spec->outputs.size(); ++i) {
    const auto index = spec->output_index(spec->outputs[i]);
    expect(index && *index == i, "an output is found under its name");
  }
  expect((spec->task == Task::kPose) == (spec->skeleton != nullptr), "a pose model has a skeleton");
  expect((spec->task == Task::kDetection) == !spec->labels.empty(), "a detection model has labels");
  if (const auto decoder = spec->decoder->make(*spec, {}); !decoder) {
    expect(decoder.error().code == Errc::kModel, "without a user's options only the model can be wrong");
  }
  return 0;
}

}  // namespace posecam::fuzz
