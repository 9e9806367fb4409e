// What the Neuron client makes of the runtime's settings and answers.

#include "pipeline/neuron/runtime/neuron_runtime.h"

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/report/neuron_report.h"
#include "tests/unit/pipeline/neuron/runtime/tiny.h"
#include "tests/unit/pipeline/neuron/sim/process.h"

namespace posecam {
namespace {

using test::compile_tiny;
using test::SimDevice;
using test::tiny_slot;
using test::Variable;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Result<std::shared_ptr<NeuronRuntime>> open_runtime(std::vector<CoreId> cores = {}) {
  RuntimeOptions options;
  options.device = kNeuronSim;
  options.cores = std::move(cores);
  options.patience = std::chrono::milliseconds(0);
  auto library = load_neuron_library(kNeuronSim);
  if (!library) return library.error();
  return NeuronRuntime::open(*library, options);
}

// --- settings -----------------------------------------------------------------------------------------------------

TEST(NeuronSettings, ThatNameCoresWhichDoNotExistAreNamedWhereTheRuntimeRefuses) {
  const SimDevice device(R"({"cores": 4})");
  for (const auto& [variable, value] :
       {std::pair{"NEURON_RT_VISIBLE_CORES", "9"}, {"NEURON_RT_VISIBLE_CORES", "3-4"}, {"NEURON_RT_NUM_CORES", "5"}}) {
    const Variable setting(variable, value);
    const auto runtime = open_runtime();
    ASSERT_FALSE(runtime) << variable;
    EXPECT_EQ(runtime.error().code, Errc::kDevice);
    EXPECT_THAT(runtime.error().message,
                AllOf(HasSubstr("nrt_init says"), HasSubstr(fmt::format("the cores of {}={} here", variable, value))));
  }
}

TEST(NeuronSettings, OfPosecamThatNameCoresWhichDoNotExistAreRefusedAtOnce) {
  const SimDevice device(R"({"cores": 4})");
  const auto list = open_runtime({4});
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, Errc::kUsage);
  EXPECT_THAT(list.error().message, AllOf(HasSubstr("cores: "), HasSubstr("0-3"), HasSubstr("container")));
  const Variable groups("NEURONCORE_GROUP_SIZES", "2x2,1x1");
  const auto grouped = open_runtime();
  ASSERT_FALSE(grouped);
  EXPECT_EQ(grouped.error().code, Errc::kUsage);
  EXPECT_THAT(grouped.error().message, AllOf(HasSubstr("NEURONCORE_GROUP_SIZES=2x2,1x1: "), HasSubstr("0-3")));
}

/// docker run --device=/dev/neuron12 --device=/dev/neuron13 --env NEURON_RT_VISIBLE_CORES=51,52, as AWS shows it.
TEST(NeuronSettings, OfAContainerNameCoresBeyondTheTotal) {
  const SimDevice device(R"({"cores": 64, "total": 8})");
  const Variable visible("NEURON_RT_VISIBLE_CORES", "51,52");
  const auto beyond = open_runtime({2});
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Errc::kUsage);
  EXPECT_THAT(beyond.error().message, AllOf(HasSubstr("2 is not among 0-1"), HasSubstr("VISIBLE_CORES=51,52")));
  const auto runtime = open_runtime({0, 1});
  ASSERT_TRUE(runtime) << runtime.error().message;
  EXPECT_THAT((*runtime)->cores(), ElementsAre(0, 1));
  std::vector<CoreId> held;
  for (const NeuronDevice& one : simulated_devices()) held.push_back(one.index);
  EXPECT_THAT(held, ElementsAre(51, 52));
}

TEST(NeuronSettings, ThatLimitTheCoresAreNamedToWhoWantsOthers) {
  const SimDevice device(R"({"cores": 4})");
  for (const auto& [variable, value] : {std::pair{"NEURON_RT_VISIBLE_CORES", "1"}, {"NEURON_RT_NUM_CORES", "1"}}) {
    const Variable setting(variable, value);
    const auto runtime = open_runtime({3});
    ASSERT_FALSE(runtime) << variable;
    EXPECT_EQ(runtime.error().code, Errc::kUsage);
    EXPECT_THAT(runtime.error().message, AllOf(HasSubstr("3 is not among 0: "), Not(HasSubstr("first engine")),
                                               HasSubstr(fmt::format("{}={}", variable, value))));
  }
}

/// Another process that holds a core.
class Holder {
 public:
  explicit Holder(const std::string& cores) : process_({POSECAM_HOLDER, cores}) {
    process_.line();  // its log
    EXPECT_EQ(process_.line(), "ready");
  }
  std::string name() const { return fmt::format("process {} ", process_.pid()); }

 private:
  test::Process process_;
};

TEST(NeuronHolders, AreNamedIfTheyLieWithinTheRangeThatIsTaken) {
  const SimDevice device(R"({"cores": 4})");
  const Holder between("1");
  const auto runtime = open_runtime({0, 2});
  ASSERT_FALSE(runtime);
  EXPECT_THAT(runtime.error().message, HasSubstr(between.name()));
}

TEST(NeuronHolders, AreThoseOfTheVisibleCoresAndNoOthers) {
  const SimDevice device(R"({"cores": 4})");
  const Holder innocent("0");
  const Holder holder("1");
  const Variable visible("NEURON_RT_VISIBLE_CORES", "1");
  for (const std::vector<CoreId>& cores : {std::vector<CoreId>{0}, {}}) {
    const auto runtime = open_runtime(cores);
    ASSERT_FALSE(runtime);
    EXPECT_THAT(runtime.error().message, AllOf(HasSubstr(holder.name()), Not(HasSubstr(innocent.name()))));
  }
}

TEST(NeuronHolders, AreAllThatThereAreWhereOnlyANumberWasAskedFor) {
  const SimDevice device(R"({"cores": 2})");
  const Holder holder("1");
  const Variable number("NEURON_RT_NUM_CORES", "2");
  const auto runtime = open_runtime({0});
  ASSERT_FALSE(runtime);
  EXPECT_THAT(runtime.error().message, HasSubstr(holder.name()));
}

TEST(NeuronHolders, AreLookedForInThePoolOfTheConfiguration) {
  const SimDevice device;
  const auto folder = device.folder() / "another-pool";
  const Variable config("NEURON_SIM_CONFIG", fmt::format(R"({{"cores": 2, "pool": "{}"}})", folder.string()));
  const Variable pool("NEURON_SIM_POOL", std::nullopt);
  const Holder holder("1");
  const auto devices = simulated_devices();
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_THAT(devices[0].core_ids, ElementsAre(1));
  const auto runtime = open_runtime({1});
  ASSERT_FALSE(runtime);
  EXPECT_THAT(runtime.error().message, HasSubstr(holder.name()));
}

TEST(NeuronHolders, OfAnEarlierLargerInstanceAreListedOnlyWhileTheyHold) {
  const SimDevice device(R"({"cores": 4})");
  const Holder holder("3");
  { const Holder before("2"); }
  const Variable smaller("NEURON_SIM_CONFIG", R"({"cores": 2})");
  const auto devices = simulated_devices();
  ASSERT_EQ(devices.size(), 1U);
  EXPECT_THAT(devices[0].core_ids, ElementsAre(3));
}

// --- groups -------------------------------------------------------------------------------------------------------

TEST(NeuronGroups, AreSharedOutToManyThreads) {
  const SimDevice device(R"({"cores": 4})");
  const Variable groups("NEURONCORE_GROUP_SIZES", "2x1");
  const auto runtime = open_runtime();
  ASSERT_TRUE(runtime) << runtime.error().message;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500'000; ++n) {
        const auto lease = (*runtime)->lease_group();
        ASSERT_NE(lease, nullptr) << n;
        ASSERT_THAT(*lease, ElementsAre(0, 1));
      }
    });
  }
}

// --- files --------------------------------------------------------------------------------------------------------

TEST(NeuronFiles, ThatDoNotLoadMayBeForOtherHardware) {
  for (const NRT_STATUS status : {NRT_FAILURE, NRT_INVALID, NRT_HW_ERROR, NRT_UNSUPPORTED_NEFF_VERSION}) {
    const SimDevice device(fmt::format(R"({{"faults": [{{"call": "nrt_load", "status": {}}}]}})", status));
    ModelSpec spec = compile_tiny(device, 1);
    spec.weights.back().target = "trn1";
    const auto slot = tiny_slot(device, spec);
    ASSERT_FALSE(slot);
    EXPECT_THAT(slot.error().message, HasSubstr("or compiled for other hardware (trn1)"));
  }
}

TEST(NeuronFiles, AreLoadedOnAsManyCoresAsTheyNeedAndWhereTheyBelong) {
  const SimDevice device(R"({"cores": 2})");
  const Variable library("POSECAM_NRT_LIBRARY", POSECAM_ODD_RUNTIME);
  const ModelSpec spec = compile_tiny(device, 1);
  const auto load = [&] {
    const auto backend = make_neuron_backend(kNeuron, spec, device.folder(), {});
    return backend ? (*backend)->make_slot(spec, 1) : backend.error();
  };
  const Variable counted("POSECAM_TEST_NEEDS_COUNT", "1");
  EXPECT_TRUE(load()) << "as AWS's clients do";
  const Variable elsewhere("POSECAM_TEST_LOADED_ON", "0");
  const auto strayed = load();
  ASSERT_FALSE(strayed);
  EXPECT_THAT(strayed.error().message, HasSubstr("the runtime loaded it on core 0 of this process, not on 1"));
}

TEST(NeuronFiles, AndTheRuntimeMustHaveTheSameLogicalCores) {
  const char* const variable = "NEURON_LOGICAL_NC_CONFIG";
  const Variable clean(variable, std::nullopt);
  const SimDevice device(R"({"cores": 2})");
  ModelSpec spec = compile_tiny(device, 1);
  spec.weights.back().target = "trn2";
  {
    const auto backend = test::make_tiny(device, spec);
    ASSERT_TRUE(backend) << backend.error().message;
    EXPECT_STREQ(std::getenv(variable), "1") << "what the NEFF says";
  }
  EXPECT_EQ(std::getenv(variable), nullptr);
  const Variable other(variable, "2");
  const auto backend = test::make_tiny(device, spec);
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error().code, Errc::kModel);
  EXPECT_THAT(backend.error().message, HasSubstr("compiled with -lnc 1, but NEURON_LOGICAL_NC_CONFIG=2"));
}

// --- tensors ------------------------------------------------------------------------------------------------------

TEST(NeuronTensors, ThatNobodyReadsMayBeOfAnyKind) {
  const SimDevice device;
  const Variable library("POSECAM_NRT_LIBRARY", POSECAM_ODD_RUNTIME);
  ModelSpec spec = compile_tiny(device, 2);
  const auto slot = [&]() -> Result<std::unique_ptr<Slot>> {
    const auto backend = make_neuron_backend(kNeuron, spec, device.folder(), {});
    if (!backend) return backend.error();
    return (*backend)->make_slot(spec, 0);
  };
  const Variable odd("POSECAM_TEST_ODD_TENSOR", "mean");
  const auto refused = slot();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("'mean' has no shape"));
  spec.outputs = {"sum"};
  const auto taken = slot();
  ASSERT_TRUE(taken) << taken.error().message;
  EXPECT_TRUE((*taken)->run(2));
}

/// The device's memory is seen by the device alone: so it is made to refuse what must come. Four writes clear it, one
/// has the four rows, one the single row; the next clears.
TEST(NeuronBackend, ClearsTheRowsThatAShortBatchLeavesBehind) {
  const SimDevice device(R"({"faults": [{"call": "nrt_tensor_write", "from": 7, "count": 1, "status": 1}]})");
  const ModelSpec spec = compile_tiny(device, 4);
  const auto slot = tiny_slot(device, spec);
  ASSERT_TRUE(slot) << slot.error().message;
  test::run_tiny(**slot, 4, 1);
  const auto refused = (*slot)->run(1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("nrt_tensor_write"));
  test::run_tiny(**slot, 1, 1);
}

}  // namespace
}  // namespace posecam
