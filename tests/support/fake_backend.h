#pragma once
// A device that costs nothing and can be told to be slow or to fail. Unless told to calculate something else it
// "detects" one object whose width says what was in the row's first input value, so a test can tell which frame a
// result belongs to.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "models/spec/frame_result.h"
#include "pipeline/backend/backend.h"
#include "pipeline/backend/core_list.h"
#include "pipeline/backend/device.h"
#include "postprocess/decode/boxes/yolox.h"
#include "tests/support/decoder_of.h"

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
  YoloxDecoder decoder;
  decoder.output = "detections";
  decoder.strides = {8};
  decoder.rules.threshold = 0.1F;
  set_decoder(spec, decoder);
  spec.labels = {"thing"};
  return spec;
}

/// What a fake device calculates for one row, and the shapes that come out of it.
struct FakeNetwork {
  std::function<std::vector<Shape>(const ModelSpec& spec)> shapes;  ///< of all rows together
  std::function<void(TensorView input, std::span<const MutableTensorView> outputs)> run;
};

inline FakeNetwork one_detection() {
  return {[](const ModelSpec& spec) {
            return std::vector<Shape>{{spec.input.batch, 1, 6}};
          },
          [](TensorView input, std::span<const MutableTensorView> outputs) {
            const float width = std::max(input.as<float>()[0], 1.0F) / kFakeRange;
            // Centre, log of the extent (both in cells), objectness, the only class: a box from the left edge, full
            // height.
            const float values[] = {width / 2, 0.5F, std::log(width), 0, 0.9F, 1};
            std::ranges::copy(values, outputs[0].as<float>().begin());
          }};
}

struct FakeOptions {
  std::uint32_t cores = 2;
  /// Called on the worker before a run; may sleep to be slow. Its failure is that of the run.
  std::function<Result<void>(CoreId core, std::uint64_t run, std::uint32_t frames)> on_run;
  FakeNetwork network = one_detection();
};

class FakeBackend final : public InferenceBackend {
 public:
  explicit FakeBackend(FakeOptions options) : device_(std::make_shared<Device>(std::move(options))) {}
  /// Serves tensors of this spec alone.
  FakeBackend(FakeOptions options, ModelSpec spec)
      : device_(std::make_shared<Device>(std::move(options))), spec_(std::move(spec)) {}

  std::string_view name() const override { return "fake"; }
  std::vector<CoreId> cores() const override {
    std::vector<CoreId> ids;
    for (CoreId i = 0; i < device_->options.cores; ++i) ids.push_back(i);
    return ids;
  }
  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    if (spec_) {
      if (auto same = check_same_tensors(*spec_, spec); !same) return same.error();
    }
    return std::unique_ptr<Slot>(std::make_unique<FakeSlot>(spec, core, device_));
  }
  Result<void> restore(CoreId) override { return {}; }

 private:
  struct Device {
    explicit Device(FakeOptions o) : options(std::move(o)) {}
    FakeOptions options;
    std::atomic<std::uint64_t> runs = 0;
  };

  /// Floats on a cache line, as backends hand them out.
  class Tensor {
   public:
    explicit Tensor(const Shape& shape) : lines_((shape.elements() + kPerLine - 1) / kPerLine), shape_(shape) {}
    MutableTensorView view() const {
      return {const_cast<std::byte*>(reinterpret_cast<const std::byte*>(lines_.data())), DType::kF32, shape_};
    }

   private:
    static constexpr std::size_t kPerLine = 16;
    struct alignas(64) Line {
      float values[kPerLine] = {};
    };
    std::vector<Line> lines_;
    Shape shape_;
  };

  class FakeSlot final : public Slot {
   public:
    FakeSlot(const ModelSpec& spec, CoreId core, std::shared_ptr<Device> device)
        : core_(core), device_(std::move(device)), input_(spec.input.shape()) {
      for (const Shape& shape : device_->options.network.shapes(spec)) outputs_.emplace_back(shape);
      row_.resize(outputs_.size());
    }
    MutableTensorView input() override { return input_.view(); }
    TensorView output(std::size_t i) const override { return outputs_[i].view(); }

    Result<void> run(std::uint32_t frames) override {
      const FakeOptions& options = device_->options;
      if (options.on_run) {
        if (auto ok = options.on_run(core_, device_->runs++, frames); !ok) return ok;
      }
      for (std::size_t r = 0; r < frames; ++r) {
        for (std::size_t i = 0; i < row_.size(); ++i) row_[i] = outputs_[i].view().row(r);
        options.network.run(input_.view().row(r), row_);
      }
      return {};
    }

   private:
    CoreId core_;
    std::shared_ptr<Device> device_;
    Tensor input_;
    std::vector<Tensor> outputs_;
    std::vector<MutableTensorView> row_;
  };

  std::shared_ptr<Device> device_;
  std::optional<ModelSpec> spec_;
};

/// "fake": every model is there, as it is. For add_device().
class FakeDevice : public Device {
 public:
  explicit FakeDevice(FakeOptions options, std::string_view name = "fake")
      : Device(name, {}), options_(std::move(options)) {}

  DeviceInfo describe() const override { return {name(), "of the tests", true, options_.cores}; }
  bool is_automatic() const override { return false; }
  bool can(const ModelSpec&) const override { return true; }
  std::string command_for(const ModelSpec&) const override { return {}; }
  Result<ModelSpec> resolve(const ModelSpec& original, const ModelWishes& wishes) const override {
    return as_wished(original, wishes);
  }
  Result<BackendOptions> options_for(std::string_view cores) const override {
    auto list = parse_core_list(cores, options_.cores);
    if (!list) return list.error();
    return BackendOptions{.cores = std::move(*list)};
  }
  Result<std::unique_ptr<InferenceBackend>> open(const ModelSpec&, const BackendOptions&) const override {
    return std::unique_ptr<InferenceBackend>(std::make_unique<FakeBackend>(options_));
  }

 private:
  const FakeOptions options_;
};

/// The value that a result's frame had, 0 if it found nothing.
inline int fake_value(const FrameResult& result) {
  return result.detections.size() == 1 ? static_cast<int>(std::lround(result.detections[0].box.width * kFakeRange)) : 0;
}

}  // namespace posecam::test
