// The Neuron client on simulated devices: sizes, types, cores, and who shares what.

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/neuron/neff/neff.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/report/core_board.h"
#include "pipeline/neuron/runtime/batch_plan.h"
#include "pipeline/neuron/runtime/neuron_runtime.h"
#include "tests/unit/pipeline/neuron/runtime/tiny.h"
#include "tests/unit/pipeline/neuron/sim/process.h"

namespace posecam {
namespace {

using test::compile_tiny;
using test::make_tiny;
using test::run_tiny;
using test::SimDevice;
using test::tiny_slot;
using test::Variable;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::uint64_t executions(const SimDevice& device) {
  std::uint64_t total = 0;
  for (const auto& use : sim::read_core_pool(device.folder() / "pool")) total += use.executions;
  return total;
}

// --- batches ------------------------------------------------------------------------------------------------------

TEST(NeuronBackend, AnswersForAnyNumberOfRowsOnSeveralCompiledSizes) {
  const SimDevice device;
  const ModelSpec spec = compile_tiny(device, 16, {.batches = {1, 4, 16}});
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  for (std::uint32_t frames = 1; frames <= 16; ++frames) run_tiny(**slot, frames, static_cast<int>(frames) * 50);
  run_tiny(**slot, 3, 900);
}

TEST(NeuronBackend, TakesTheSizesThatFinishSoonest) {
  // 20 ms a run and nothing a row: padding is free, runs are not.
  const SimDevice device(R"({"mode": "timed", "time": {"fixed_ms": 20, "per_row_ms": 0.01}, "transfer_gb_s": 1000})");
  const ModelSpec spec = compile_tiny(device, 16, {.batches = {1, 4, 16}});
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  const auto before = executions(device);
  ASSERT_TRUE((*slot)->run(7));
  EXPECT_EQ(executions(device) - before, 1U);
  ASSERT_TRUE((*slot)->run(1));
  EXPECT_EQ(executions(device) - before, 2U);
}

TEST(NeuronBackend, UsesASizeAgainThatWasSlowOnce) {
  // The fourth execution is the one that measures the larger size.
  const SimDevice device(R"({"cores": 1, "mode": "timed", "transfer_gb_s": 1000,
                             "time": {"fixed_ms": 2, "per_row_ms": 0.01},
                             "faults": [{"core": 0, "slow": 50.0, "from": 4, "count": 1}]})");
  const ModelSpec spec = compile_tiny(device, 4, {.batches = {1, 4}});
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  const auto executions_of_a_run = [&] {
    const auto before = executions(device);
    EXPECT_TRUE((*slot)->run(4));
    return executions(device) - before;
  };
  EXPECT_EQ(executions_of_a_run(), 4U);
  for (std::uint64_t i = 0; i < BatchTimes::kLookAgain / 4; ++i) ASSERT_TRUE((*slot)->run(4));
  EXPECT_EQ(executions_of_a_run(), 1U);
}

TEST(NeuronBackend, WaitsForACoreThatIsBusyWhileItStarts) {
  const SimDevice device(R"({"faults": [{"call": "nrt_execute", "count": 3, "status": 1005}]})");
  const ModelSpec spec = compile_tiny(device, 1);
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  run_tiny(**slot, 1, 1);
}

TEST(NeuronBackend, TakesEachSizeInItsOwnTypes) {
  const SimDevice device;
  const ModelSpec small = compile_tiny(device, 1, {.input = DType::kBf16, .outputs = DType::kF16});
  ModelSpec spec = compile_tiny(device, 4);
  auto& files = spec.weights.back().files;
  files.insert(files.begin(), small.weights.back().files.front());
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  for (const std::uint32_t frames : {1U, 4U, 3U}) run_tiny(**slot, frames, 5);
}

TEST(NeuronBackend, UsesNoSizeAboveTheOneAskedFor) {
  const SimDevice device;
  ModelSpec spec = compile_tiny(device, 16, {.batches = {1, 4, 16}});
  spec.input.batch = 4;
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  EXPECT_EQ((*slot)->input().shape[0], 4);
  run_tiny(**slot, 4, 1);
  spec.input.batch = 8;
  const auto other = tiny_slot(device, spec);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("not compiled for batch 8, only for 1, 4, 16"));
}

TEST(NeuronBackend, RefusesShortBatchesWhereBatchingIsNotDynamic) {
  const SimDevice device;
  const ModelSpec spec = compile_tiny(device, 4, {.batches = {1, 4}});
  BackendOptions options;
  options.dynamic_batch_size = false;
  const auto slot = tiny_slot(device, spec, options);
  ASSERT_TRUE(slot) << slot.error().message;
  run_tiny(**slot, 4, 1);
  const auto refused = (*slot)->run(3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kBadInput);
  run_tiny(**slot, 4, 1);
}

// --- types --------------------------------------------------------------------------------------------------------

struct TypeCase {
  const char* runtime;
  DType type;
};
class NeuronTypes : public ::testing::TestWithParam<TypeCase> {};

TEST_P(NeuronTypes, AreConvertedAtBothEnds) {
  const bool inf1 = std::string(GetParam().runtime) == "2.22";
  const SimDevice device(fmt::format(R"({{"instance": "{}", "runtime": "{}"}})", inf1 ? "inf1.xlarge" : "inf2.xlarge",
                                     GetParam().runtime));
  const ModelSpec spec =
      compile_tiny(device, 4, {.batches = {1, 4}, .input = GetParam().type, .outputs = GetParam().type});
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  for (std::uint32_t frames = 1; frames <= 4; ++frames) run_tiny(**slot, frames, static_cast<int>(frames), 1.0F / 256);
}

INSTANTIATE_TEST_SUITE_P(All, NeuronTypes,
                         ::testing::Values(TypeCase{"2.22", DType::kF16}, TypeCase{"2.22", DType::kBf16},
                                           TypeCase{"2.29", DType::kF16}, TypeCase{"2.29", DType::kBf16},
                                           TypeCase{"2.30", DType::kF16}, TypeCase{"2.30", DType::kBf16},
                                           TypeCase{"2.34", DType::kF16}, TypeCase{"2.34", DType::kBf16}));

TEST(NeuronBackend, TakesBytesWhereTheSpecSaysSo) {
  const SimDevice device;
  ModelSpec spec = test::tiny_model(2);
  spec.input.dtype = DType::kU8;
  test::compile_for_sim(spec, test::source_dir() / "tests/data/tiny.onnx", {{1, 2, 2, 3}, {1, 1, 16, 24}},
                        device.folder(), {.batches = {2}, .input = DType::kU8});
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  std::ranges::fill((*slot)->input().as<std::uint8_t>(), std::uint8_t{200});
  ASSERT_TRUE((*slot)->run(2));
  EXPECT_NEAR((*slot)->output(1).as<float>()[0], 1200, 0.01F);
}

// --- what does not fit --------------------------------------------------------------------------------------------

TEST(NeuronBackend, ShowsBothSidesWhereFileAndDescriptorDisagree) {
  const SimDevice device;
  const auto refusal = [&](auto bend) {
    ModelSpec spec = compile_tiny(device, 1);
    bend(spec);
    const auto slot = tiny_slot(device, spec);
    if (slot) return Error{};
    EXPECT_EQ(slot.error().code, Errc::kModel);
    return slot.error();
  };
  EXPECT_THAT(refusal([](ModelSpec& s) { s.input.name = "picture"; }).message,
              AllOf(HasSubstr("the input 'image'"), HasSubstr("input 'picture'")));
  EXPECT_THAT(refusal([](ModelSpec& s) {
                s.input.size = {32, 16};
              }).message,
              AllOf(HasSubstr("'image' 1x3x16x24 f32"), HasSubstr("'image' 1x3x16x32 f32")));
  EXPECT_THAT(refusal([](ModelSpec& s) { s.input.dtype = DType::kU8; }).message,
              AllOf(HasSubstr("1x3x16x24 f32"), HasSubstr("1x3x16x24 u8")));
  EXPECT_THAT(refusal([](ModelSpec& s) { s.input.layout = Layout::kNhwc; }).message, HasSubstr("1x16x24x3"));
  EXPECT_THAT(refusal([](ModelSpec& s) {
                s.outputs = {"sum", "heatmaps"};
              }).message,
              AllOf(HasSubstr("no output 'heatmaps'"), HasSubstr("mean"), HasSubstr("sum")));
}

TEST(NeuronBackend, RefusesFilesThatAreNoNeff) {
  const SimDevice device;
  const ModelSpec spec = compile_tiny(device, 1);
  const auto path = device.folder() / spec.weights.at(0).files.at(0).name;
  const std::string good = test::read_file(path);
  std::string damaged = good;
  const std::size_t inside = (kNeffHeaderBytes + good.size()) / 2;
  damaged[inside] = static_cast<char>(damaged[inside] ^ 1);
  for (const std::string& content : {std::string(), std::string(4000, 'x'), good.substr(0, good.size() / 2), damaged}) {
    test::write_file(path, content);
    const auto slot = tiny_slot(device, spec);
    ASSERT_FALSE(slot) << content.size();
    EXPECT_EQ(slot.error().code, Errc::kModel) << slot.error().message;
    EXPECT_THAT(slot.error().message, HasSubstr(path.filename().string()));
  }
  std::filesystem::remove(path);
  EXPECT_EQ(make_tiny(device, spec).error().code, Errc::kModel);
}

// --- cores --------------------------------------------------------------------------------------------------------

TEST(NeuronCores, AreAllThoseOfTheInstance) {
  const SimDevice device(R"({"cores": 16})");
  const auto backend = make_tiny(device, compile_tiny(device, 1));
  ASSERT_TRUE(backend) << backend.error().message;
  EXPECT_EQ((*backend)->cores().size(), 16U);
}

TEST(NeuronCores, AreThoseAskedForAndNoOthersAreTaken) {
  const SimDevice device(R"({"cores": 8})");
  const ModelSpec spec = compile_tiny(device, 1);
  const auto backend = make_tiny(device, spec, {.cores = {5, 6}});
  ASSERT_TRUE(backend) << backend.error().message;
  EXPECT_THAT((*backend)->cores(), ElementsAre(5, 6));
  std::vector<CoreId> held;
  for (const auto& use : sim::read_core_pool(device.folder() / "pool")) {
    if (use.held) held.push_back(use.core);
  }
  EXPECT_THAT(held, ElementsAre(5, 6));
  const auto slot = (*backend)->make_slot(spec, 6);
  ASSERT_TRUE(slot) << slot.error().message;
  run_tiny(**slot, 1, 1);

  const auto inside = make_tiny(device, spec, {.cores = {6}});
  ASSERT_TRUE(inside) << inside.error().message;
  const auto outside = make_tiny(device, spec, {.cores = {2}});
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, Errc::kUsage);
  EXPECT_THAT(outside.error().message, AllOf(HasSubstr("2 is not among 5-6"), HasSubstr("NEURON_RT_VISIBLE_CORES")));
}

TEST(NeuronCores, AreFreeAgainOnceTheLastBackendIsGone) {
  const SimDevice device(R"({"cores": 4})");
  const ModelSpec spec = compile_tiny(device, 1);
  for (const CoreId core : {0U, 3U}) {
    const auto backend = make_tiny(device, spec, {.cores = {core}});
    ASSERT_TRUE(backend) << backend.error().message;
    EXPECT_THAT((*backend)->cores(), ElementsAre(core));
  }
  EXPECT_EQ(std::getenv("NEURON_RT_VISIBLE_CORES"), nullptr);
}

TEST(NeuronCores, ThatDoNotExistAreNamed) {
  const SimDevice device(R"({"cores": 4})");
  const auto backend = make_tiny(device, compile_tiny(device, 1), {.cores = {1, 4}});
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::kUsage);
  EXPECT_THAT(backend.error().message, AllOf(HasSubstr("no core 4"), HasSubstr("0-3")));
}

TEST(NeuronCores, CountFromTheFirstVisibleOne) {
  const SimDevice device(R"({"cores": 8})");
  const Variable visible("NEURON_RT_VISIBLE_CORES", "4-6");
  const auto backend = make_tiny(device, compile_tiny(device, 1));
  ASSERT_TRUE(backend) << backend.error().message;
  EXPECT_THAT((*backend)->cores(), ElementsAre(0, 1, 2));
}

TEST(NeuronCores, AreAsManyAsNumCoresSays) {
  const SimDevice device(R"({"cores": 8})");
  const Variable number("NEURON_RT_NUM_CORES", "3");
  const auto backend = make_tiny(device, compile_tiny(device, 1));
  ASSERT_TRUE(backend) << backend.error().message;
  EXPECT_THAT((*backend)->cores(), ElementsAre(0, 1, 2));
}

TEST(NeuronCores, AreSharedOutByLegacyGroups) {
  const SimDevice device(R"({"cores": 8})");
  const Variable groups("NEURONCORE_GROUP_SIZES", "[1x1, 3x1]");
  const ModelSpec spec = compile_tiny(device, 1);
  auto detector = make_tiny(device, spec);
  const auto pose = make_tiny(device, spec);
  ASSERT_TRUE(detector && pose);
  EXPECT_THAT((*detector)->cores(), ElementsAre(0));
  EXPECT_THAT((*pose)->cores(), ElementsAre(1, 2, 3));
  *detector = nullptr;
  const auto again = make_tiny(device, spec);
  ASSERT_TRUE(again);
  EXPECT_THAT((*again)->cores(), ElementsAre(0));
}

TEST(NeuronCores, AreSharedByModelsOfOneProcessWithoutGroups) {
  const SimDevice device(R"({"cores": 2})");
  const ModelSpec spec = compile_tiny(device, 1);
  const auto first = tiny_slot(device, spec);
  const auto second = tiny_slot(device, spec);
  ASSERT_TRUE(first && second);
  run_tiny(**first, 1, 1);
  run_tiny(**second, 1, 2);
}

TEST(NeuronCores, AreNeighboursForANetworkThatNeedsSeveral) {
  const SimDevice device(R"({"cores": 5})");
  const ModelSpec spec = compile_tiny(device, 1, {.cores = 2});
  const auto backend = make_tiny(device, spec);
  ASSERT_TRUE(backend) << backend.error().message;
  EXPECT_THAT((*backend)->cores(), ElementsAre(0, 2));
  const auto slot = (*backend)->make_slot(spec, 2);
  ASSERT_TRUE(slot) << slot.error().message;
  run_tiny(**slot, 1, 1);
}

TEST(NeuronCores, AreTooFewForANetworkThatNeedsMore) {
  const SimDevice device(R"({"cores": 4})");
  const auto backend = make_tiny(device, compile_tiny(device, 1, {.cores = 2}), {.cores = {0, 2}});
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::kUsage);
  EXPECT_THAT(backend.error().message, HasSubstr("needs 2 neighbouring NeuronCores"));
}

// --- other processes ----------------------------------------------------------------------------------------------

TEST(NeuronProcesses, ShareADevice) {
  const SimDevice device(R"({"cores": 4})");
  test::Process other({POSECAM_HOLDER, "0-1"});
  ASSERT_EQ(other.line().substr(0, 5), "posec");  // its log
  ASSERT_EQ(other.line(), "ready");
  const auto slot = tiny_slot(device, compile_tiny(device, 1), {.cores = {2, 3}});
  ASSERT_TRUE(slot) << slot.error().message;
  run_tiny(**slot, 1, 1);
}

TEST(NeuronProcesses, AreNamedWhenTheyHoldTheCores) {
  const SimDevice device(R"({"cores": 2})");
  test::Process other({POSECAM_HOLDER, "0"});
  other.line();
  ASSERT_EQ(other.line(), "ready");
  RuntimeOptions options;
  options.device = kNeuronSim;
  options.patience = std::chrono::milliseconds(0);
  auto library = load_neuron_library(kNeuronSim);
  ASSERT_TRUE(library);
  const auto runtime = NeuronRuntime::open(*library, options);
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code, Errc::kDevice);
  EXPECT_THAT(runtime.error().message, AllOf(HasSubstr(fmt::format("process {}", other.pid())),
                                             HasSubstr("neuron_holder"), HasSubstr("cores=")));
}

TEST(NeuronProcesses, FreeTheirCoresWhenTheyAreKilledAndWhoWaitsGetsThem) {
  const SimDevice device(R"({"cores": 1})");
  test::Process other({POSECAM_HOLDER});
  other.line();
  ASSERT_EQ(other.line(), "ready");
  std::jthread killer([&] { other.kill(SIGKILL); });  // while we try, or before
  const auto slot = tiny_slot(device, compile_tiny(device, 1));
  ASSERT_TRUE(slot) << slot.error().message;
  run_tiny(**slot, 1, 1);
}

// --- observers ----------------------------------------------------------------------------------------------------

TEST(NeuronBackend, TellsObserversWhatItsCoresDo) {
  const SimDevice device(R"({"cores": 2})");
  const ModelSpec spec = compile_tiny(device, 4, {.batches = {4}});
  const auto backend = make_tiny(device, spec);
  ASSERT_TRUE(backend);
  const auto slot = (*backend)->make_slot(spec, 1);
  ASSERT_TRUE(slot);
  ASSERT_TRUE((*slot)->run(3));
  const auto use = CoreBoard::read(CoreBoard::folder());
  ASSERT_EQ(use.size(), 1U);
  EXPECT_EQ(use[0].device, "neuron-sim");
  EXPECT_EQ(use[0].model, "tiny");
  EXPECT_EQ(use[0].core, 1U);
  EXPECT_EQ(use[0].executions, 1U);
  EXPECT_EQ(use[0].rows, 3U);
  EXPECT_GT(use[0].busy_ns, 0U);
}

TEST(NeuronBackend, OpensAndClosesFromManyThreads) {
  const SimDevice device(R"({"cores": 2})");
  const ModelSpec spec = compile_tiny(device, 1);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 10; ++n) {
        const auto slot = tiny_slot(device, spec);
        ASSERT_TRUE(slot) << slot.error().message;
        run_tiny(**slot, 1, t * 100 + n);
      }
    });
  }
}

}  // namespace
}  // namespace posecam
