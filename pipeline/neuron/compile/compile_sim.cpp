#include "pipeline/neuron/compile/compile_sim.h"

#include <algorithm>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <opencv2/core/utils/logger.hpp>

#include "models/core/file.h"
#include "models/core/sha256.h"
#include "models/store/store.h"
#include "pipeline/neuron/neff/sim_program.h"
#include "pipeline/output/result_file.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/cpu/openvino_backend.h"
#else
#include "pipeline/cpu/opencv_backend.h"
#endif

namespace posecam {
namespace {

namespace fs = std::filesystem;

// The library that the simulator of this build calculates with: what is compiled here runs there.
#ifdef POSECAM_HAVE_OPENVINO
constexpr std::string_view kCalculator = "openvino";

Result<std::unique_ptr<InferenceBackend>> make_calculator(const ModelSpec& spec, const fs::path& weights,
                                                          const BackendOptions& options) {
  return make_openvino_backend(spec, weights, options);
}
#else
constexpr std::string_view kCalculator = "opencv";

Result<std::unique_ptr<InferenceBackend>> make_calculator(const ModelSpec& spec, const fs::path& weights,
                                                          const BackendOptions& options) {
  return make_opencv_backend(spec, weights, options);
}
#endif

/// While it lives OpenCV does not log what it throws as well.
class QuietOpenCv {
 public:
  QuietOpenCv() = default;
  QuietOpenCv(const QuietOpenCv&) = delete;
  QuietOpenCv& operator=(const QuietOpenCv&) = delete;
  ~QuietOpenCv() { cv::utils::logging::setLogLevel(before_); }

 private:
  cv::utils::logging::LogLevel before_ = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
};

Result<std::string> bytes_of(const fs::path& path, std::size_t most) {
  auto bytes = read_file(path, most, Readable::kFile);
  if (bytes) return bytes;
  return Error{Errc::kModel, fmt::format("{}: cannot be read: {}", path.string(), bytes.error().message)};
}

/// Files that get their names together: until then what was there stays, and works.
class Files {
 public:
  Files() = default;
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() {
    for (ResultFile& file : files_) file.discard();
  }

  Result<void> write(const fs::path& path, std::string_view bytes) {
    auto file = ResultFile::create(path.string());
    if (!file) return file.error();
    return files_.emplace_back(std::move(*file)).write(bytes);
  }
  /// In the order of writing.
  Result<void> commit() {
    for (; !files_.empty(); files_.erase(files_.begin())) {
      if (auto done = files_.front().commit(); !done) return done;
    }
    return {};
  }

 private:
  std::vector<ResultFile> files_;
};

/// The shapes of one row's outputs, as the network itself gives them.
Result<std::vector<Shape>> output_shapes(const ModelSpec& spec, const fs::path& weights) {
  const BackendOptions options{.cores = {0}, .precision = Precision::kF32, .scheduling = Scheduling::kLatency};
  const QuietOpenCv quiet;
  auto device = make_calculator(spec, weights, options);
  if (!device) return device.error();
  auto slot = (*device)->make_slot(spec, (*device)->cores().front());
  if (!slot) return slot.error();
  const MutableTensorView input = (*slot)->input();
  std::memset(input.data, 0, input.bytes());
  if (auto run = (*slot)->run(1); !run) return run.error();
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < spec.outputs.size(); ++i) shapes.push_back((*slot)->output(i).shape);
  return shapes;
}

SimProgram program_for(const ModelSpec& spec, const std::vector<Shape>& outputs, std::uint32_t batch,
                       const SimCompileOptions& options) {
  SimProgram program;
  program.batch = batch;
  program.cores = options.cores_per_model;
  program.time = options.time;
  const DType input_type = spec.input.dtype == DType::kU8 ? DType::kU8 : options.dtype;
  const auto batched = [batch](Shape shape) {
    shape[0] = batch;
    return shape;
  };
  program.inputs.push_back({spec.input.name, input_type, batched(spec.input.shape())});
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    program.outputs.push_back({spec.outputs[i], options.dtype, batched(outputs[i])});
  }
  return program;
}

/// The model's own descriptor, with the NEFFs for weights.
Result<std::string> descriptor(const ModelSpec& spec, const SimCompileOptions& options,
                               const std::vector<WeightFile>& files) {
  const auto text = bytes_of(spec.path, kMostDescriptorBytes);
  if (!text) return text.error();
  auto json = nlohmann::ordered_json::parse(*text);  // that it is one was seen when `spec` came from it
  auto list = nlohmann::ordered_json::array();
  for (const WeightFile& file : files) {
    list.push_back({{"name", file.name}, {"batch", file.batch}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  json["weights"] = {
      {"neuron", {{"target", "sim"}, {"precision", to_string(options.dtype)}, {"files", std::move(list)}}}};
  if (json.contains("labels")) json["labels"] = spec.labels;  // may be a file beside the other descriptor
  auto& input = json["inputs"][0];
  input["size"] = {{"width", spec.input.size.width}, {"height", spec.input.size.height}};
  input["batch"] = options.batches.back();
  input.erase("multiple_of");  // compiled: this size and no other
  return json.dump(2) + "\n";
}

}  // namespace

const BackendWeights* network_for_sim(const ModelSpec& spec) {
  const auto is_onnx = [](const BackendWeights& w) {
    return w.files.size() == 1 && w.files.front().name.ends_with(".onnx");
  };
  // Those of the calculator, or any: ONNX is ONNX.
  const BackendWeights* own = spec.weights_for(kCalculator);
  if (own && is_onnx(*own)) return own;
  const auto found = std::ranges::find_if(spec.weights, is_onnx);
  return found == spec.weights.end() ? nullptr : &*found;
}

Result<fs::path> compile_for_sim(const ModelSpec& spec, const SimCompileOptions& options, const fs::path& folder) {
  const BackendWeights* weights = network_for_sim(spec);
  if (!weights) {
    return Error{Errc::kModel,
                 fmt::format("model {}: its descriptor has no ONNX weights, which the simulator runs", spec.name)};
  }
  const auto store = ModelStore::open_default();
  if (!store) return store.error();
  const auto path = store->weights(spec, weights->backend);
  if (!path) return path.error();
  const auto network = bytes_of(*path, weights->files.front().bytes);
  if (!network) return network.error();
  const auto outputs = output_shapes(spec, *path);
  if (!outputs) return outputs.error();

  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return Error{Errc::kOutput, fmt::format("{}: cannot be made: {}", folder.string(), ec.message())};
  Files files;
  std::vector<WeightFile> listed;
  for (const std::uint32_t batch : options.batches) {
    const auto neff =
        write_sim_neff(program_for(spec, *outputs, batch, options), std::as_bytes(std::span(*network)), spec.name);
    if (!neff) return neff.error();
    WeightFile file;
    file.name = fmt::format("{}-sim-b{}.neff", spec.name, batch);
    file.batch = static_cast<int>(batch);
    file.bytes = neff->size();
    const std::string to = (folder / file.name).string();
    if (auto done = files.write(to, {reinterpret_cast<const char*>(neff->data()), neff->size()}); !done) {
      return done.error();
    }
    const auto sum = sha256_of(part_name(to));
    if (!sum) return sum.error();
    file.sha256 = *sum;
    listed.push_back(std::move(file));
  }
  const auto text = descriptor(spec, options, listed);
  if (!text) return text.error();
  const fs::path to = folder / "neuron-sim.json";
  if (auto done = files.write(to, *text); !done) return done.error();
  if (auto done = files.commit(); !done) return done.error();
  return to;
}

}  // namespace posecam
