#include "app/commands/devices_view.h"

#include <vector>

#include <gmock/gmock.h>

#include "pipeline/neuron/nrt/neuron_library.h"

namespace posecam {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

/// What is shown each second of a core whose busy time since the start is given.
std::vector<double> shown(const std::vector<std::chrono::nanoseconds>& busy) {
  CoreUsage usage;
  std::vector<double> percents;
  DevicesNow now;
  now.at = std::chrono::steady_clock::time_point{1h};
  for (const auto time : busy) {
    CoreActivity activity;
    activity.device = kNeuron;
    activity.busy_ns = static_cast<std::uint64_t>(time.count());
    NeuronReport report;
    report.use = {activity};
    now.neuron = {report};
    usage.update(now);
    percents.push_back(usage.percent(activity));
    now.at += 1s;
  }
  return percents;
}

TEST(CoreUsage, IsTheShareOfTheTimeBetweenTwoLooks) {
  EXPECT_THAT(shown({7s, 7s + 250ms, 8s + 250ms, 8s + 250ms}), ElementsAre(-1, 25, 100, 0));
}

TEST(CoreUsage, LosesNothingOfExecutionsThatAreLongerThanTheTimeBetweenTwoLooks) {
  EXPECT_THAT(shown({0s, 0s, 1500ms, 3s, 3s, 4500ms, 6s, 6s}), ElementsAre(-1, 0, 100, 100, 100, 100, 100, 100));
  EXPECT_THAT(shown({0s, 2500ms, 2500ms, 2500ms, 2500ms}), ElementsAre(-1, 100, 100, 50, 0));
}

TEST(CoreUsage, StartsAnewWithTheCounters) { EXPECT_THAT(shown({0s, 5s, 1s, 2s}), ElementsAre(-1, 100, -1, 100)); }

}  // namespace
}  // namespace posecam
