#include "pipeline/cpu/opencv_backend.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>

#include "models/core/file.h"
#include "models/core/stage_log.h"
#include "models/core/text.h"
#include "pipeline/cpu/onnx_file.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/cpu/openvino_backend.h"
#endif

namespace posecam {
namespace {

/// cv::Exception::err is for people, on one line or several; what() carries source positions.
template <class Body>
auto shielded(Errc code, const std::string& where, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const cv::Exception& e) {
    return Error{code, fmt::format("{}: {}", where, joined_lines(e.err))};
  } catch (const std::exception& e) {
    return Error{code, fmt::format("{}: {}", where, e.what())};
  }
}

cv::dnn::Net read_network(const std::filesystem::path& weights) {
  cv::dnn::Net net = cv::dnn::readNetFromONNX(weights.string());
  net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
  net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  return net;
}

/// OpenCV's importer trusts a file: on damaged ones, and on tensors that lie in other files, it crashes. So it gets
/// only what was read by others before.
Result<void> check_file(const std::filesystem::path& weights) {
  const auto about = [&](const std::string& why) {
    return Error{Errc::kModel, fmt::format("{}: {}", weights.string(), why)};
  };
  const auto bytes = read_file(weights, kMostOnnxBytes, Readable::kFile);
  if (!bytes) return about(bytes.error().message);
  const auto others = external_data(*bytes);
  if (!others) return about(others.error().message);
  if (!others->empty()) {
    return about(fmt::format("has tensors in other files ({}), which device opencv does not read: save it as one file",
                             short_line(others->front())));
  }
#ifdef POSECAM_HAVE_OPENVINO
  return check_openvino_reads(weights);
#else
  return {};
#endif
}

class OpenCvSlot final : public Slot {
 public:
  OpenCvSlot(const cv::dnn::Net& net, const ModelSpec& spec, CoreId core)
      : core_(static_cast<std::int32_t>(core)), net_(net), spec_(spec) {
    const Shape shape = spec.input.shape();
    std::vector<int> dims;
    for (std::size_t i = 0; i < shape.rank(); ++i) dims.push_back(static_cast<int>(shape[i]));
    input_ = cv::Mat(dims, CV_32F, cv::Scalar(0));
    for (const std::string& name : spec.outputs) names_.emplace_back(name);
    input_view_ = {reinterpret_cast<std::byte*>(input_.data), DType::kF32, shape};
  }

  MutableTensorView input() override { return input_view_; }
  TensorView output(std::size_t index) const override { return views_[index]; }

  Result<void> run(std::uint32_t frames) override {
    return shielded(Errc::kDevice, "device opencv", [&]() -> Result<void> {
      StageLaps laps(frames, core_);
      net_.setInput(input_, spec_.input.name);
      laps.lap(Stage::kToDevice);
      net_.forward(outputs_, names_);
      laps.lap(Stage::kExecute);
      return view_outputs();
    });
  }

 private:
  /// Whoever reads them takes row by row, with the batch outermost: a network that was made for one frame may have
  /// fewer.
  Result<void> view_outputs() {
    views_.clear();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const cv::Mat& m = outputs_[i];
      if (m.type() != CV_32F || !m.isContinuous() || m.dims > static_cast<int>(Shape::kMaxRank)) {
        return Error{Errc::kModel, fmt::format("model {}: output '{}' is not dense f32", spec_.name, spec_.outputs[i])};
      }
      const std::vector<std::int64_t> dims(m.size.p, m.size.p + m.dims);
      const Shape shape(dims);
      if (shape.rank() < 1 || shape[0] != spec_.input.batch) {
        return Error{Errc::kModel, fmt::format("model {}: output '{}' has shape {}, expected batch {} first",
                                               spec_.name, spec_.outputs[i], to_string(shape), spec_.input.batch)};
      }
      views_.push_back({reinterpret_cast<const std::byte*>(m.data), DType::kF32, shape});
    }
    return {};
  }

  const std::int32_t core_;
  cv::dnn::Net net_;
  ModelSpec spec_;
  cv::Mat input_;
  MutableTensorView input_view_;
  std::vector<cv::String> names_;
  std::vector<cv::Mat> outputs_;
  std::vector<TensorView> views_;
};

class OpenCvBackend final : public InferenceBackend {
 public:
  OpenCvBackend(ModelSpec spec, std::filesystem::path weights, std::vector<CoreId> cores)
      : spec_(std::move(spec)), weights_(std::move(weights)), cores_(std::move(cores)) {}

  std::string_view name() const override { return "opencv"; }
  std::vector<CoreId> cores() const override { return cores_; }

  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    if (auto same = check_same_tensors(spec_, spec); !same) return same.error();
    return shielded(Errc::kModel, weights_.string(), [&]() -> Result<std::unique_ptr<Slot>> {
      auto slot = std::make_unique<OpenCvSlot>(read_network(weights_), spec, core);
      // A first run finds out what does not fit before any frame comes, and warms the buffers up.
      if (auto ran = slot->run(0); !ran) {
        const char* const remedy = spec.input.batch > 1 ? "; it may be a network of one frame: use a batch of 1" : "";
        return Error{Errc::kModel, ran.error().message + remedy};
      }
      return std::unique_ptr<Slot>(std::move(slot));
    });
  }

 private:
  ModelSpec spec_;
  std::filesystem::path weights_;
  std::vector<CoreId> cores_;
};

Result<void> check(const ModelSpec& spec, cv::dnn::Net& net) {
  if (spec.input.dtype != DType::kF32) {
    return Error{Errc::kModel, fmt::format("model {}: device opencv takes f32 inputs only", spec.name)};
  }
  try {
    net.setInput(cv::Mat::zeros(1, 1, CV_32F), spec.input.name);
  } catch (const cv::Exception&) {  // 4.6 has no list of the names that exist
    return Error{Errc::kModel, fmt::format("model {}: the network has no input '{}'", spec.name, spec.input.name)};
  }
  std::vector<std::string> names;
  for (const cv::String& name : net.getUnconnectedOutLayersNames()) names.push_back(name);
  for (const std::string& wanted : spec.outputs) {
    if (std::ranges::find(names, wanted) == names.end()) {
      return Error{Errc::kModel, fmt::format("model {}: the network has no output '{}', only: {}; device opencv cuts "
                                             "no network at inner tensors, openvino does",
                                             spec.name, wanted, fmt::join(names, ", "))};
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<InferenceBackend>> make_opencv_backend(const ModelSpec& spec,
                                                              const std::filesystem::path& weights,
                                                              const BackendOptions& options) {
  using Made = Result<std::unique_ptr<InferenceBackend>>;
  return shielded(Errc::kModel, weights.string(), [&]() -> Made {
    if (auto good = check_file(weights); !good) return good.error();
    cv::dnn::Net net = read_network(weights);
    if (auto fits = check(spec, net); !fits) return fits.error();
    const bool latency = options.scheduling == Scheduling::kLatency;
    auto cores = options.cores;
    if (latency) cores.resize(1);
    cv::setNumThreads(latency ? static_cast<int>(options.cores.size()) : 1);
    return std::unique_ptr<InferenceBackend>(std::make_unique<OpenCvBackend>(spec, weights, std::move(cores)));
  });
}

DeviceInfo describe_opencv(CoreId cores) { return {"opencv", "OpenCV dnn " CV_VERSION, true, cores}; }

}  // namespace posecam
