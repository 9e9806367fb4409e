#include "pipeline/cpu/openvino_backend.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <openvino/op/constant.hpp>
#include <openvino/op/loop.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <openvino/openvino.hpp>
#include <openvino/pass/serialize.hpp>

#include "models/core/file.h"
#include "models/core/log.h"
#include "models/core/sha256.h"
#include "models/core/stage_log.h"
#include "models/core/text.h"
#include "pipeline/backend/host_memory.h"
#include "pipeline/cpu/network_cache.h"
#include "pipeline/cpu/onnx_file.h"
#include "pipeline/cpu/openvino_ends.h"
#include "pipeline/cpu/openvino_operators.h"

namespace posecam {
namespace {

constexpr std::uint64_t kMostRounds = 100'000;

/// One per process: plugins and their thread pools are loaded once.
ov::Core& core() {
  static ov::Core instance = [] {
    ov::Core made;
    read_unknown_operators(made);
    return made;
  }();
  return instance;
}

/// Runs `body`; what OpenVINO throws becomes an Error.
template <class Body>
auto shielded(Errc code, const std::string& where, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::exception& e) {
    return Error{code, fmt::format("{}: {}", where, openvino_line(e.what()))};
  }
}

ov::element::Type element_type(DType type) {
  switch (type) {
    case DType::kU8: return ov::element::u8;
    case DType::kI32: return ov::element::i32;
    case DType::kBf16: return ov::element::bf16;
    case DType::kF16: return ov::element::f16;
    case DType::kF32: return ov::element::f32;
  }
  return ov::element::dynamic;
}

ov::Shape to_ov(const Shape& shape) {
  ov::Shape out;
  for (std::size_t i = 0; i < shape.rank(); ++i) out.push_back(static_cast<std::size_t>(shape[i]));
  return out;
}

/// Memory of one tensor, owned by its slot.
class Buffer {
 public:
  Buffer(DType dtype, const ov::Shape& shape) {
    const std::vector<std::int64_t> dims(shape.begin(), shape.end());
    view_ = {nullptr, dtype, Shape(dims)};
    memory_ = HostMemory(view_.bytes());
    view_.data = memory_.data();
  }
  const MutableTensorView& view() const { return view_; }
  ov::Tensor tensor() const { return {element_type(view_.dtype), to_ov(view_.shape), view_.data}; }

 private:
  HostMemory memory_;
  MutableTensorView view_;
};

class OpenVinoSlot final : public Slot {
 public:
  OpenVinoSlot(ov::CompiledModel model, const ModelSpec& spec, CoreId core)
      : core_(static_cast<std::int32_t>(core)),
        request_(model.create_infer_request()),
        input_(spec.input.dtype, to_ov(spec.input.shape())) {
    request_.set_tensor(spec.input.name, input_.tensor());
    outputs_.reserve(spec.outputs.size());
    for (const std::string& name : spec.outputs) {
      outputs_.emplace_back(DType::kF32, model.output(name).get_shape());
      request_.set_tensor(name, outputs_.back().tensor());
    }
  }

  MutableTensorView input() override { return input_.view(); }
  TensorView output(std::size_t index) const override { return outputs_[index].view(); }

  Result<void> run(std::uint32_t frames) override {
    return shielded(Errc::kDevice, "device openvino", [&]() -> Result<void> {
      StageLaps laps(frames, core_);
      request_.start_async();  // not infer(): that would run in this thread, beside the streams
      request_.wait();
      laps.lap(Stage::kExecute);
      return {};
    });
  }

 private:
  const std::int32_t core_;
  ov::InferRequest request_;
  Buffer input_;
  std::vector<Buffer> outputs_;
};

class OpenVinoBackend final : public InferenceBackend {
 public:
  OpenVinoBackend(ModelSpec spec, ov::CompiledModel model, std::vector<CoreId> cores, std::string note)
      : spec_(std::move(spec)), model_(std::move(model)), cores_(std::move(cores)), note_(std::move(note)) {}

  std::string_view name() const override { return "openvino"; }
  std::vector<CoreId> cores() const override { return cores_; }
  std::string note() const override { return note_; }

  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    if (auto same = check_same_tensors(spec_, spec); !same) return same.error();
    return shielded(Errc::kDevice, "device openvino", [&]() -> Result<std::unique_ptr<Slot>> {
      return std::unique_ptr<Slot>(std::make_unique<OpenVinoSlot>(model_, spec, core));
    });
  }

 private:
  ModelSpec spec_;
  ov::CompiledModel model_;
  std::vector<CoreId> cores_;
  std::string note_;
};

/// The rounds of all loops that are one within the other; none if that is not known before they run.
std::optional<std::uint64_t> most_rounds(const ov::Model& network) {
  std::uint64_t most = 1;
  for (const auto& node : network.get_ops()) {
    const auto* const outer = dynamic_cast<const ov::op::util::MultiSubGraphOp*>(node.get());
    if (!outer) continue;
    std::uint64_t own = 1;
    if (ov::is_type<ov::op::v5::Loop>(node)) {
      const auto count = ov::as_type_ptr<ov::op::v0::Constant>(node->get_input_node_shared_ptr(0));
      const std::int64_t rounds = count ? count->cast_vector<std::int64_t>(1).at(0) : -1;
      if (rounds < 0) return {};
      own = std::min(static_cast<std::uint64_t>(rounds), kMostRounds + 1);
    }
    for (std::size_t i = 0; i < outer->get_internal_subgraphs_size(); ++i) {
      const auto inner = most_rounds(*outer->get_function(i));
      if (!inner) return {};
      most = std::max(most, std::min(own * *inner, kMostRounds + 1));
    }
  }
  return most;
}

Result<void> check_loops(const ov::Model& network) {
  const auto rounds = most_rounds(network);
  if (rounds && *rounds <= kMostRounds) return {};
  return Error{Errc::kModel, fmt::format("has a loop of no fixed number of rounds, or of more than {}, which may never "
                                         "end: export the network without it",
                                         kMostRounds)};
}

/// Those of the backend that lists this file.
const BackendWeights* weights_of(const ModelSpec& spec, const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  for (const BackendWeights& weights : spec.weights) {
    if (std::ranges::find(weights.files, name, &WeightFile::name) != weights.files.end()) return &weights;
  }
  return nullptr;
}

/// All that is read must have been checked: a file that no list has may be anything.
Result<void> check_listed(const ModelSpec& spec, const std::filesystem::path& weights) {
  std::vector<std::string> others;
  std::error_code error;
  std::filesystem::path constants = weights;
  constants.replace_extension(".bin");
  if (weights.extension() == ".xml" && std::filesystem::exists(constants, error)) {
    others.push_back(constants.filename().string());
  }
  if (weights.extension() == ".onnx") {
    const auto bytes = read_file(weights, kMostOnnxBytes, Readable::kFile);
    if (!bytes) return bytes.error();
    auto external = external_data(*bytes);
    if (!external) return external.error();
    others = std::move(*external);
  }
  const BackendWeights* const listed = weights_of(spec, weights);
  for (const std::string& other : others) {
    if (!listed || std::ranges::find(listed->files, other, &WeightFile::name) == listed->files.end()) {
      return Error{Errc::kModel, fmt::format("reads '{}' as well, which its descriptor does not list: add it to "
                                             "the files beside {} with bytes and sha256",
                                             short_line(other), weights.filename().string())};
    }
  }
  return {};
}

/// What else may be wrong with a network that does not fit its batch.
const char* one_frame(const ModelSpec& spec) {
  return spec.input.batch > 1 ? "; it may be a network of one frame: use a batch of 1" : "";
}

/// Slots hand out fixed memory with the batch outermost.
Result<void> check_outputs(const ov::Model& network, const ModelSpec& spec) {
  for (const std::string& name : spec.outputs) {
    const ov::PartialShape& shape = network.output(name).get_partial_shape();
    const bool fits = shape.is_static() && shape.size() >= 1 && shape.size() <= Shape::kMaxRank &&
                      shape[0].get_length() == spec.input.batch;
    if (fits) continue;
    const char* const remedy =
        shape.is_dynamic() ? ": export the network without its NMS, or with a fixed number of boxes" : one_frame(spec);
    return Error{Errc::kModel, fmt::format("model {}: output '{}' has shape {}, expected fixed sizes with batch {} "
                                           "first{}",
                                           spec.name, name, shape.to_string(), spec.input.batch, remedy)};
  }
  return {};
}

/// The network as our slots see it: the spec's shape and types at its ends, conversions inside.
Result<std::shared_ptr<ov::Model>> fit(const std::shared_ptr<ov::Model>& network, const ModelSpec& spec,
                                       const std::filesystem::path& weights) {
  auto fitted = shielded(Errc::kModel, weights.string(), [&]() -> Result<std::shared_ptr<ov::Model>> {
    network->reshape({{spec.input.name, ov::PartialShape(to_ov(spec.input.shape()))}});
    ov::preprocess::PrePostProcessor ends(network);
    ends.input(spec.input.name).tensor().set_element_type(element_type(spec.input.dtype));
    for (const std::string& name : spec.outputs) ends.output(name).tensor().set_element_type(ov::element::f32);
    return ends.build();
  });
  if (fitted) return fitted;
  return Error{fitted.error().code, fitted.error().message + one_frame(spec)};
}

ov::AnyMap settings(const BackendOptions& options) {
  const auto cores = static_cast<int>(options.cores.size());
  const bool latency = options.scheduling == Scheduling::kLatency;
  ov::AnyMap map{{ov::hint::performance_mode.name(),
                  latency ? ov::hint::PerformanceMode::LATENCY : ov::hint::PerformanceMode::THROUGHPUT},
                 {ov::num_streams.name(), ov::streams::Num(latency ? 1 : cores)},
                 {ov::inference_num_threads.name(), cores}};
  if (options.precision != Precision::kAuto) {
    map[ov::hint::inference_precision.name()] =
        options.precision == Precision::kBf16 ? ov::element::bf16 : ov::element::f32;
  }
  return map;
}

/// All that decides what a compiled network is.
std::string cache_key(const ModelSpec& spec, const std::filesystem::path& weights, const ov::AnyMap& settings) {
  std::string key =
      fmt::format("{}\n{}\n{}\n", ov::get_openvino_version().buildNumber,
                  core().get_property("CPU", ov::device::full_name), to_ov(spec.input.shape()).to_string());
  for (const auto& [name, value] : settings) key += fmt::format("{}={}\n", name, value.as<std::string>());
  key += fmt::format("{} {}\n", spec.input.name, element_type(spec.input.dtype).get_type_name());
  for (const std::string& name : spec.outputs) key += name + "\n";
  std::filesystem::path constants = weights;
  constants.replace_extension(".bin");  // of OpenVINO's own format
  std::vector<std::filesystem::path> files{weights, constants};
  if (const BackendWeights* listed = weights_of(spec, weights)) {  // no other is read: check_listed()
    for (const WeightFile& file : listed->files) files.push_back(weights.parent_path() / file.name);
  }
  for (const auto& file : files) {
    const auto sum = sha256_of(file);
    key += sum ? *sum : "none";
  }
  return key;
}

/// Nothing if it is not in the cache, or not as it was put there: `note` says so then.
std::optional<ov::CompiledModel> import_cached(const NetworkCache& cache, const std::string& key,
                                               const ov::AnyMap& settings, std::string& note) {
  auto kept = cache.get(key, &note);
  if (!kept) return {};
  try {
    std::istringstream network(*std::move(kept));
    return core().import_model(network, "CPU", settings);
  } catch (const std::exception& e) {
    note = fmt::format("a compiled network cannot be used, and is made anew: {}", openvino_line(e.what()));
    return {};
  }
}

void put_cached(const NetworkCache& cache, const std::string& key, ov::CompiledModel& compiled) {
  std::ostringstream network;
  compiled.export_model(network);
  if (auto put = cache.put(key, network.view()); !put) {
    logger().warn("compiled networks cannot be kept: {}", put.error().message);  // costs the next start time only
  }
}

/// With the cache if there is one; whatever is wrong with that, without.
ov::CompiledModel compile(const std::shared_ptr<ov::Model>& network, const ModelSpec& spec,
                          const std::filesystem::path& weights, const BackendOptions& options, std::string& note) {
  const ov::AnyMap with = settings(options);
  if (options.cache_dir.empty()) return core().compile_model(network, "CPU", with);
  const NetworkCache cache(options.cache_dir);
  const std::string key = cache_key(spec, weights, with);
  if (auto cached = import_cached(cache, key, with, note)) return *std::move(cached);
  auto compiled = core().compile_model(network, "CPU", with);
  put_cached(cache, key, compiled);
  return compiled;
}

}  // namespace

Result<std::unique_ptr<InferenceBackend>> make_openvino_backend(const ModelSpec& spec,
                                                                const std::filesystem::path& weights,
                                                                const BackendOptions& options) {
  using Made = Result<std::unique_ptr<InferenceBackend>>;
  return shielded(Errc::kModel, weights.string(), [&]() -> Made {
    const auto about = [&](const Error& error) {
      return Error{error.code, fmt::format("{}: {}", weights.string(), error.message)};
    };
    if (auto listed = check_listed(spec, weights); !listed) return about(listed.error());
    const auto cut = cut_to_ends(core().read_model(weights.string()), spec);
    if (!cut) return cut.error();
    if (auto ends = check_loops(**cut); !ends) return about(ends.error());
    if (auto known = check_operators(**cut); !known) return about(known.error());
    const auto network = fit(*cut, spec, weights);
    if (!network) return network.error();
    if (auto fixed = check_outputs(**network, spec); !fixed) return fixed.error();
    return shielded(Errc::kDevice, "device openvino", [&]() -> Made {
      std::string note;
      auto compiled = compile(*network, spec, weights, options, note);
      auto cores = options.cores;
      if (options.scheduling == Scheduling::kLatency) cores.resize(1);
      return std::unique_ptr<InferenceBackend>(
          std::make_unique<OpenVinoBackend>(spec, std::move(compiled), std::move(cores), std::move(note)));
    });
  });
}

Result<void> check_openvino_reads(const std::filesystem::path& weights) {
  return shielded(Errc::kModel, weights.string(), [&]() -> Result<void> {
    auto ends = check_loops(*core().read_model(weights.string()));
    if (ends) return {};
    return Error{ends.error().code, fmt::format("{}: {}", weights.string(), ends.error().message)};
  });
}

Result<bool> has_inner_ends(const std::filesystem::path& weights, const ModelSpec& spec) {
  return shielded(Errc::kModel, weights.string(),
                  [&]() -> Result<bool> { return has_inner_ends(*core().read_model(weights.string()), spec); });
}

Result<OpenVinoIr> as_openvino_ir(const std::filesystem::path& weights, const ModelSpec& spec) {
  return shielded(Errc::kModel, weights.string(), [&]() -> Result<OpenVinoIr> {
    const auto network = cut_to_ends(core().read_model(weights.string()), spec);
    if (!network) return network.error();
    if (auto known = check_operators(**network); !known) {
      return Error{known.error().code, fmt::format("{}: {}", weights.string(), known.error().message)};
    }
    std::ostringstream graph;
    std::ostringstream constants;
    ov::pass::Serialize(graph, constants).run_on_model(*network);
    return OpenVinoIr{std::move(graph).str(), std::move(constants).str()};
  });
}

DeviceInfo describe_openvino(CoreId cores) {
  DeviceInfo info{"openvino", "", false, cores};
  try {
    info.description = fmt::format("{}, OpenVINO {}", core().get_property("CPU", ov::device::full_name),
                                   ov::get_openvino_version().buildNumber);
    info.available = true;
  } catch (const std::exception& e) {
    info.description = openvino_line(e.what());
  }
  return info;
}

}  // namespace posecam
