// posecam profile as a user meets it, with a network of a kilobyte and the test source.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kTinyModel = source_dir() / "tests/data/tiny_pose.json";

class Profile : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return device_.folder() / name; }
  Outcome profile(std::vector<std::string> args) const {
    args.insert(args.begin(), "profile");
    args.insert(args.end(), {"--frames", "12"});
    return Posecam(at("data")).run(args);
  }

  SimDevice device_{R"({"cores": 2})"};
};

TEST_F(Profile, HasEveryStageOfARunThatWritesVideoAndJson) {
  const Outcome ran = profile({"testsrc", "--model", kTinyModel, "--device", "opencv", "--trace", at("trace.json")});
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const char* stage :
       {"preprocess", "queue", "execute", "smoothing", "peaks", "grouping", "draw", "encode", "publish", "FPS"}) {
    EXPECT_THAT(ran.out, HasSubstr(stage));
  }
  std::ifstream file(at("trace.json"));
  const auto trace = nlohmann::json::parse(file);
  std::set<std::string> stages;
  std::set<std::string> tracks;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] == "X") stages.insert(event["name"]);
    if (event["name"] == "thread_name") tracks.insert(event["args"]["name"]);
  }
  EXPECT_TRUE(stages.contains("execute"));
  EXPECT_TRUE(stages.contains("encode"));
  EXPECT_TRUE(tracks.contains("core 0"));
  EXPECT_TRUE(tracks.contains("core 0 #0"));
}

/// Begin and end of the spans of each thread, in microseconds.
std::map<int, std::vector<std::pair<double, double>>> spans_by_thread(const nlohmann::json& trace) {
  constexpr int kThreads = 1;
  std::map<int, std::vector<std::pair<double, double>>> threads;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] != "X" || event["pid"] != kThreads) continue;
    const double begin = event["ts"];
    threads[event["tid"]].emplace_back(begin, begin + event["dur"].get<double>());
  }
  return threads;
}

TEST_F(Profile, TracesWhatAThreadDoesOneAfterOrWithinTheOther) {
  const Outcome ran = profile(
      {source_dir() / "media/figures.mp4", "--model", kTinyModel, "--device", "opencv", "--trace", at("trace.json")});
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::ifstream file(at("trace.json"));
  constexpr double kRounding = 1e-3;  // a nanosecond, which is what the clock counts
  std::size_t within = 0;
  for (auto& [thread, spans] : spans_by_thread(nlohmann::json::parse(file))) {
    std::ranges::sort(spans, [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    });
    std::vector<double> ends;  // of the spans that are open, the innermost last
    for (const auto& [begin, end] : spans) {
      while (!ends.empty() && ends.back() <= begin + kRounding) ends.pop_back();
      if (!ends.empty()) {
        EXPECT_LE(end, ends.back() + kRounding) << "thread " << thread << ", at " << begin;
        ++within;
      }
      ends.push_back(end);
    }
  }
  EXPECT_GT(within, 0U);
}

TEST_F(Profile, ShowsWhatTheNetworkTakesOnAndOffTheDevice) {
  ASSERT_EQ(Posecam(at("data")).run({"compile", kTinyModel, "--target", "sim", "--out", at("net")}).code, 0);
  const Outcome ran =
      profile({"synthetic", "--model", at("net/neuron-sim.json"), "--device", "neuron-sim", "--no-video"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("to device"));
  EXPECT_THAT(ran.out, HasSubstr("from device"));
  EXPECT_THAT(ran.out, Not(HasSubstr("encode")));
}

TEST_F(Profile, ShowsTheFastDecoderBesideTheReference) {
  const Outcome ran = profile({"testsrc", "--model", kTinyModel, "--device", "opencv", "--decode", "reference",
                               "--smoothing-taps", "5", "--no-video"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("reference, 5 taps"));
  EXPECT_THAT(ran.out, HasSubstr("fast, 5 taps"));
}

TEST_F(Profile, TouchesNoFileOfTheUsersWhereThereIsNoTemporaryFolder) {
  const Variable nowhere("TMPDIR", at("not-there"));
  const Outcome ran = profile({"testsrc", "--model", kTinyModel, "--device", "opencv"});
  EXPECT_EQ(ran.code, 5) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("TMPDIR"));
  EXPECT_FALSE(std::filesystem::exists("annotated.mp4"));
  EXPECT_EQ(profile({"testsrc", "--model", kTinyModel, "--device", "opencv", "--no-video"}).code, 0);
}

TEST_F(Profile, RefusesBadUsageInOneLine) {
  const auto refused = [&](const std::vector<std::string>& args, int code, const std::string& message) {
    const Outcome ran = profile(args);
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
    EXPECT_THAT(ran.err, StartsWith("posecam: "));
    EXPECT_THAT(ran.err, HasSubstr(message));
  };
  refused({}, 2, "clip");
  refused({at("none.mp4"), "--model", kTinyModel}, 5, "none.mp4");
  refused({"testsrc", "--model", "nobody"}, 3, "nobody");
  refused({"testsrc", "--model", kTinyModel, "--decode", "guess"}, 2, "guess");
  refused({"testsrc", "--model", kTinyModel, "--smoothing-taps", "-3"}, 2, "--taps: -3");
}

}  // namespace
}  // namespace posecam::test
