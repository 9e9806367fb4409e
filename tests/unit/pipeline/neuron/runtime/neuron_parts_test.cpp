// The parts of the Neuron client that need no device.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "pipeline/neuron/nrt/instance_family.h"
#include "pipeline/neuron/nrt/nrt_dtype.h"
#include "pipeline/neuron/nrt/nrt_library.h"
#include "pipeline/neuron/nrt/nrt_status.h"
#include "pipeline/neuron/runtime/batch_plan.h"
#include "pipeline/neuron/runtime/convert.h"

namespace posecam {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// --- statuses -----------------------------------------------------------------------------------------------------

TEST(NrtStatus, MeansWhatTheTableSays) {
  const std::pair<Errc, std::vector<NRT_STATUS>> table[] = {
      {Errc::kBusy, {7, 1005}},
      {Errc::kBadInput, {2, 1002, 1003, 1006}},
      {Errc::kCoreLost, {5, 6, 101, 1004, 1200, 1201, 1202, 1203, 1204, 1205}},
      {Errc::kModel, {4, 9, 10, 11}},
      {Errc::kDevice, {1, 3, 13, 14, 15, 1100, 1206, 8, 12, 4711, 0xFFFFFFFF}},
  };
  for (const auto& [errc, statuses] : table) {
    for (const NRT_STATUS status : statuses) {
      EXPECT_EQ(nrt_status_row(status).errc, errc) << status;
      const Error error = nrt_error("nrt_execute", status);
      EXPECT_EQ(error.code, errc);
      EXPECT_THAT(error.message, AllOf(StartsWith("nrt_execute: "), HasSubstr(std::to_string(status))));
    }
  }
}

TEST(NrtStatus, SucceedsWithNumbersThatAreNone) {
  EXPECT_TRUE(nrt_succeeded(0));
  EXPECT_TRUE(nrt_succeeded(1003));
  for (const NRT_STATUS status : {1U, 2U, 5U, 7U, 1004U, 4711U}) EXPECT_FALSE(nrt_succeeded(status));
}

TEST(NrtStatus, OfARunThatSaysNothingIsTheEndOfThatCoreAlone) {
  for (const NRT_STATUS status : {1U, 4711U, 1004U, 1202U}) EXPECT_EQ(nrt_run_error("", status).code, Errc::kCoreLost);
  EXPECT_EQ(nrt_run_error("", NRT_CLOSED).code, Errc::kDevice);
  EXPECT_EQ(nrt_run_error("", NRT_EXEC_BAD_INPUT).code, Errc::kBadInput);
}

TEST(NrtStatus, KnowsNoOtherCoreWhileItPrepares) {
  EXPECT_EQ(nrt_setup_error("x", NRT_INVALID).code, Errc::kModel);
  EXPECT_EQ(nrt_setup_error("x", NRT_TIMEOUT).code, Errc::kDevice);
  EXPECT_EQ(nrt_setup_error("x", NRT_EXEC_NC_BUSY).code, Errc::kDevice);
  EXPECT_EQ(nrt_setup_error("x", NRT_RESOURCE).code, Errc::kModel);
}

// --- types --------------------------------------------------------------------------------------------------------

TEST(NrtDtype, ReadsBothNumberings) {
  struct Case {
    DType type;
    nrt_dtype_t old_number;
    nrt_dtype_t new_number;
  };
  for (const Case& c : {Case{DType::kF32, 1, 10}, Case{DType::kF16, 2, 7}, Case{DType::kBf16, 3, 6},
                        Case{DType::kU8, 5, 3}, Case{DType::kI32, 8, 8}}) {
    const std::size_t bytes = 12 * size_of(c.type);
    EXPECT_EQ(dtype_of(c.old_number, 29, 12, bytes), c.type);
    EXPECT_EQ(dtype_of(c.new_number, 30, 12, bytes), c.type);
  }
}

TEST(NrtDtype, TrustsTheSizeMoreThanTheVersion) {
  EXPECT_EQ(dtype_of(10, 29, 12, 48), DType::kF32);  // a runtime that renumbered before we thought
  EXPECT_EQ(dtype_of(1, 30, 12, 48), DType::kF32);   // and one that did later
  EXPECT_EQ(dtype_of(6, 30, 12, 48), std::nullopt);
  EXPECT_EQ(dtype_of(0, 30, 12, 48), std::nullopt);
}

TEST(NrtDtype, TakesNoOtherTypeForOneItDoesNotRead) {
  EXPECT_EQ(dtype_of(NRT_DTYPE_V1_INT16, 22, 12, 24), std::nullopt);   // bf16 in the other numbering
  EXPECT_EQ(dtype_of(NRT_DTYPE_V1_UINT16, 22, 12, 24), std::nullopt);  // f16
  EXPECT_EQ(dtype_of(NRT_DTYPE_V2_UINT16, 30, 12, 24), std::nullopt);
}

// --- libraries ----------------------------------------------------------------------------------------------------

TEST(NrtLibrary, SaysWhatItTriedAndWhatIsMissing) {
  const auto none = NrtLibrary::load({"/nowhere/libnrt.so.1", "libnrt-of-nobody.so.1"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kDevice);
  EXPECT_THAT(none.error().message, AllOf(HasSubstr("/nowhere/libnrt.so.1"), HasSubstr("libnrt-of-nobody.so.1"),
                                          HasSubstr("aws-neuronx-runtime-lib")));
  const auto other = NrtLibrary::load({"libm.so.6"});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, AllOf(HasSubstr("lacks nrt_init"), HasSubstr("nrt_execute")));
}

TEST(InstanceFamily, IsWhatEc2CallsTheMachine) {
  EXPECT_EQ(family_of_product("inf2.8xlarge"), "inf2");
  EXPECT_EQ(family_of_product("trn1n.32xlarge"), "trn1");
  EXPECT_EQ(family_of_product("m5.large"), "");
  EXPECT_EQ(family_of_product("inf2"), "");
  EXPECT_EQ(family_name(4), "inf2");
  EXPECT_EQ(family_name(4711), "unknown");
}

// --- batches ------------------------------------------------------------------------------------------------------

std::vector<std::uint32_t> planned(std::vector<std::uint32_t> sizes, std::uint32_t rows, std::vector<double> ms) {
  BatchPlanner planner(sizes, 64);
  std::vector<std::uint32_t> rows_of;
  for (const std::uint32_t i : planner.plan(rows, ms)) rows_of.push_back(sizes[i]);
  return rows_of;
}

TEST(BatchPlan, FinishesSoonest) {
  // A core that takes 5 ms a run and 1 ms a row.
  const std::vector<std::uint32_t> sizes{1, 4, 16};
  const std::vector<double> ms{6, 9, 21};
  EXPECT_THAT(planned(sizes, 1, ms), ElementsAre(1));
  EXPECT_THAT(planned(sizes, 2, ms), ElementsAre(4));     // 9 < 12
  EXPECT_THAT(planned(sizes, 5, ms), ElementsAre(4, 1));  // 15 < 18, 21
  EXPECT_THAT(planned(sizes, 10, ms), ElementsAre(16));   // 21 < 24, 27
  EXPECT_THAT(planned(sizes, 17, ms), ElementsAre(16, 1));
  EXPECT_THAT(planned(sizes, 32, ms), ElementsAre(16, 16));
}

TEST(BatchPlan, PrefersFewRunsAndLittlePaddingWhereTimeIsEqual) {
  EXPECT_THAT(planned({1, 2, 4}, 4, {10, 20, 40}), ElementsAre(4));
  EXPECT_THAT(planned({1, 2, 4}, 3, {10, 20, 40}), ElementsAre(2, 1));
  EXPECT_THAT(planned({2, 4}, 1, {20, 20}), ElementsAre(2));
}

/// Times that differ by what a measurement is off by must not make three runs of one.
TEST(BatchPlan, PrefersFewRunsWhereTimeIsNearlyEqual) {
  EXPECT_THAT(planned({1, 4}, 4, {10, 40.7}), ElementsAre(4));
  EXPECT_THAT(planned({1, 4}, 4, {10, 41}), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(planned({1, 4}, 3, {10, 30.5}), ElementsAre(4));
  EXPECT_THAT(planned({1, 2, 4}, 7, {10, 20.2, 40.1}), ElementsAre(4, 2, 1));
}

TEST(BatchPlan, CountsRowsWhereNothingWasMeasured) {
  EXPECT_THAT(planned({1, 4}, 5, {0, 0}), ElementsAre(4, 1));
  EXPECT_THAT(planned({4}, 3, {0}), ElementsAre(4));
}

/// The least time to get `rows` done, by trying everything.
double best_time(std::uint32_t rows, const std::vector<std::uint32_t>& sizes, const std::vector<double>& ms) {
  if (rows == 0) return 0;
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    best = std::min(best, ms[i] + best_time(rows > sizes[i] ? rows - sizes[i] : 0, sizes, ms));
  }
  return best;
}

TEST(BatchPlan, IsNeverMuchSlowerThanAnyOtherWay) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> time(1, 100);
  for (int n = 0; n < 50; ++n) {
    const std::vector<std::uint32_t> sizes{1, 2, 5, 8};
    const std::vector<double> ms{time(random), time(random), time(random), time(random)};
    BatchPlanner planner(sizes, 12);
    for (std::uint32_t rows = 1; rows <= 12; ++rows) {
      double total = 0;
      std::uint32_t room = 0;
      for (const std::uint32_t i : planner.plan(rows, ms)) {
        total += ms[i];
        room += sizes[i];
      }
      EXPECT_GE(room, rows);
      EXPECT_LE(total, BatchPlanner::kNear * best_time(rows, sizes, ms) + 1e-9);
    }
  }
}

TEST(BatchTimes, DoNotCountWaitingForTheOtherSlot) {
  using namespace std::chrono_literals;
  BatchTimes times(2);
  const BatchTimes::Clock::time_point t0{1h};
  EXPECT_EQ(times.add(0, t0, t0 + 10ms), 10ms);
  EXPECT_EQ(times.add(1, t0 + 1ms, t0 + 50ms), 40ms);  // the core was free at 10 ms
  EXPECT_EQ(times.add(0, t0 + 60ms, t0 + 70ms), 10ms);
  std::vector<double> ms(2);
  times.read(ms);
  EXPECT_THAT(ms, ElementsAre(10, 40));
  times.add(0, t0 + 100ms, t0 + 10s);  // an outlier counts as twice the average
  times.read(ms);
  EXPECT_NEAR(ms[0], 11.25, 1e-9);
}

TEST(BatchTimes, TakeTheShortestOfTheFirstRuns) {
  using namespace std::chrono_literals;
  BatchTimes times(1);
  const BatchTimes::Clock::time_point t0{1h};
  times.start(0, t0, t0 + 200ms);
  times.start(0, t0 + 1s, t0 + 1010ms);
  times.start(0, t0 + 2s, t0 + 2015ms);
  std::vector<double> ms(1);
  times.read(ms);
  EXPECT_THAT(ms, ElementsAre(10));
}

/// Else a size that was slow once would never be chosen, never measured and never chosen again.
TEST(BatchTimes, AskForSizesThatDidNotRunForLong) {
  using namespace std::chrono_literals;
  BatchTimes times(3);
  const std::vector<std::uint32_t> sizes{1, 4, 16};
  const BatchTimes::Clock::time_point t0{1h};
  auto t = t0;
  times.start(1, t, t + 1s);  // an outlier
  for (std::uint64_t i = 0; i < BatchTimes::kLookAgain; ++i) {
    EXPECT_EQ(times.look_again(sizes, 16), std::nullopt) << i;
    times.add(0, t + 1s, t + 1001ms);
    t += 1s;
  }
  EXPECT_EQ(times.look_again(sizes, 3), std::nullopt);  // only batches that they fill
  EXPECT_EQ(times.look_again(sizes, 5), 1U);
  EXPECT_EQ(times.look_again(sizes, 5), std::nullopt);  // once
  times.add(1, t + 1s, t + 1005ms);
  std::vector<double> ms(3);
  times.read(ms);
  EXPECT_EQ(ms[1], 5);  // stands for itself
  EXPECT_EQ(times.look_again(sizes, 16), 2U);
}

// --- numbers ------------------------------------------------------------------------------------------------------

float through(DType type, float value) {
  std::array<std::byte, 4> small{};
  float back = 0;
  convert(reinterpret_cast<const std::byte*>(&value), DType::kF32, small.data(), type, 1);
  convert(small.data(), type, reinterpret_cast<std::byte*>(&back), DType::kF32, 1);
  return back;
}

TEST(Convert, RoundsToNearestTiesToEven) {
  EXPECT_EQ(through(DType::kBf16, 1.0F), 1.0F);
  EXPECT_EQ(through(DType::kBf16, 1.0F + 0x1p-8F), 1.0F);                // a tie, to even below
  EXPECT_EQ(through(DType::kBf16, 1.0F + 3 * 0x1p-8F), 1.0F + 0x1p-6F);  // a tie, to even above
  EXPECT_EQ(through(DType::kBf16, 1.0F + 0x1.8p-8F), 1.0F + 0x1p-7F);
  EXPECT_EQ(through(DType::kF16, 1.0F + 0x1p-11F), 1.0F);
  EXPECT_EQ(through(DType::kF16, 1.0F + 3 * 0x1p-11F), 1.0F + 0x1p-9F);
  EXPECT_EQ(through(DType::kF16, 65504.0F), 65504.0F);
}

TEST(Convert, KeepsWhatIsNotANumberAndWhatIsInfinite) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const DType type : {DType::kBf16, DType::kF16}) {
    EXPECT_TRUE(std::isnan(through(type, std::numeric_limits<float>::quiet_NaN())));
    EXPECT_TRUE(std::isnan(through(type, std::bit_cast<float>(0x7F800001U))));
    EXPECT_TRUE(std::isnan(through(type, std::bit_cast<float>(0xFFFFFFFFU))));
    EXPECT_EQ(through(type, inf), inf);
    EXPECT_EQ(through(type, -inf), -inf);
    EXPECT_TRUE(std::signbit(through(type, -0.0F)));
  }
  EXPECT_EQ(through(DType::kBf16, std::numeric_limits<float>::max()), inf);
}

TEST(Convert, DoesLongRowsAsItDoesSingleValues) {
  std::mt19937 random(3);
  std::vector<float> values(10007);
  for (float& v : values) v = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
  for (const DType type : {DType::kBf16, DType::kF16}) {
    std::vector<std::byte> small(values.size() * 2);
    std::vector<float> back(values.size());
    convert(reinterpret_cast<const std::byte*>(values.data()), DType::kF32, small.data(), type, values.size());
    convert(small.data(), type, reinterpret_cast<std::byte*>(back.data()), DType::kF32, values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float alone = through(type, values[i]);
      ASSERT_TRUE(back[i] == alone || (std::isnan(back[i]) && std::isnan(alone))) << values[i];
    }
  }
}

TEST(Convert, KnowsWhatItCan) {
  EXPECT_TRUE(can_convert(DType::kF32, DType::kBf16));
  EXPECT_TRUE(can_convert(DType::kU8, DType::kU8));
  EXPECT_FALSE(can_convert(DType::kF32, DType::kU8));
  EXPECT_FALSE(can_convert(DType::kBf16, DType::kF16));
}

}  // namespace
}  // namespace posecam
