#pragma once
// A device that costs nothing and can be told to be slow or to fail. It "detects" one object whose width says what was
// in the row's first input value, so a test can tell which frame a result belongs to.

#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "pipeline/backend.h"

namespace posecam::test {

inline constexpr float kFakeRange = 4096;  ///< inputs are whole numbers in [1, kFakeRange)

/// 8x8 pixel f32 input, one YOLOX cell.
inline ModelSpec fake_model(int batch) {
  ModelSpec spec;
  spec.name = "fake";
  spec.task = Task::kDetection;
  spec.input.name = "data";
  spec.input.size = {8, 8};
  spec.input.batch = batch;
  spec.input.resize = ResizeRule::kStretch;
  spec.outputs = {"detections"};
  spec.decoder = YoloxDecoder{.output = "detections", .strides = {8}, .threshold = 0.1F};
  spec.labels = {"thing"};
  return spec;
}

struct FakeOptions {
  std::uint32_t cores = 2;
  /// Called on the worker before a run; may sleep to be slow. Its failure is that of the run.
  std::function<Result<void>(CoreId core, std::uint64_t run, std::uint32_t frames)> on_run;
};

class FakeSlot final : public Slot {
 public:
  FakeSlot(const ModelSpec& spec, CoreId core, const FakeOptions& options, std::atomic<std::uint64_t>& runs)
      : core_(core),
        options_(options),
        runs_(runs),
        input_(spec.input.shape().elements()),
        input_shape_(spec.input.shape()),
        output_(static_cast<std::size_t>(spec.input.batch) * kValues) {}

  MutableTensorView input() override {
    return {reinterpret_cast<std::byte*>(input_.data()), DType::kF32, input_shape_};
  }

  TensorView output(std::size_t) const override {
    return {reinterpret_cast<const std::byte*>(output_.data()), DType::kF32, {input_shape_[0], 1, kValues}};
  }

  Result<void> run(std::uint32_t frames) override {
    if (options_.on_run) {
      if (auto ok = options_.on_run(core_, runs_++, frames); !ok) return ok;
    }
    const std::size_t row = input_.size() / static_cast<std::size_t>(input_shape_[0]);
    for (std::size_t r = 0; r < static_cast<std::size_t>(input_shape_[0]); ++r) {
      const float width = input_[r * row] / kFakeRange;
      // Centre, log of the extent (both in cells), objectness, the only class: a box from the left edge, full height.
      const float values[kValues] = {width / 2, 0.5F, std::log(width), 0, 0.9F, 1};
      std::copy(std::begin(values), std::end(values), output_.begin() + static_cast<std::ptrdiff_t>(r * kValues));
    }
    return {};
  }

 private:
  static constexpr int kValues = 6;
  CoreId core_;
  const FakeOptions& options_;
  std::atomic<std::uint64_t>& runs_;
  std::vector<float> input_;
  Shape input_shape_;
  std::vector<float> output_;
};

class FakeBackend final : public InferenceBackend {
 public:
  explicit FakeBackend(FakeOptions options) : options_(std::move(options)) {}
  std::string_view name() const override { return "fake"; }
  std::vector<CoreId> cores() const override {
    std::vector<CoreId> ids;
    for (CoreId i = 0; i < options_.cores; ++i) ids.push_back(i);
    return ids;
  }
  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    return std::unique_ptr<Slot>(std::make_unique<FakeSlot>(spec, core, options_, runs_));
  }

 private:
  FakeOptions options_;
  std::atomic<std::uint64_t> runs_ = 0;
};

/// The value that a result's frame had, 0 if it found nothing.
inline int fake_value(const FrameResult& result) {
  return result.detections.size() == 1 ? static_cast<int>(std::lround(result.detections[0].box.width * kFakeRange)) : 0;
}

}  // namespace posecam::test
