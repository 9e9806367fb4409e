// Every status of every call, at the start and while frames are under way.

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "pipeline/neuron/machine/core_file.h"
#include "pipeline/neuron/nrt/neuron_library.h"
#include "pipeline/neuron/nrt/nrt_status.h"
#include "pipeline/neuron/runtime/neuron_runtime.h"
#include "tests/unit/pipeline/neuron/runtime/tiny.h"

namespace posecam {
namespace {

using test::compile_tiny;
using test::SimDevice;
using ::testing::HasSubstr;

constexpr NRT_STATUS kStatuses[] = {1,    2,    3,    4,    5,    6,    7,    9,    10,   11,   13,   14,   15,   101,
                                    1002, 1003, 1004, 1005, 1006, 1100, 1200, 1201, 1202, 1203, 1204, 1205, 1206, 4711};

std::string fault(std::string_view call, NRT_STATUS status, int from = 1) {
  return fmt::format(R"({{"cores": 1, "faults": [{{"call": "{}", "status": {}, "from": {}}}]}})", call, status, from);
}

/// Device memory that nobody gave back.
std::uint64_t memory_left(const SimDevice& device) {
  std::uint64_t bytes = 0;
  for (const auto& use : sim::read_core_pool(device.folder() / "pool")) bytes += use.memory_used;
  return bytes;
}

class NeuronStatus : public ::testing::TestWithParam<const char*> {};

TEST_P(NeuronStatus, AtTheStartIsWhatTheTableSaysAndLeaksNothing) {
  const std::string call = GetParam();
  const bool needed = call != "nrt_unload" && call != "nrt_free_model_tensor_info" && call != "nrt_get_version" &&
                      call != "nrt_get_total_nc_count" && call != "nrt_get_instance_info" &&
                      call != "nrt_get_model_nc_count" && call != "nrt_tensor_read";
  for (const NRT_STATUS status : kStatuses) {
    const SimDevice device(fault(call, status));
    const auto slot = test::tiny_slot(device, compile_tiny(device, 2));
    const bool passes = !needed || (call == "nrt_execute" && nrt_succeeded(status));
    ASSERT_EQ(static_cast<bool>(slot), passes) << call << " " << status;
    if (!slot) {
      EXPECT_EQ(slot.error().code, nrt_setup_error("", status).code) << call << " " << status;
      EXPECT_THAT(slot.error().message, HasSubstr(call)) << status;
      EXPECT_THAT(slot.error().message, HasSubstr(std::to_string(status)));
      EXPECT_EQ(memory_left(device), 0U) << call << " " << status;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, NeuronStatus,
                         ::testing::Values("nrt_get_visible_nc_count", "nrt_load", "nrt_get_model_tensor_info",
                                           "nrt_allocate_tensor_set", "nrt_add_tensor_to_tensor_set",
                                           "nrt_tensor_allocate", "nrt_tensor_write", "nrt_execute", "nrt_unload",
                                           "nrt_free_model_tensor_info", "nrt_get_total_nc_count",
                                           "nrt_get_instance_info", "nrt_get_model_nc_count", "nrt_tensor_read"),
                         [](const auto& call) { return std::string(call.param); });

TEST(NeuronStatusOfInit, IsADeviceThatDoesNotStart) {
  for (const NRT_STATUS status : kStatuses) {
    const SimDevice device(fault("nrt_init", status));
    RuntimeOptions options;
    options.device = kNeuronSim;
    options.patience = std::chrono::milliseconds(0);
    auto library = load_neuron_library(kNeuronSim);
    ASSERT_TRUE(library);
    const auto runtime = NeuronRuntime::open(*library, options);
    ASSERT_FALSE(runtime) << status;
    EXPECT_EQ(runtime.error().code, Errc::kDevice);
    EXPECT_THAT(runtime.error().message, HasSubstr(fmt::format("({})", status)));
  }
}

TEST(NeuronStatusOfInit, IsTriedAgainForAWhile) {
  const SimDevice device(R"({"cores": 1, "faults": [{"call": "nrt_init", "status": 4, "from": 1, "count": 2}]})");
  RuntimeOptions options;
  options.device = kNeuronSim;
  auto library = load_neuron_library(kNeuronSim);
  ASSERT_TRUE(library);
  const auto runtime = NeuronRuntime::open(*library, options);
  EXPECT_TRUE(runtime) << runtime.error().message;
}

class NeuronRunStatus : public ::testing::TestWithParam<const char*> {};

TEST_P(NeuronRunStatus, IsWhatTheTableSaysAndTheSlotGoesOn) {
  const std::string call = GetParam();
  for (const NRT_STATUS status : kStatuses) {
    // The warm-up of one size writes its two rows of zeros, executes once and reads nothing.
    const int from = call == "nrt_tensor_write" ? 3 : call == "nrt_execute" ? 2 : 1;
    const SimDevice device(fmt::format(
        R"({{"cores": 1, "faults": [{{"call": "{}", "status": {}, "from": {}, "count": 1}}]}})", call, status, from));
    const auto slot = test::tiny_slot(device, compile_tiny(device, 2));
    ASSERT_TRUE(slot) << call << " " << slot.error().message;
    const auto ran = (*slot)->run(2);
    // A busy core is tried again.
    if (call == "nrt_execute" && (nrt_succeeded(status) || nrt_status_row(status).errc == Errc::kBusy)) {
      EXPECT_TRUE(ran) << ran.error().message;
    } else {
      ASSERT_FALSE(ran) << call << " " << status;
      EXPECT_EQ(ran.error().code, nrt_run_error("", status).code) << call << " " << status;
      EXPECT_THAT(ran.error().message, HasSubstr("core 0 of device neuron-sim: " + call));
    }
    test::run_tiny(**slot, 2, 5);
  }
}

INSTANTIATE_TEST_SUITE_P(Calls, NeuronRunStatus,
                         ::testing::Values("nrt_tensor_write", "nrt_execute", "nrt_tensor_read"),
                         [](const auto& call) { return std::string(call.param); });

}  // namespace
}  // namespace posecam
