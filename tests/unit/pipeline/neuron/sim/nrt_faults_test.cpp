// Faults on order: calls that fail, cores that are slow, hang or are lost, and what is said of those that come too
// late.

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/unit/pipeline/neuron/sim/sim_model.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using test::NrtTest;
using test::SimModel;
using test::tiny_neff;
using test::tiny_program;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

class NrtFaults : public NrtTest {
 protected:
  void SetUp() override { environment_.set("NEURON_RT_LOG_LEVEL", "QUIET"); }
};

TEST_F(NrtFaults, ExecutionsFailFromTheNthOnTheirCore) {
  ASSERT_EQ(init(R"({"faults": [{"call": "nrt_execute", "core": 1, "from": 2, "count": 2, "status": 1005}]})"),
            NRT_SUCCESS);
  SimModel good(tiny_program(), 0);
  SimModel bad(tiny_program(), 1);
  for (const NRT_STATUS expected : {0U, 1005U, 1005U, 0U}) {
    EXPECT_EQ(bad.execute(), expected);
    EXPECT_EQ(good.execute(), NRT_SUCCESS);
  }
}

struct Told {
  std::mutex mutex;
  std::vector<NRT_STATUS> statuses;
  static void hear(void* self, std::uint32_t /*model*/, std::uint32_t /*vnc*/, std::uint64_t /*job*/,
                   NRT_STATUS status) {
    const std::lock_guard lock(static_cast<Told*>(self)->mutex);
    static_cast<Told*>(self)->statuses.push_back(status);
  }
};

TEST_F(NrtFaults, AreToldToTheCallbackOnlyWhereExecutionsAreAsynchronous) {
  environment_.set("NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS", "4");
  ASSERT_EQ(init(R"({"runtime": "2.30", "time": {"fixed_ms": 20},
                     "faults": [{"call": "nrt_execute", "from": 2, "count": 1, "status": 1004}]})"),
            NRT_SUCCESS);
  Told told;
  ASSERT_EQ(nrt_register_async_exec_callback(&Told::hear, &told), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  model.write(test::tiny_row(1));
  const std::vector<float> before = model.read();
  EXPECT_EQ(model.execute(), NRT_SUCCESS);
  EXPECT_EQ(model.read(), before) << "the outputs come late";
  EXPECT_EQ(model.execute(), NRT_SUCCESS);
  ASSERT_EQ(nrt_async_drain_queued_execs(-1), NRT_SUCCESS);
  EXPECT_THAT(model.read(), Pointwise(FloatNear(0.001F), test::expected_sum(1)));
  EXPECT_THAT(told.statuses, ElementsAre(NRT_SUCCESS, NRT_EXEC_COMPLETED_WITH_ERR));
}

TEST_F(NrtFaults, ComeBackAtOnceInRuntimesThatAreNeverAsynchronous) {
  environment_.set("NEURON_RT_ASYNC_EXEC_MAX_INFLIGHT_REQUESTS", "4");
  ASSERT_EQ(init(R"({"runtime": "2.34", "faults": [{"call": "nrt_execute", "status": 1004}]})"), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  EXPECT_EQ(model.execute(), NRT_EXEC_COMPLETED_WITH_ERR);
}

TEST_F(NrtFaults, StrikeEachSoManiethCall) {
  ASSERT_EQ(init(R"({"faults": [{"call": "nrt_execute", "from": 2, "every": 3, "status": 1005}]})"), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  for (const NRT_STATUS expected : {0U, 1005U, 0U, 0U, 1005U, 0U, 0U, 1005U}) EXPECT_EQ(model.execute(), expected);
}

TEST_F(NrtFaults, CoresAreNumberedAsOnTheInstance) {
  environment_.set("NEURON_RT_VISIBLE_CORES", "1");
  ASSERT_EQ(init(R"({"faults": [{"call": "nrt_execute", "core": 1, "status": 1004}]})"), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  EXPECT_EQ(model.execute(), NRT_EXEC_COMPLETED_WITH_ERR);
}

TEST_F(NrtFaults, NumericalErrorsComeWithResults) {
  ASSERT_EQ(init(R"({"faults": [{"call": "nrt_execute", "status": 1003}]})"), NRT_SUCCESS);
  SimModel model(tiny_program(), 0);
  model.write(test::tiny_row(2));
  EXPECT_EQ(model.execute(), NRT_EXEC_COMPLETED_WITH_NUM_ERR);
  EXPECT_THAT(model.read(), Pointwise(FloatNear(0.001F), test::expected_sum(2)));
}

TEST_F(NrtFaults, ALostCoreComesBackWithANewInitialisationIfItRecovers) {
  for (const bool recovers : {true, false}) {
    const std::string config = fmt::format(R"({{"faults": [{{"core": 0, "lost_at": 2, "recovers": {}}}]}})", recovers);
    ASSERT_EQ(init(config.c_str()), NRT_SUCCESS);
    for (int load = 0; load < 2; ++load) {  // loading again is no remedy
      SimModel model(tiny_program(), 0);
      if (load == 0) {
        EXPECT_EQ(model.execute(), NRT_SUCCESS);
      }
      EXPECT_EQ(model.execute(), NRT_EXEC_UNIT_UNRECOVERABLE);
    }
    close();
    ASSERT_EQ(init(config.c_str()), NRT_SUCCESS);
    {
      SimModel again(tiny_program(), 0);
      EXPECT_EQ(again.execute(), recovers ? NRT_SUCCESS : NRT_EXEC_UNIT_UNRECOVERABLE);
    }
    close();
  }
}

TEST_F(NrtFaults, AHangEndsAtTheTimeoutAndStays) {
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "0.05");
  for (const char* mode : {"exact", "timed"}) {
    const std::string config =
        std::string(R"({"mode": ")") + mode + R"(", "time": {"fixed_ms": 1}, "faults": [{"core": 0, "hang_at": 2}]})";
    ASSERT_EQ(init(config.c_str()), NRT_SUCCESS);
    {
      SimModel model(tiny_program(), 0);
      EXPECT_EQ(model.execute(), NRT_SUCCESS);
      for (int i = 0; i < 2; ++i) {
        const auto start = Clock::now();
        EXPECT_EQ(model.execute(), NRT_TIMEOUT);
        EXPECT_GE(Clock::now() - start, milliseconds(50));
      }
    }
    close();
  }
}

TEST_F(NrtFaults, ASlowCoreTakesLongerAndATooSlowOneTimesOut) {
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "0.2");
  ASSERT_EQ(init(R"({"mode": "timed", "cores": 3, "time": {"fixed_ms": 10},
                     "faults": [{"core": 1, "slow": 5}, {"core": 2, "slow": 1000}]})"),
            NRT_SUCCESS);
  SimModel slow(tiny_program(), 1);
  const auto start = Clock::now();
  EXPECT_EQ(slow.execute(), NRT_SUCCESS);
  EXPECT_GE(Clock::now() - start, milliseconds(50));
  SimModel dead(tiny_program(), 2);
  EXPECT_EQ(dead.execute(), NRT_TIMEOUT);
}

TEST_F(NrtFaults, ASlowCoreTimesOutAlsoWhereNoTimeIsGiven) {
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "0.05");
  ASSERT_EQ(init(R"({"faults": [{"core": 1, "slow": 10000}]})"), NRT_SUCCESS);
  SimModel good(tiny_program(), 0);
  EXPECT_EQ(good.execute(), NRT_SUCCESS);
  SimModel slow(tiny_program(), 1);
  const auto start = Clock::now();
  EXPECT_EQ(slow.execute(), NRT_TIMEOUT);
  EXPECT_GE(Clock::now() - start, milliseconds(50));
}

TEST_F(NrtFaults, SlownessBeyondAllTimesOut) {
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "0.05");
  for (const char* mode : {"exact", "timed"}) {
    const std::string config = std::string(R"({"mode": ")") + mode +
                               R"(", "time": {"fixed_ms": 3600000}, "faults": [{"slow": 1e6}, {"slow": 1e6}]})";
    ASSERT_EQ(init(config.c_str()), NRT_SUCCESS);
    {
      SimModel model(tiny_program(), 0);
      EXPECT_EQ(model.execute(), NRT_TIMEOUT) << mode;
    }
    close();
  }
}

TEST_F(NrtFaults, EveryTimeoutSaysWhoseItWas) {
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "0.05");
  environment_.set("NEURON_RT_LOG_LEVEL", "ERROR");
  for (const char* mode : {"exact", "timed"}) {
    const std::string config =
        std::string(R"({"mode": ")") + mode + R"(", "time": {"fixed_ms": 60}, "faults": [{"core": 0, "hang_at": 2}]})";
    ASSERT_EQ(init(config.c_str()), NRT_SUCCESS);
    {
      SimModel model(tiny_program(), 0);
      for (const char* what : {"late", "hangs"}) {
        ::testing::internal::CaptureStderr();
        EXPECT_EQ(model.execute(), NRT_TIMEOUT);
        EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("tiny: no answer from nc0 in 50 ms"))
            << mode << ' ' << what;
      }
    }
    close();
  }
}

TEST_F(NrtFaults, InitFailsAsOftenAsOrdered) {
  // Counted for the life of the process, whose earlier tests may have called nrt_init already: only "always" is sure.
  EXPECT_EQ(init(R"({"faults": [{"call": "nrt_init", "status": 2}]})"), NRT_INVALID);
  EXPECT_EQ(init(R"({"faults": [{"call": "nrt_init", "status": 1}]})"), NRT_FAILURE);
  EXPECT_EQ(init(), NRT_SUCCESS);
}

/// The first calls of nrt_init of a process, which fails where it is not as `expected`.
int statuses_of_init(const std::vector<NRT_STATUS>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const NRT_STATUS status = nrt_init(NRT_FRAMEWORK_TYPE_NO_FW, "", "");
    if (status != expected[i]) return static_cast<int>(i) + 1;
    if (status == NRT_SUCCESS) nrt_close();
  }
  return 0;
}

TEST_F(NrtFaults, InitFailsFromTheNthOfTheProcessAsOftenAsOrdered) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  environment_.set("NEURON_SIM_CONFIG", R"({"faults": [{"call": "nrt_init", "from": 2, "count": 2, "status": 4}]})");
  EXPECT_EXIT(std::exit(statuses_of_init({NRT_SUCCESS, NRT_RESOURCE, NRT_RESOURCE, NRT_SUCCESS, NRT_SUCCESS})),
              ::testing::ExitedWithCode(0), "");
}

/// Makes one call of each function that returns a status; the one that gives `wanted`.
std::string call_that_fails(NRT_STATUS wanted, SimModel& model, const std::vector<std::byte>& neff) {
  std::string failed;
  const auto note = [&](const char* name, NRT_STATUS status) {
    if (status == wanted) failed += std::string(failed.empty() ? "" : " ") + name;
  };
  std::uint32_t count = 0;
  nrt_version_t version{};
  nrt_instance_info_t instance{};
  nrt_model_info_t info{};
  nrt_vnc_memory_stats_t stats{};
  std::size_t size = 0;
  nrt_model_t* loaded = nullptr;
  nrt_tensor_t* tensor = nullptr;
  nrt_tensor_t* slice = nullptr;
  nrt_tensor_set_t* set = nullptr;
  nrt_tensor_info_array_t* infos = nullptr;
  char byte = 0;
  note("nrt_get_total_nc_count", nrt_get_total_nc_count(&count));
  note("nrt_get_total_vnc_count", nrt_get_total_vnc_count(&count));
  note("nrt_get_visible_nc_count", nrt_get_visible_nc_count(&count));
  note("nrt_get_visible_vnc_count", nrt_get_visible_vnc_count(&count));
  note("nrt_get_version", nrt_get_version(&version, sizeof version));
  note("nrt_get_instance_info", nrt_get_instance_info(&instance, sizeof instance));
  note("nrt_get_vnc_memory_stats", nrt_get_vnc_memory_stats(0, &stats, sizeof stats, &size));
  note("nrt_get_model_nc_count", nrt_get_model_nc_count(model.model, &count));
  note("nrt_get_model_vnc_count", nrt_get_model_vnc_count(model.model, &count));
  note("nrt_get_model_instance_count", nrt_get_model_instance_count(model.model, &count));
  note("nrt_get_model_info", nrt_get_model_info(model.model, &info, sizeof info, &size));
  note("nrt_get_model_tensor_info", nrt_get_model_tensor_info(model.model, &infos));
  if (infos) note("nrt_free_model_tensor_info", nrt_free_model_tensor_info(infos));
  note("nrt_allocate_tensor_set", nrt_allocate_tensor_set(&set));
  if (set) nrt_destroy_tensor_set(&set);
  note("nrt_tensor_allocate", nrt_tensor_allocate(NRT_TENSOR_PLACEMENT_DEVICE, 0, 8, "", &tensor));
  if (tensor) nrt_tensor_free(&tensor);
  tensor = model.tensors[0];
  note("nrt_add_tensor_to_tensor_set", nrt_add_tensor_to_tensor_set(model.inputs, "image", tensor));
  note("nrt_get_tensor_from_tensor_set", nrt_get_tensor_from_tensor_set(model.inputs, "image", &tensor));
  note("nrt_tensor_allocate_slice", nrt_tensor_allocate_slice(tensor, 0, 4, "", &slice));
  if (slice) nrt_tensor_free(&slice);
  note("nrt_tensor_write", nrt_tensor_write(tensor, &byte, 0, 1));
  note("nrt_tensor_read", nrt_tensor_read(tensor, &byte, 0, 1));
  note("nrt_tensor_memset", nrt_tensor_memset(tensor, 0, 0, 1));
  note("nrt_tensor_copy", nrt_tensor_copy(tensor, 0, tensor, 1, 1));
  note("nrt_execute", model.execute());
  note("nrt_execute_repeat", nrt_execute_repeat(model.model, model.inputs, model.outputs, 1));
  note("nrt_load", nrt_load(neff.data(), neff.size(), 0, -1, &loaded));
  if (loaded) note("nrt_unload", nrt_unload(loaded));
  return failed;
}

TEST_F(NrtFaults, EveryCallCanBeToldToReturnEveryCode) {
  const auto neff = tiny_neff(tiny_program());
  for (const NRT_STATUS status : {1U, 5U, 7U, 101U, 1205U, 4711U}) {
    for (const char* call : {"nrt_get_total_nc_count",
                             "nrt_get_total_vnc_count",
                             "nrt_get_visible_nc_count",
                             "nrt_get_visible_vnc_count",
                             "nrt_get_version",
                             "nrt_get_instance_info",
                             "nrt_get_vnc_memory_stats",
                             "nrt_get_model_nc_count",
                             "nrt_get_model_vnc_count",
                             "nrt_get_model_instance_count",
                             "nrt_get_model_info",
                             "nrt_get_model_tensor_info",
                             "nrt_free_model_tensor_info",
                             "nrt_allocate_tensor_set",
                             "nrt_tensor_allocate",
                             "nrt_add_tensor_to_tensor_set",
                             "nrt_get_tensor_from_tensor_set",
                             "nrt_tensor_allocate_slice",
                             "nrt_tensor_write",
                             "nrt_tensor_read",
                             "nrt_tensor_memset",
                             "nrt_tensor_copy",
                             "nrt_execute_repeat",
                             "nrt_unload"}) {
      const std::string config = std::string(R"({"faults": [{"call": ")") + call + R"(", "from": )" +
                                 (std::string(call) == "nrt_allocate_tensor_set"        ? "3"
                                  : std::string(call) == "nrt_tensor_allocate"          ? "4"
                                  : std::string(call) == "nrt_add_tensor_to_tensor_set" ? "4"
                                                                                        : "1") +
                                 R"(, "status": )" + std::to_string(status) + "}]}";
      ASSERT_EQ(init(config.c_str()), NRT_SUCCESS);
      {
        SimModel model(tiny_program(), 0);
        EXPECT_EQ(call_that_fails(status, model, neff), call);
      }
      close();
    }
  }
}

}  // namespace
}  // namespace posecam
