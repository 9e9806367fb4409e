#pragma once
// A Neuron device for tests: the simulator with cores of the test's own, and networks compiled for it.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/spec/model_spec.h"
#include "pipeline/neuron/neff/sim_program.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {

/// Sets an environment variable, or clears it, for as long as it lives. One thread.
class Variable {
 public:
  Variable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    set(value);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { set(before_); }

 private:
  void set(const std::optional<std::string>& value) const {
    value ? ::setenv(name_, value->c_str(), 1) : ::unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> before_;
};

/// The simulator as `config` says (the JSON of NEURON_SIM_CONFIG), with a pool of cores that no other test sees.
class SimDevice {
 public:
  explicit SimDevice(const std::string& config = "{}")
      : config_("NEURON_SIM_CONFIG", config), pool_("NEURON_SIM_POOL", (dir_.path() / "pool").string()) {}

  /// For NEFFs and whatever else the test keeps.
  const std::filesystem::path& folder() const { return dir_.path(); }

 private:
  TempDir dir_;
  Variable config_;
  Variable pool_;
  Variable runtime_dir_{"XDG_RUNTIME_DIR", dir_.path().string()};
  Variable cores_{"NEURON_SIM_CORES", std::nullopt};
  Variable visible_{"NEURON_RT_VISIBLE_CORES", std::nullopt};
  Variable number_{"NEURON_RT_NUM_CORES", std::nullopt};
  Variable groups_{"NEURONCORE_GROUP_SIZES", std::nullopt};
  Variable timeout_{"NEURON_RT_EXEC_TIMEOUT", std::nullopt};
  Variable in_flight_{"NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS", std::nullopt};
  Variable log_{"NEURON_RT_LOG_LEVEL", "ERROR"};
};

/// What a compiler may choose.
struct SimCompile {
  std::vector<std::uint32_t> batches;  ///< empty: the spec's
  DType input = DType::kF32;
  DType outputs = DType::kF32;
  std::uint32_t cores = 1;
};

/// Compiles a network for the simulator into `folder` and lists the files in the spec. `shapes`: of the spec's outputs,
/// for a batch of 1.
inline void compile_for_sim(ModelSpec& spec, const std::filesystem::path& onnx, const std::vector<Shape>& shapes,
                            const std::filesystem::path& folder, SimCompile how = {}) {
  if (how.batches.empty()) how.batches.push_back(static_cast<std::uint32_t>(spec.input.batch));
  const std::string network = read_file(onnx);
  BackendWeights weights{"neuron", how.input == DType::kF16 ? "f16" : "bf16", {}, "sim"};
  for (const std::uint32_t rows : how.batches) {
    InputSpec input = spec.input;
    input.batch = static_cast<int>(rows);
    SimProgram program;
    program.batch = rows;
    program.cores = how.cores;
    program.inputs = {{input.name, how.input, input.shape()}};
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      Shape shape = shapes[i];
      shape[0] = rows;
      program.outputs.push_back({spec.outputs[i], how.outputs, shape});
    }
    const auto neff = write_sim_neff(program, {std::as_bytes(std::span(network))}, spec.name);
    ASSERT_TRUE(neff) << neff.error().message;
    WeightFile file;
    file.name = fmt::format("{}-b{}.neff", spec.name, rows);
    file.batch = static_cast<int>(rows);
    file.bytes = neff->size();
    std::ofstream(folder / file.name, std::ios::binary)
        .write(reinterpret_cast<const char*>(neff->data()), static_cast<std::streamsize>(neff->size()));
    weights.files.push_back(std::move(file));
  }
  std::erase_if(spec.weights, [](const BackendWeights& w) { return w.backend == "neuron"; });
  spec.weights.push_back(std::move(weights));
}

}  // namespace posecam::test
