#pragma once
// posecam compile, and what it made on a simulated device, compared frame by frame.

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {

inline const std::string kTinyModel = source_dir() / "tests/data/tiny_pose.json";
inline constexpr int kFrames = 9;

/// Flat documents with the same keys and texts, and numbers that differ by a hundredth at most.
inline void expect_near(const nlohmann::json& a, const nlohmann::json& b) {
  EXPECT_EQ(a.size(), b.size());
  for (const auto& [key, value] : b.items()) {
    ASSERT_TRUE(a.contains(key)) << key;
    if (value.is_number()) {
      EXPECT_NEAR(a[key].get<double>(), value.get<double>(), 0.01) << key;
    } else {
      EXPECT_EQ(a[key], value) << key;
    }
  }
}

class Compile : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return device_.folder() / name; }
  Outcome posecam(const std::vector<std::string>& args) const { return Posecam(at("data")).run(args); }
  Outcome compile(std::vector<std::string> args) const {
    args.insert(args.begin(), {"compile", kTinyModel});
    return posecam(args);
  }
  void expect_refused(const std::vector<std::string>& args, int code, const std::string& message) const {
    const Outcome outcome = compile(args);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    std::string line = outcome.err;  // behind which runtime it was that told, where one was asked
    if (line.starts_with("posecam: info: ")) line.erase(0, line.find('\n') + 1);
    EXPECT_EQ(std::ranges::count(line, '\n'), 1) << outcome.err;
    EXPECT_THAT(line, ::testing::StartsWith("posecam: "));
    EXPECT_THAT(line, ::testing::HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(at("net"))) << message;
  }
  /// The lines of a test picture's frames, flat, without what differs from run to run.
  std::vector<nlohmann::json> analyse(const std::string& model, const std::string& device) const {
    return frames_of({"run", "testsrc", "--max-frames", std::to_string(kFrames), "--model", model, "--device", device,
                      "--precision", "f32", "--threshold", "0.01", "--json-lines", "-", "-q"});
  }
  /// The same of any run of posecam that writes its lines to standard output.
  std::vector<nlohmann::json> frames_of(const std::vector<std::string>& args) const {
    const Outcome ran = posecam(args);
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::vector<nlohmann::json> frames;
    std::istringstream text(ran.out);
    for (std::string line; std::getline(text, line);) {
      frames.push_back(nlohmann::json::parse(line));
      EXPECT_EQ(frames.back()["status"], "analysed");
      for (const char* varies : {"wallclock", "latency_ms"}) frames.back().erase(varies);
      frames.back() = frames.back().flatten();
    }
    return frames;
  }
  static void expect_same_frames(const std::vector<nlohmann::json>& frames, const std::vector<nlohmann::json>& truth) {
    ASSERT_EQ(frames.size(), static_cast<std::size_t>(kFrames));
    ASSERT_EQ(truth.size(), frames.size());
    for (std::size_t i = 0; i < truth.size(); ++i) expect_near(frames[i], truth[i]);
  }

  SimDevice device_{R"({"cores": 3})"};
};

}  // namespace posecam::test
