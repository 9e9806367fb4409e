#include "pipeline/neuron/neff/sim_program.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/spec/json_reader.h"

namespace posecam {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMaxTensors = 64;
constexpr std::size_t kMaxName = 255;  // NRT_TENSOR_NAME_MAX with its end
constexpr std::int64_t kMaxBatch = 1024;
constexpr std::int64_t kMaxCores = 64;
constexpr std::int64_t kMaxDim = std::int64_t{1} << 20;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 29;  // 2 GiB of f32

constexpr std::pair<std::string_view, DType> kDTypes[] = {
    {"float32", DType::kF32}, {"float16", DType::kF16}, {"bfloat16", DType::kBf16}, {"uint8", DType::kU8}};

std::string_view spelling(DType dtype) {
  const auto* found = std::ranges::find(kDTypes, dtype, &std::pair<std::string_view, DType>::second);
  return found == std::end(kDTypes) ? "unsupported" : found->first;
}

SimTensorSpec read_tensor(const JsonNode& node, std::uint32_t batch) {
  node.expect_keys({"name", "dtype", "shape"});
  SimTensorSpec tensor;
  tensor.name = node.at("name").text(1, kMaxName);
  if (tensor.name.size() > kMaxName) node.at("name").problem(fmt::format("longer than {} bytes", kMaxName));
  tensor.dtype = node.at("dtype").one_of(kDTypes);
  std::vector<std::int64_t> dims;
  std::uint64_t elements = 1;
  for (const JsonNode& dim : node.at("shape").items(1, Shape::kMaxRank)) {
    dims.push_back(dim.integer(1, kMaxDim));
    elements = std::min(elements * static_cast<std::uint64_t>(dims.back()), kMaxElements + 1);
  }
  if (elements > kMaxElements) node.at("shape").problem(fmt::format("more than {} elements", kMaxElements));
  if (!dims.empty() && dims[0] != batch) node.at("shape").problem(fmt::format("expected batch {} first", batch));
  tensor.shape = Shape(dims);
  return tensor;
}

nlohmann::json to_json(const std::vector<SimTensorSpec>& tensors) {
  nlohmann::json list = nlohmann::json::array();
  for (const SimTensorSpec& tensor : tensors) {
    nlohmann::json shape = nlohmann::json::array();
    for (std::size_t i = 0; i < tensor.shape.rank(); ++i) shape.push_back(tensor.shape[i]);
    list.push_back({{"name", tensor.name}, {"dtype", spelling(tensor.dtype)}, {"shape", std::move(shape)}});
  }
  return list;
}

/// "network.bin" for "network.xml"; empty for ONNX.
std::string constants_member(const SimProgram& program) {
  constexpr std::string_view kIr = ".xml";
  if (!program.network.ends_with(kIr)) return {};
  return program.network.substr(0, program.network.size() - kIr.size()) + ".bin";
}

}  // namespace

Result<SimProgram> read_sim_program(std::string_view text) {
  const auto document = parse_strict_json(text, kSimProgramMember);
  if (!document) return document.error();
  JsonProblems problems{std::string(kSimProgramMember)};
  const JsonNode root(*document, problems);
  root.expect_keys({"version", "network", "inputs", "outputs", "batch", "cores", "time"});
  root.at("version").integer(kVersion, kVersion);
  SimProgram program;
  program.network = root.at("network").text(1, kMaxName);
  program.batch = static_cast<std::uint32_t>(root.at("batch").integer(1, kMaxBatch));
  program.cores = static_cast<std::uint32_t>(root.at("cores").integer(1, kMaxCores));
  for (const JsonNode& node : root.at("inputs").items(1, kMaxTensors)) {
    program.inputs.push_back(read_tensor(node, program.batch));
  }
  for (const JsonNode& node : root.at("outputs").items(1, kMaxTensors)) {
    program.outputs.push_back(read_tensor(node, program.batch));
  }
  if (root.has("time")) program.time = read_device_time(root.at("time"));
  std::set<std::string> names;
  for (const auto* tensors : {&program.inputs, &program.outputs}) {
    for (const SimTensorSpec& tensor : *tensors) {
      if (!names.insert(tensor.name).second)
        problems.add("", fmt::format("two tensors have the name '{}'", tensor.name));
    }
  }
  if (problems.first()) return *problems.first();
  return program;
}

Result<std::string> write_sim_program(const SimProgram& program) {
  nlohmann::json document = {{"version", kVersion},
                             {"network", program.network},
                             {"inputs", to_json(program.inputs)},
                             {"outputs", to_json(program.outputs)},
                             {"batch", program.batch},
                             {"cores", program.cores}};
  if (program.time) document["time"] = to_json(*program.time);
  std::string text = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (auto read = read_sim_program(text); !read) return read.error();
  return text;
}

Result<std::vector<std::byte>> write_sim_neff(const SimProgram& program, const SimNetwork& network,
                                              std::string_view name) {
  const auto text = write_sim_program(program);
  if (!text) return text.error();
  const auto bytes = std::as_bytes(std::span(*text));
  std::vector<NeffMember> members{{std::string(kSimProgramMember), {bytes.begin(), bytes.end()}},
                                  {program.network, {network.graph.begin(), network.graph.end()}}};
  if (const auto constants = constants_member(program); !constants.empty()) {
    members.push_back({constants, {network.constants.begin(), network.constants.end()}});
  }
  NeffHeader header;
  header.build_version = "posecam-sim";
  header.name = name;
  header.num_tpb = program.cores;
  header.requested_tpb_count = program.cores;
  header.tpb_per_node[0] = static_cast<std::uint8_t>(program.cores);
  return write_neff(std::move(header), members);
}

Result<SimNeff> read_sim_neff(std::span<const std::byte> file) {
  auto neff = read_neff(file, {kSimProgramMember});
  if (!neff) return neff.error();
  const NeffMember* description = neff->find(kSimProgramMember);
  if (!description) {
    return Error{Errc::kModel,
                 fmt::format("NEFF '{}' has no sim.json: it was compiled for hardware; compile with --target sim",
                             neff->header.name)};
  }
  auto program = read_sim_program({reinterpret_cast<const char*>(description->data.data()), description->data.size()});
  if (!program) return program.error();
  auto network = read_neff_member(file, program->network);
  if (!network) {
    return Error{Errc::kModel, fmt::format("{}, which its sim.json names as the network", network.error().message)};
  }
  SimNeff read{std::move(neff->header), std::move(*program), std::move(*network)};
  if (const auto name = constants_member(read.program); !name.empty()) {
    auto constants = read_neff_member(file, name);
    if (!constants) return Error{Errc::kModel, fmt::format("{}, the network's constants", constants.error().message)};
    read.constants = std::move(*constants);
  }
  return read;
}

}  // namespace posecam
