// SIGINT in the middle of a run on a machine that is busy: it ends, and its files are complete.
// POSECAM_INTERRUPTS: how many (5).

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include <gst/gst.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/launch.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/support/watchdog.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

constexpr unsigned kHangSeconds = 60;

/// Threads that take what the cores have to give.
class Load {
 public:
  Load() {
    for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
      threads_.emplace_back([](std::stop_token stop) {
        while (!stop.stop_requested()) sink_ = sink_ + 1;
      });
    }
  }

 private:
  static inline std::atomic<std::uint64_t> sink_ = 0;
  std::vector<std::jthread> threads_;
};

/// H.264 of a width for which GStreamer's decoder asks for buffers before every frame.
void make_clip(const std::string& path) {
  launch(
      "videotestsrc pattern=ball num-buffers=600 ! video/x-raw,format=I420,width=854,height=480,framerate=25/1 ! "
      "x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location=" +
      path);
}

TEST(PosecamInterrupt, EveryRunEndsSoonHoweverBusyTheMachine) {
  gst_init(nullptr, nullptr);
  GstElementFactory* x264 = gst_element_factory_find("x264enc");
  if (!x264) GTEST_SKIP() << "x264enc is not here";
  gst_object_unref(x264);
  const char* given = std::getenv("POSECAM_INTERRUPTS");
  const int count = given ? std::atoi(given) : 5;
  const TempDir dir;
  const std::string clip = (dir.path() / "clip.mp4").string();
  make_clip(clip);
  Watchdog watchdog(kHangSeconds);
  const Load load;
  for (int i = 0; i < count; ++i) {
    watchdog.step("interruption " + std::to_string(i));
    const std::string video = (dir.path() / "out.mp4").string();
    const std::string coco = (dir.path() / "coco.json").string();
    const Outcome outcome =
        Posecam(dir.path() / "data")
            .run_until_line({"run", i % 4 == 3 ? "testsrc" : clip, "--quiet", "--json-lines", "-", "--write-video",
                             video, "--write-coco-json", coco, "--model", source_dir() / "tests/data/tiny_pose.json"},
                            SIGINT);
    ASSERT_EQ(outcome.code, 130) << i << ": " << outcome.err;
    EXPECT_EQ(outcome.out.back(), '\n');
    EXPECT_TRUE(nlohmann::json::parse(read_file(coco)).is_array());
    EXPECT_TRUE(std::filesystem::exists(video));
    std::filesystem::remove(video);
  }
}

TEST(PosecamInterrupt, DoesNotWaitForADeviceThatHangs) {
  const TempDir dir;
  const Watchdog watchdog(kHangSeconds);
  const Posecam posecam(dir.path() / "data");
  const std::string network = source_dir() / "tests/data/tiny_pose.json";
  const Outcome compiled = posecam.run({"compile", network, "--target", "sim", "--out", dir.path()});
  ASSERT_EQ(compiled.code, 0) << compiled.err;
  nlohmann::json of_device = nlohmann::json::parse(read_file(dir.path() / "neuron-sim.json"));
  of_device["weights"]["neuron"]["target"] = "inf2";
  write_file(dir.path() / "neuron-inf2.json", of_device.dump());
  setenv("POSECAM_NRT_LIBRARY", POSECAM_HANGING_RUNTIME, 1);
  const Outcome outcome = posecam.run_until_told({"run", "testsrc", "--device", "neuron", "--model",
                                                  dir.path() / "neuron-inf2.json", "--json-lines", dir.path() / "out"},
                                                 SIGINT);
  unsetenv("POSECAM_NRT_LIBRARY");
  EXPECT_EQ(outcome.code, 130) << outcome.out;
  EXPECT_NE(outcome.out.find("interrupted before the first frame"), std::string::npos) << outcome.out;
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "out.part"));
}

}  // namespace
}  // namespace posecam::test
