#include "app/bench/latency_meter.h"

#include <chrono>

#include <gtest/gtest.h>

namespace posecam {
namespace {

using namespace std::chrono_literals;

constexpr LatencyMeter::Clock::time_point kStart{1h};

TEST(LatencyMeter, ForgetsTheWarmUp) {
  LatencyMeter meter;
  meter.arrived(kStart);
  meter.left(kStart + 500ms);
  meter.restart();
  for (int i = 0; i < 10; ++i) {
    meter.arrived(kStart + 1s);
    meter.left(kStart + 1s + 10ms);
  }
  EXPECT_EQ(meter.latencies().count(), 10U);
  EXPECT_NEAR(meter.latencies().quantile(1), 10, 0.3);
}

TEST(LatencyMeter, MeasuresFramesThatOverlapInTheOrderTheyCame) {
  LatencyMeter meter;
  meter.arrived(kStart);
  meter.arrived(kStart + 30ms);
  meter.restart();  // both are in there: they count when they leave
  meter.left(kStart + 40ms);
  meter.left(kStart + 50ms);
  meter.left(kStart + 60ms);  // nobody is left
  EXPECT_EQ(meter.latencies().count(), 2U);
  EXPECT_NEAR(meter.latencies().quantile(0.5), 20, 0.6);
  EXPECT_NEAR(meter.latencies().quantile(1), 40, 1.1);
}

}  // namespace
}  // namespace posecam
