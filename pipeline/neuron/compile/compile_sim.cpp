#include "pipeline/neuron/compile/compile_sim.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <opencv2/core/utils/logger.hpp>

#include "models/core/file.h"
#include "models/store/store.h"
#include "pipeline/cpu/onnx_file.h"
#include "pipeline/neuron/compile/compiled_files.h"
#include "pipeline/neuron/compile/source_weights.h"
#include "pipeline/neuron/neff/sim_program.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/cpu/openvino_backend.h"
#else
#include "pipeline/cpu/opencv_backend.h"
#endif

namespace posecam {
namespace {

namespace fs = std::filesystem;

/// A network as a simulator's NEFF holds it.
struct Packed {
  std::string member;  ///< SimProgram::network
  std::string graph;
  std::string constants{};

  SimNetwork network() const { return {std::as_bytes(std::span(graph)), std::as_bytes(std::span(constants))}; }
};

Result<std::string> bytes_of(const fs::path& path, std::size_t most) {
  auto bytes = read_file(path, most, Readable::kFile);
  if (bytes) return bytes;
  return Error{Errc::kModel, fmt::format("{}: cannot be read: {}", path.string(), bytes.error().message)};
}

// What is compiled here runs in the simulator of this build: the same library reads it, ONNX as it is where it ends as
// the descriptor says.
#ifdef POSECAM_HAVE_OPENVINO
constexpr std::span<const std::string_view> kReadable = kNetworkEndings;

Result<std::unique_ptr<InferenceBackend>> make_calculator(const ModelSpec& spec, const fs::path& weights,
                                                          const BackendOptions& options) {
  return make_openvino_backend(spec, weights, options);
}

Result<Packed> packed(const ModelSpec& spec, const fs::path& weights) {
  const auto inner = has_inner_outputs(weights, spec);
  if (!inner) return inner.error();
  if (weights.extension() == ".onnx" && !*inner) {
    auto onnx = bytes_of(weights, kMostOnnxBytes);
    if (!onnx) return onnx.error();
    return Packed{"network.onnx", *std::move(onnx)};
  }
  auto ir = as_openvino_ir(weights, spec);
  if (!ir) return ir.error();
  return Packed{"network.xml", std::move(ir->graph), std::move(ir->constants)};
}
#else
constexpr std::span<const std::string_view> kReadable = std::span(kNetworkEndings).first(1);

Result<std::unique_ptr<InferenceBackend>> make_calculator(const ModelSpec& spec, const fs::path& weights,
                                                          const BackendOptions& options) {
  return make_opencv_backend(spec, weights, options);
}

Result<Packed> packed(const ModelSpec& /*spec*/, const fs::path& weights) {
  auto onnx = bytes_of(weights, kMostOnnxBytes);
  if (!onnx) return onnx.error();
  return Packed{"network.onnx", *std::move(onnx)};
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
                       const SimCompileOptions& options, const std::string& member) {
  SimProgram program;
  program.network = member;
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

bool is_readable(const BackendWeights& weights) {
  return std::ranges::any_of(kReadable, [&](auto ending) { return weights.files.front().name.ends_with(ending); });
}

}  // namespace

bool lists_network_for_sim(const ModelSpec& spec) { return std::ranges::any_of(spec.weights, is_readable); }

bool has_network_for_sim(const ModelSpec& spec) {
  const auto store = ModelStore::open_default();
  return store && std::ranges::any_of(spec.weights, [&](const BackendWeights& weights) {
           return is_readable(weights) && store->has_begun(spec, weights.backend);
         });
}

Result<fs::path> compile_for_sim(const ModelSpec& spec, const SimCompileOptions& options, const fs::path& folder) {
  const auto source = source_weights(spec, kReadable);
  if (!source) return source.error();
  const auto outputs = output_shapes(spec, source->file);
  if (!outputs) return outputs.error();
  const auto network = packed(spec, source->file);
  if (!network) return network.error();

  auto files = CompiledFiles::in(folder);
  if (!files) return files.error();
  for (const std::uint32_t batch : options.batches) {
    const auto neff =
        write_sim_neff(program_for(spec, *outputs, batch, options, network->member), network->network(), spec.name);
    if (!neff) return neff.error();
    const std::string_view bytes(reinterpret_cast<const char*>(neff->data()), neff->size());
    if (auto done = files->add(fmt::format("{}-sim-b{}.neff", spec.name, batch), batch, bytes); !done) {
      return done.error();
    }
  }
  return files->commit(spec, {"sim", std::string(to_string(options.dtype))});
}

}  // namespace posecam
