#pragma once
// One loaded model with tensors and sets of its own on one core, over the C interface of the linked simulator.

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/pipeline/neuron/sim/sim_support.h"

namespace posecam::test {

/// The simulator between init and close, in an environment of the test's own.
class NrtTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (open_) nrt_close();
  }
  NRT_STATUS init(const char* config = nullptr) {
    environment_.set("NEURON_SIM_CONFIG", config);
    const NRT_STATUS status = nrt_init(NRT_FRAMEWORK_TYPE_NO_FW, "", "");
    open_ = status == NRT_SUCCESS;
    return status;
  }
  void close() {
    nrt_close();
    open_ = false;
  }
  Environment environment_;
  bool open_ = false;
};

/// The handles of a model on a core of the process. Freed in the order that the documents call safe.
class SimModel {
 public:
  SimModel(const SimProgram& program, int core, nrt_tensor_placement_t placement = NRT_TENSOR_PLACEMENT_DEVICE)
      : program_(program) {
    const auto neff = tiny_neff(program);
    load_status = nrt_load(neff.data(), neff.size(), core, -1, &model);
    if (load_status != NRT_SUCCESS) return;
    EXPECT_EQ(nrt_allocate_tensor_set(&inputs), NRT_SUCCESS);
    EXPECT_EQ(nrt_allocate_tensor_set(&outputs), NRT_SUCCESS);
    for (const auto& spec : program.inputs) add(inputs, spec, core, placement);
    for (const auto& spec : program.outputs) add(outputs, spec, core, placement);
  }
  SimModel(const SimModel&) = delete;
  SimModel& operator=(const SimModel&) = delete;
  ~SimModel() {
    nrt_destroy_tensor_set(&inputs);
    nrt_destroy_tensor_set(&outputs);
    for (nrt_tensor_t*& tensor : tensors) nrt_tensor_free(&tensor);
    if (model) nrt_unload(model);
  }

  void write(std::span<const float> values) {
    EXPECT_EQ(nrt_tensor_write(tensors[0], values.data(), 0, values.size_bytes()), NRT_SUCCESS);
  }
  NRT_STATUS execute() { return nrt_execute(model, inputs, outputs); }
  std::vector<float> read(std::size_t output = 0) {
    std::vector<float> values(program_.outputs[output].bytes() / sizeof(float));
    EXPECT_EQ(nrt_tensor_read(tensors[1 + output], values.data(), 0, values.size() * sizeof(float)), NRT_SUCCESS);
    return values;
  }
  /// Executes rows of these seeds, one for each of the batch.
  std::vector<float> run(std::span<const int> seeds) {
    std::vector<float> batch;
    for (const int seed : seeds) {
      const auto row = tiny_row(seed);
      batch.insert(batch.end(), row.begin(), row.end());
    }
    write(batch);
    EXPECT_EQ(execute(), NRT_SUCCESS);
    return read();
  }

  NRT_STATUS load_status = NRT_SUCCESS;
  nrt_model_t* model = nullptr;
  nrt_tensor_set_t* inputs = nullptr;
  nrt_tensor_set_t* outputs = nullptr;
  std::vector<nrt_tensor_t*> tensors;  ///< image, sum, mean

 private:
  void add(nrt_tensor_set_t* set, const SimTensorSpec& spec, int core, nrt_tensor_placement_t placement) {
    nrt_tensor_t* tensor = nullptr;
    EXPECT_EQ(nrt_tensor_allocate(placement, core, spec.bytes(), spec.name.c_str(), &tensor), NRT_SUCCESS);
    EXPECT_EQ(nrt_add_tensor_to_tensor_set(set, spec.name.c_str(), tensor), NRT_SUCCESS);
    tensors.push_back(tensor);
  }
  SimProgram program_;
};

/// What "sum" is for a row of that seed.
inline std::vector<float> expected_sum(int seed) {
  const auto row = tiny_row(seed);
  std::vector<float> sum(kTinyPixels);
  for (std::size_t i = 0; i < kTinyPixels; ++i) {
    sum[i] = row[i] + 2 * row[kTinyPixels + i] + 3 * row[2 * kTinyPixels + i];
  }
  return sum;
}

}  // namespace posecam::test
