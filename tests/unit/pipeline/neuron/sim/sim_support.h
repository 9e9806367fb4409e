#pragma once
// What tests of the simulator share: a pool of cores and an environment of their own, and NEFFs of
// tests/data/tiny.onnx.

#include <cstddef>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/neuron/neff/sim_program.h"
#include "pipeline/neuron/nrt/nrt_abi.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {

inline std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline std::vector<std::byte> tiny_onnx() { return bytes_of(read_file(source_dir() / "tests/data/tiny.onnx")); }

constexpr std::int64_t kTinyHeight = 16;
constexpr std::int64_t kTinyWidth = 24;
constexpr std::size_t kTinyPixels = kTinyHeight * kTinyWidth;

inline SimProgram tiny_program(std::uint32_t batch = 1, std::uint32_t cores = 1) {
  SimProgram program;
  program.batch = batch;
  program.cores = cores;
  program.inputs = {{"image", DType::kF32, {batch, 3, kTinyHeight, kTinyWidth}}};
  program.outputs = {{"sum", DType::kF32, {batch, 1, kTinyHeight, kTinyWidth}},
                     {"mean", DType::kF32, {batch, 2, kTinyHeight / 8, kTinyWidth / 8}}};
  return program;
}

inline std::vector<std::byte> tiny_neff(const SimProgram& program) {
  auto neff = write_sim_neff(program, {tiny_onnx()}, "tiny");
  EXPECT_TRUE(neff) << neff.error().message;
  return neff ? *neff : std::vector<std::byte>();
}

/// Whole numbers that differ from row to row and pixel to pixel.
inline std::vector<float> tiny_row(int seed) {
  std::vector<float> row(3 * kTinyPixels);
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i] = static_cast<float>((i * 37 + static_cast<std::size_t>(seed) * 101 + i * i % 17) % 256);
  }
  return row;
}

/// Environment variables until the end of the test.
class Environment {
 public:
  Environment() {
    for (const char* name : {"NEURON_SIM_CONFIG", "NEURON_SIM_CORES", "NEURON_RT_VISIBLE_CORES", "NEURON_RT_NUM_CORES",
                             "NEURON_RT_EXEC_TIMEOUT", "NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS"}) {
      set(name, nullptr);
    }
    set("NEURON_RT_LOG_LEVEL", "ERROR");
    set("NEURON_SIM_POOL", (pool_.path() / "pool").c_str());
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const auto& [name, value] : before_)
      value.first ? ::setenv(name.c_str(), value.second.c_str(), 1) : ::unsetenv(name.c_str());
  }
  void set(const std::string& name, const char* value) {
    const char* old = std::getenv(name.c_str());
    before_.try_emplace(name, old != nullptr, old ? old : "");
    value ? ::setenv(name.c_str(), value, 1) : ::unsetenv(name.c_str());
  }
  std::filesystem::path pool() const { return pool_.path() / "pool"; }
  const std::filesystem::path& folder() const { return pool_.path(); }

 private:
  TempDir pool_;
  std::map<std::string, std::pair<bool, std::string>> before_;
};

}  // namespace posecam::test
