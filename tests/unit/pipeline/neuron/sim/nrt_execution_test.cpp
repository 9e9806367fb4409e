// What executions give and how long they take: true results whatever the batch and the neighbours, device time without
// work.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>

#include <gmock/gmock.h>

#include "pipeline/cpu/opencv_backend.h"
#include "pipeline/neuron/machine/core_file.h"
#ifdef POSECAM_HAVE_OPENVINO
#include "pipeline/cpu/openvino_backend.h"
#endif
#include "tests/unit/pipeline/neuron/sim/sim_model.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using test::NrtTest;
using test::SimModel;
using test::tiny_program;
using ::testing::FloatNear;
using ::testing::Pointwise;

class NrtExact : public NrtTest {};

/// The same row by the program's own backend on the CPU.
std::vector<float> by_backend(int seed) {
  ModelSpec spec;
  spec.name = "tiny";
  spec.input.name = "image";
  spec.input.size = {test::kTinyWidth, test::kTinyHeight};
  spec.input.batch = 1;
  spec.outputs = {"sum", "mean"};
  BackendOptions options;
  options.precision = Precision::kF32;
  options.cores = {0};
  const auto weights = test::source_dir() / "tests/data/tiny.onnx";
#ifdef POSECAM_HAVE_OPENVINO
  auto backend = make_openvino_backend(spec, weights, options);
#else
  auto backend = make_opencv_backend(spec, weights, options);
#endif
  EXPECT_TRUE(backend) << backend.error().message;
  auto slot = (*backend)->make_slot(spec, 0);
  EXPECT_TRUE(slot) << slot.error().message;
  const auto row = test::tiny_row(seed);
  std::ranges::copy(row, (*slot)->input().as<float>().begin());
  EXPECT_TRUE((*slot)->run(1));
  const auto sum = (*slot)->output(0).as<float>();
  return {sum.begin(), sum.end()};
}

TEST_F(NrtExact, GivesWhatTheCpuBackendGives) {
  ASSERT_EQ(init(), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  ASSERT_EQ(model.load_status, NRT_SUCCESS);
  EXPECT_THAT(model.run({{5}}), Pointwise(FloatNear(0.001F), by_backend(5)));
}

TEST_F(NrtExact, ResultsDependNeitherOnBatchNorCoreNorNeighbours) {
  ASSERT_EQ(init(R"({"cores": 3})"), NRT_SUCCESS);
  SimModel one(tiny_program(1), 0);
  const std::vector<float> alone = one.run({{7}});
  ASSERT_THAT(alone, Pointwise(FloatNear(0.001F), test::expected_sum(7)));
  SimModel four(tiny_program(4), 2);
  std::atomic<bool> stop = false;
  std::jthread noise([&] {
    SimModel other(tiny_program(2), 1);
    while (!stop) other.run({{1, 2}});
  });
  for (int round = 0; round < 20; ++round) {
    const std::vector<float> batch = four.run({{round, 7, 9, 7}});
    for (const std::size_t row : {1U, 3U}) {
      const std::vector<float> mine(batch.begin() + row * test::kTinyPixels,
                                    batch.begin() + (row + 1) * test::kTinyPixels);
      ASSERT_EQ(mine, alone) << "bit for bit";
    }
  }
  stop = true;
}

TEST_F(NrtExact, RoundsToBf16OnOrder) {
  ASSERT_EQ(init(R"({"bf16": true})"), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  const auto sum = model.run({{3}});
  for (const float value : sum) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    ASSERT_EQ(bits & 0xFFFFU, 0U);
  }
  EXPECT_THAT(sum, Pointwise(FloatNear(8), test::expected_sum(3)));
}

TEST_F(NrtExact, TakesAndGivesTheTypesOfTheProgram) {
  ASSERT_EQ(init(), NRT_SUCCESS);
  auto program = tiny_program();
  program.inputs[0].dtype = DType::kU8;
  program.outputs[0].dtype = DType::kBf16;
  SimModel model(program, 0);
  ASSERT_EQ(model.load_status, NRT_SUCCESS);
  const std::vector<std::uint8_t> ones(3 * test::kTinyPixels, 1);
  ASSERT_EQ(nrt_tensor_write(model.tensors[0], ones.data(), 0, ones.size()), NRT_SUCCESS);
  ASSERT_EQ(model.execute(), NRT_SUCCESS);
  std::vector<std::uint16_t> sum(test::kTinyPixels);
  ASSERT_EQ(nrt_tensor_read(model.tensors[1], sum.data(), 0, sum.size() * 2), NRT_SUCCESS);
  EXPECT_THAT(sum, ::testing::Each(0x40C0)) << "6 in bf16";
}

TEST_F(NrtExact, AttachedBuffersAreUsedInPlace) {
  ASSERT_EQ(init(R"({"instance": "inf1.xlarge"})"), NRT_SUCCESS);
  SimModel model(tiny_program(), 0, NRT_TENSOR_PLACEMENT_VIRTUAL);
  std::vector<float> in = test::tiny_row(4);
  std::vector<float> out(test::kTinyPixels);
  ASSERT_EQ(nrt_tensor_attach_buffer(model.tensors[0], in.data(), in.size() * 4), NRT_SUCCESS);
  ASSERT_EQ(nrt_tensor_attach_buffer(model.tensors[1], out.data(), out.size() * 4), NRT_SUCCESS);
  ASSERT_EQ(model.execute(), NRT_SUCCESS);
  EXPECT_THAT(out, Pointwise(FloatNear(0.001F), test::expected_sum(4)));
}

TEST_F(NrtExact, RepeatsOnlyWhatCanFeedItself) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  EXPECT_EQ(nrt_execute_repeat(model.model, model.inputs, model.outputs, 1), NRT_SUCCESS);
  EXPECT_EQ(nrt_execute_repeat(model.model, model.inputs, model.outputs, 2), NRT_INVALID);
  EXPECT_EQ(nrt_execute_repeat(model.model, model.inputs, model.outputs, 0), NRT_INVALID);
}

class NrtTimed : public NrtTest {};

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

TEST_F(NrtTimed, CoresWorkInParallelEachInOrderWithoutBurningCpu) {
  ASSERT_EQ(init(R"({"mode": "timed", "cores": 8, "time": {"fixed_ms": 20}})"), NRT_SUCCESS);
  std::vector<std::unique_ptr<SimModel>> models;
  for (int i = 0; i < 16; ++i) models.push_back(std::make_unique<SimModel>(tiny_program(), i / 2));
  models[0]->run({{1}});
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  {
    std::vector<std::jthread> threads;  // two for each core, five executions each: 10 x 20 ms a core
    for (auto& model : models) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) EXPECT_EQ(model->execute(), NRT_SUCCESS);
      });
    }
  }
  const auto wall = Clock::now() - start;
  EXPECT_GE(wall, milliseconds(200));
  EXPECT_LT(wall, milliseconds(1500)) << "80 executions of 20 ms one after the other were 1600";
  EXPECT_LT(cpu_seconds() - cpu, 0.5);
  const auto cores = sim::read_core_pool(environment_.pool());
  ASSERT_EQ(cores.size(), 8U);
  EXPECT_EQ(cores[3].executions, 10U);
  EXPECT_EQ(cores[3].busy_ns, 200'000'000U);
}

TEST_F(NrtTimed, SwitchingBetweenModelsOfACoreTakesTime) {
  ASSERT_EQ(init(R"({"mode": "timed", "cores": 2, "time": {"fixed_ms": 1}, "switch_ms": 9})"), NRT_SUCCESS);
  SimModel a(tiny_program(1), 0);
  SimModel b(tiny_program(2), 0);
  SimModel other_core(tiny_program(2), 1);
  for (SimModel* model : {&a, &other_core, &a, &b, &b, &a}) EXPECT_EQ(model->execute(), NRT_SUCCESS);
  const auto cores = sim::read_core_pool(environment_.pool());
  ASSERT_EQ(cores.size(), 2U);
  EXPECT_EQ(cores[0].busy_ns, (5U + 2 * 9U) * 1'000'000U) << "a a, b b, a";
  EXPECT_EQ(cores[1].busy_ns, 1'000'000U);
}

TEST_F(NrtTimed, ShowsTheFirstDistinctRowsAgainAndAgain) {
  ASSERT_EQ(init(R"({"mode": "timed", "distinct": 2, "time": {"fixed_ms": 0.1}})"), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  EXPECT_EQ(model.execute(), NRT_SUCCESS);
  EXPECT_THAT(model.read(), ::testing::Each(0.0F)) << "a warm-up computes nothing";
  EXPECT_THAT(model.run({{1}}), Pointwise(FloatNear(0.001F), test::expected_sum(1)));
  EXPECT_THAT(model.run({{2}}), Pointwise(FloatNear(0.001F), test::expected_sum(2)));
  SimModel three(tiny_program(3), 1);
  const auto rows = three.run({{7, 8, 9}});
  for (const auto& [row, seed] : {std::pair{0, 1}, {1, 2}, {2, 1}}) {
    const std::vector<float> shown(rows.begin() + row * test::kTinyPixels,
                                   rows.begin() + (row + 1) * test::kTinyPixels);
    EXPECT_THAT(shown, Pointwise(FloatNear(0.001F), test::expected_sum(seed))) << row;
  }
}

TEST_F(NrtTimed, WantsToKnowTheTime) {
  environment_.set("NEURON_RT_LOG_LEVEL", "QUIET");
  ASSERT_EQ(init(R"({"mode": "timed"})"), NRT_SUCCESS);
  auto program = tiny_program();
  EXPECT_EQ(SimModel(program, 0).load_status, NRT_INVALID);
  program.time = DeviceTime{.fixed_ms = 1};
  EXPECT_EQ(SimModel(program, 0).load_status, NRT_SUCCESS);
}

TEST_F(NrtTimed, TransfersTakeTheirTime) {
  ASSERT_EQ(init(R"({"mode": "timed", "transfer_gb_s": 0.01})"), NRT_SUCCESS);
  nrt_tensor_t* tensor = nullptr;
  std::vector<char> bytes(500'000);  // 50 ms
  ASSERT_EQ(nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, bytes.size(), "", &tensor), NRT_SUCCESS);
  const auto start = Clock::now();
  ASSERT_EQ(nrt_tensor_write(tensor, bytes.data(), 0, bytes.size()), NRT_SUCCESS);
  EXPECT_GE(Clock::now() - start, milliseconds(50));
  nrt_tensor_free(&tensor);
}

}  // namespace
}  // namespace posecam
