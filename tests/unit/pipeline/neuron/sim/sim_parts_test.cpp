// The parts of the simulator on their own: configuration, faults, the clocks of cores, numbers, storage.

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <thread>

#include <gmock/gmock.h>

#include "pipeline/neuron/machine/config.h"
#include "pipeline/neuron/machine/faults.h"
#include "pipeline/neuron/machine/visible_cores.h"
#include "pipeline/neuron/sim/core.h"
#include "pipeline/neuron/sim/numbers.h"
#include "pipeline/neuron/sim/schedule.h"
#include "pipeline/neuron/sim/shared_network.h"
#include "pipeline/neuron/sim/storage.h"
#include "tests/unit/pipeline/neuron/sim/sim_support.h"

namespace posecam::sim {
namespace {

using ::testing::HasSubstr;

const char* from_environment(const char* name) { return std::getenv(name); }

class SimConfig : public ::testing::Test {
 protected:
  Result<Config> read(const char* text) {
    environment_.set("NEURON_SIM_CONFIG", text);
    return read_config(from_environment);
  }
  std::string complaint(const char* text) {
    const auto config = read(text);
    EXPECT_FALSE(config) << text;
    return config ? std::string() : config.error().message;
  }
  test::Environment environment_;
};

TEST_F(SimConfig, IsASmallInf2WithoutAnyVariable) {
  const auto config = read(nullptr);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->instance.name, "inf2.xlarge");
  EXPECT_EQ(config->instance.cores, 2U);
  EXPECT_EQ(config->runtime.name, "2.34");
  EXPECT_EQ(config->mode, Mode::kExact);
  EXPECT_EQ(config->pool, environment_.pool());
}

TEST_F(SimConfig, TakesEveryKey) {
  const auto config = read(R"({"instance": "inf1.6xlarge", "cores": 8, "runtime": "2.22", "mode": "timed",
      "pool": "mine", "bf16": true, "time": {"fixed_ms": 2, "per_row_ms": 0.5}, "transfer_gb_s": 4, "distinct": 2,
      "faults": [{"call": "nrt_execute", "core": 1, "from": 10, "count": 3, "status": 1005}, {"core": 2, "slow": 4.0},
                 {"core": 3, "hang_at": 20}, {"core": 0, "lost_at": 50, "recovers": true}]})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->instance.is_inf1());
  EXPECT_EQ(config->instance.cores, 8U);
  EXPECT_EQ(config->runtime.minor, 22U);
  EXPECT_EQ(config->mode, Mode::kTimed);
  EXPECT_DOUBLE_EQ(config->time->ms(4), 4);
  ASSERT_EQ(config->faults.size(), 4U);
  EXPECT_EQ(config->faults[3].status, static_cast<NRT_STATUS>(NRT_EXEC_UNIT_UNRECOVERABLE));
}

TEST_F(SimConfig, ReadsAFileAsWell) {
  const auto path = environment_.folder() / "sim.json";
  test::write_file(path, R"({"cores": 5})");
  EXPECT_EQ(read(path.c_str())->instance.cores, 5U);
  EXPECT_THAT(complaint("/nowhere/sim.json"), HasSubstr("cannot read /nowhere/sim.json"));
}

TEST_F(SimConfig, SaysInALineWhatIsNoFile) {
  const std::string folder = environment_.folder().string();
  EXPECT_THAT(complaint(folder.c_str()), HasSubstr("NEURON_SIM_CONFIG: cannot read " + folder.substr(0, 60)));
  const std::string list = "[\n" + std::string(1000, ' ');
  EXPECT_THAT(complaint(list.c_str()), HasSubstr("cannot read [?" + std::string(58, ' ') + "...; expected a file"));
}

TEST_F(SimConfig, TakesJsonAfterWhiteSpace) {
  const auto config = read("\n\t {\"cores\": 5}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->instance.cores, 5U);
}

TEST_F(SimConfig, SaysInALineWhatItDoesNotKnow) {
  EXPECT_THAT(complaint(R"({"core": 4})"), HasSubstr("core: unknown key; known here: instance, cores"));
  EXPECT_THAT(complaint(R"({"instance": "inf3.xlarge"})"), HasSubstr("instance: expected one of inf1.xlarge"));
  EXPECT_THAT(complaint(R"({"runtime": "2.31"})"), HasSubstr("runtime: expected one of 2.22, 2.29, 2.30, 2.34"));
  EXPECT_THAT(complaint(R"({"faults": [{"core": 1}]})"), HasSubstr("faults[0]: expected one of status"));
  EXPECT_THAT(complaint(R"({"faults": [{"status": 5}]})"), HasSubstr("faults[0].call: missing"));
  EXPECT_THAT(complaint(R"({"faults": [{"core": 1, "slow": 2, "recovers": true}]})"),
              HasSubstr("faults[0]: recovers is not for slow"));
  EXPECT_THAT(complaint(R"({"faults": [{"lost_at": 2, "recovers": true}]})"), HasSubstr("faults[0]: core: missing"));
  EXPECT_THAT(complaint(R"({"time": {"preset": "vgg"}})"), HasSubstr("time.preset: expected one of"));
  EXPECT_THAT(complaint("{"), HasSubstr("NEURON_SIM_CONFIG: not valid JSON"));
}

TEST_F(SimConfig, VariablesOfTheRuntimeAreChecked) {
  environment_.set("NEURON_SIM_CORES", "many");
  EXPECT_THAT(complaint(nullptr), HasSubstr("NEURON_SIM_CORES=many: expected a whole number"));
  environment_.set("NEURON_SIM_CORES", "16");
  EXPECT_EQ(read(nullptr)->instance.cores, 16U);
  environment_.set("NEURON_RT_NUM_CORES", "-1");
  EXPECT_THAT(complaint(nullptr), HasSubstr("NEURON_RT_NUM_CORES=-1"));
  environment_.set("NEURON_RT_NUM_CORES", "1\n2");
  EXPECT_THAT(complaint(nullptr), HasSubstr("NEURON_RT_NUM_CORES=1?2: "));
  environment_.set("NEURON_RT_NUM_CORES", nullptr);
  environment_.set("NEURON_RT_VISIBLE_CORES", "1\n2");
  EXPECT_THAT(complaint(nullptr), HasSubstr("NEURON_RT_VISIBLE_CORES=1?2: "));
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "soon\n");
  const auto never = read_exec_timeout(from_environment);
  ASSERT_FALSE(never);
  EXPECT_THAT(never.error().message, HasSubstr("NEURON_RT_EXEC_TIMEOUT=soon?: "));
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "5");
  EXPECT_DOUBLE_EQ(*read_exec_timeout(from_environment), 5);
  environment_.set("NEURON_RT_EXEC_TIMEOUT", "0");
  EXPECT_GE(*read_exec_timeout(from_environment), 24 * 3600) << "no limit";
}

TEST(VisibleCores, TakesWhatTheRuntimeTakes) {
  for (const auto& [text, expected] : {std::pair<const char*, CoreRange>{"3", {3, 1}},
                                       {"0-3", {0, 4}},
                                       {"3,4,5,6", {3, 4}},
                                       {"3-5,6", {3, 4}},
                                       {"0,1-1,2-4", {0, 5}}}) {
    const auto range = parse_visible_cores(text);
    ASSERT_TRUE(range) << text;
    EXPECT_EQ(*range, expected) << text;
  }
}

TEST(VisibleCores, RefusesGapsAndNonsense) {
  for (const char* text : {"", "3,5", "3,2", "2-1", "a", "1,", ",1", "1--2", "-1", "1-", "1,1", "99999", "0 1"}) {
    EXPECT_FALSE(parse_visible_cores(text)) << text;
  }
}

TEST(FaultPlan, StrikesFromTheNthCallAsOftenAsOrdered) {
  FaultPlan plan({FaultRule{.call = "nrt_load", .core = 1, .from = 2, .count = 2, .status = NRT_RESOURCE}});
  EXPECT_EQ(plan.next("nrt_load", {0, 1}).status, 0U);
  EXPECT_EQ(plan.next("nrt_unload", {1, 1}).status, 0U);
  EXPECT_EQ(plan.next("nrt_load", {1, 1}).status, 0U);
  EXPECT_EQ(plan.next("nrt_load", {0, 2}).status, 4U);
  EXPECT_EQ(plan.next("nrt_load", {1, 1}).status, 4U);
  EXPECT_EQ(plan.next("nrt_load", {1, 1}).status, 0U);
  EXPECT_EQ(plan.next("nrt_load").status, 0U);
}

TEST(FaultPlan, ALostCoreStaysLostInTheNextSessionUnlessItRecovers) {
  const FaultRule lost{.kind = FaultRule::Kind::kLost, .core = 0, .from = 2, .status = NRT_EXEC_UNIT_UNRECOVERABLE};
  FaultRule recovers = lost;
  recovers.recovers = true;
  const std::vector<FaultRule> rules{lost, recovers};
  for (const std::size_t which : {0U, 1U}) {
    const std::vector<FaultRule> rule{rules[which]};
    FaultPlan plan(rule);
    EXPECT_EQ(plan.next("nrt_execute", {0, 1}).status, 0U);
    EXPECT_EQ(FaultPlan(rule, plan.struck()).next("nrt_execute", {0, 1}).status, 0U) << "it has not struck";
    EXPECT_EQ(plan.next("nrt_execute", {0, 1}).status, 101U);
    EXPECT_EQ(FaultPlan(rule, plan.struck()).next("nrt_execute", {0, 1}).status, which == 0 ? 101U : 0U);
  }
}

TEST(Bookings, OneCoreServesInOrderAndOthersInParallel) {
  Bookings bookings(3);
  EXPECT_EQ(bookings.book({0, 1}, 100, 50), 150);
  EXPECT_EQ(bookings.book({0, 1}, 110, 50), 200);
  EXPECT_EQ(bookings.book({1, 1}, 110, 50), 160);
  EXPECT_EQ(bookings.book({0, 2}, 120, 10), 210) << "neighbours start together";
  EXPECT_EQ(bookings.book({1, 1}, 0, 0), 210);
  EXPECT_EQ(bookings.book({0, 1}, 500, 1), 501) << "an idle core starts at once";
  EXPECT_EQ(bookings.book({2, 1}, 0, 0), 0);
}

TEST(Turns, TwoNeverHaveTheSameCore) {
  Turns turns(3);
  std::atomic<int> inside[3] = {};
  std::atomic<bool> clash = false;
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const CoreRange cores = t % 2 ? CoreRange{t % 3, 1} : CoreRange{t / 2 % 2, 2};
        const Turns::Turn turn(turns, cores);
        for (std::uint32_t c = 0; c < cores.count; ++c) clash = clash || ++inside[cores.first + c] != 1;
        for (std::uint32_t c = 0; c < cores.count; ++c) --inside[cores.first + c];
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(clash);
}

TEST(Core, CountsMemoryThatIsTakenWhileOtherIsFreed) {
  constexpr std::uint64_t kTimes = 1'000'000;
  const test::TempDir folder;
  auto file = CoreFile::take(folder.path() / "pool", 0, 2 * kTimes);
  ASSERT_TRUE(file) << file.error().message;
  Core core(0, std::move(*file));
  ASSERT_TRUE(core.allocate(kTimes));
  std::jthread frees([&] {
    for (std::uint64_t i = 0; i < kTimes; ++i) core.release(1);
  });
  for (std::uint64_t i = 0; i < kTimes; ++i) core.allocate(1);
  frees.join();
  EXPECT_EQ(core.record().memory_used, kTimes);
}

TEST(CoreFile, IsSeenByWhoMayOnlyReadIt) {
  const test::TempDir folder;
  const auto held = CoreFile::take(folder.path() / "pool", 0, 1000);
  ASSERT_TRUE(held) << held.error().message;
  std::filesystem::permissions(folder.path() / "pool" / "core-0", std::filesystem::perms::owner_read);
  const auto cores = read_core_pool(folder.path() / "pool");
  ASSERT_EQ(cores.size(), 1U);
  EXPECT_TRUE(cores[0].held);
  EXPECT_EQ(cores[0].memory_limit, 1000U);
}

template <class T>
T one(float value, DType dtype) {
  T out{};
  from_floats({&value, 1}, dtype, std::as_writable_bytes(std::span(&out, 1)));
  return out;
}

TEST(Numbers, RoundToNearestEven) {
  EXPECT_EQ(one<std::uint16_t>(1.0F, DType::kBf16), 0x3F80);
  EXPECT_EQ(one<std::uint16_t>(1.00390625F, DType::kBf16), 0x3F80) << "half way, down to even";
  EXPECT_EQ(one<std::uint16_t>(1.01171875F, DType::kBf16), 0x3F82) << "half way, up to even";
  EXPECT_EQ(one<std::uint16_t>(1.0F, DType::kF16), 0x3C00);
  EXPECT_EQ(one<std::uint16_t>(65504.0F, DType::kF16), 0x7BFF);
  EXPECT_EQ(one<std::uint16_t>(65520.0F, DType::kF16), 0x7C00);
  EXPECT_EQ(one<std::uint16_t>(5.9604645e-8F, DType::kF16), 0x0001);
  EXPECT_EQ(one<std::uint16_t>(-2.0F, DType::kF16), 0xC000);
  EXPECT_EQ(one<std::uint8_t>(2.5F, DType::kU8), 2);
  EXPECT_EQ(one<std::uint8_t>(300.0F, DType::kU8), 255);
  EXPECT_EQ(one<std::uint8_t>(std::numeric_limits<float>::quiet_NaN(), DType::kU8), 0);
}

TEST(Numbers, EveryHalfSurvivesTheWayThroughFloat) {
  for (const DType dtype : {DType::kF16, DType::kBf16}) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
      const auto value = static_cast<std::uint16_t>(bits);
      float wide = 0;
      to_floats(std::as_bytes(std::span(&value, 1)), dtype, {&wide, 1});
      if (!std::isnan(wide)) {
        ASSERT_EQ(one<std::uint16_t>(wide, dtype), value) << bits;
      }
    }
  }
}

/// Gives the first number of its input; memory runs out at the first run.
class NetworkOutOfMemory final : public Network {
 public:
  Result<void> run(std::span<const std::span<const float>> inputs, std::span<const std::span<float>> outputs) override {
    if (runs_++ == 0) throw std::bad_alloc();
    outputs[0][0] = inputs[0][0];
    return {};
  }

 private:
  int runs_ = 0;
};

class CountingRows final : public SharedNetwork::RowSource {
 public:
  std::vector<RowBytes> row() override {
    const float values[] = {++next_, 0};
    const auto bytes = std::as_bytes(std::span(values));
    return {{bytes.begin(), bytes.end()}};
  }

 private:
  float next_ = 0;
};

TEST(SharedNetwork, ComputesAllDistinctRowsThoughOneFailed) {
  SimProgram program;
  program.inputs = {{"in", DType::kF32, {1, 2}}};
  program.outputs = {{"out", DType::kF32, {1, 1}}};
  SharedNetwork network(std::make_unique<NetworkOutOfMemory>(), program, false);
  CountingRows rows;
  EXPECT_THROW(network.replay(rows, 2), std::bad_alloc);
  for (const float expected : {2.0F, 3.0F, 2.0F}) {
    const auto result = network.replay(rows, 2);
    ASSERT_TRUE(result);
    float value = 0;
    std::memcpy(&value, result->front()->data(), sizeof value);
    EXPECT_EQ(value, expected);
  }
}

std::vector<std::byte> read_all(Storage& storage) {
  std::vector<std::byte> bytes(storage.size());
  storage.read(0, bytes);
  return bytes;
}

TEST(Storage, ShownRowsReadAsIfTheyHadBeenWritten) {
  const auto row = [](int value) { return std::make_shared<const RowBytes>(4, static_cast<std::byte>(value)); };
  Storage storage(8, nullptr);
  EXPECT_EQ(read_all(storage), std::vector<std::byte>(8));
  storage.show(0, {row(1), row(2)});
  std::vector<std::byte> middle(4);
  storage.read(2, middle);
  EXPECT_EQ(middle, (std::vector<std::byte>{std::byte{1}, std::byte{1}, std::byte{2}, std::byte{2}}));
  storage.fill(1, std::byte{9}, 1);
  auto bytes = read_all(storage);
  EXPECT_EQ(bytes[0], std::byte{1});
  EXPECT_EQ(bytes[1], std::byte{9});
  EXPECT_EQ(bytes[7], std::byte{2});
  storage.show(4, {row(3)});
  bytes = read_all(storage);
  EXPECT_EQ(bytes[1], std::byte{9});
  EXPECT_EQ(bytes[4], std::byte{3});
  storage.write(0, std::vector<std::byte>(8, std::byte{7}));
  EXPECT_EQ(read_all(storage), std::vector<std::byte>(8, std::byte{7}));
}

}  // namespace
}  // namespace posecam::sim
