// neuroninfer behind a real RTSP camera: rtspsrc, H.264, user and password, over the loopback.
// POSECAM_RTSP_SECONDS: how long the latency is watched (6), and that the machine has nothing else to do, so that its
// times can be judged.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "tests/support/watchdog.h"
#include "tests/system/live_stream.h"

namespace posecam::test {
namespace {

constexpr std::size_t kFps = 25;
constexpr unsigned kHangSeconds = 60;
constexpr double kToleranceMs = 40;
/// Among other tests, on a machine that is busy with them, times say nothing finer.
constexpr double kBusyToleranceMs = 2000;
/// Growth from one third of the run to the next; a busy machine lets frames queue, a sanitizer keeps what was freed.
constexpr double kGrowthMb = 16;
constexpr double kBusyGrowthMb = 128;

const std::string kPoseLite = "device=opencv model=openpose-lite net-resolution=128x72 ";

double ms(GstClockTimeDiff time) { return static_cast<double>(time) / GST_MSECOND; }

template <class Value>
double percentile(const std::vector<Passage>& passages, int percent, Value&& value) {
  std::vector<double> values;
  for (const Passage& p : passages) values.push_back(value(p));
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[(values.size() - 1) * static_cast<std::size_t>(percent) / 100];
}

double through(const Passage& p) { return ms(p.out - p.into); }

/// Least squares: how `value` changes, per second of the stream.
template <class Value>
double slope(const std::vector<Passage>& passages, Value&& value) {
  double t = 0;
  double v = 0;
  double tt = 0;
  double tv = 0;
  const auto n = static_cast<double>(passages.size());
  for (const Passage& p : passages) {
    const double x = static_cast<double>(p.time) / GST_SECOND;
    t += x;
    v += value(p);
    tt += x * x;
    tv += x * value(p);
  }
  return (n * tv - t * v) / (n * tt - t * t);
}

double resident_mb() {
  std::ifstream file("/proc/self/statm");
  long total = 0;
  long resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

class Rtsp : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"rtspsrc", "rtph264depay", "x264enc"}) {
      GstElementFactory* factory = gst_element_factory_find(name);
      if (!factory) GTEST_SKIP() << name << " is not here";
      gst_object_unref(factory);
    }
  }
};

TEST_F(Rtsp, IsAsLateAsItReports) {
  const char* wanted = std::getenv("POSECAM_RTSP_SECONDS");
  const auto seconds = static_cast<std::size_t>(wanted ? std::max(3, std::atoi(wanted)) : 6);
  const RtspServer camera;
  ASSERT_NE(camera.port(), "");
  LiveStream stream(camera, kPoseLite);
  stream.play();
  ASSERT_TRUE(stream.wait_frames(2 * kFps)) << stream.wait_end(0);  // the reported latency has settled

  const std::size_t first = stream.shown();
  ASSERT_TRUE(stream.wait_frames(seconds * kFps / 3, 60));
  const double memory_then = resident_mb();
  const unsigned queued_then = stream.queue_level();
  ASSERT_TRUE(stream.wait_frames(seconds * kFps * 2 / 3, 120));
  const double memory = resident_mb() - memory_then;
  const unsigned queued = stream.queue_level();
  const double reported = ms(static_cast<GstClockTimeDiff>(stream.reported_latency()));
  const double pipeline = ms(static_cast<GstClockTimeDiff>(stream.pipeline_latency()));
  const auto frames = stream.passages(first);
  ASSERT_TRUE(stream.finish());

  const auto overdue = [](const Passage& p) { return ms(p.shown - p.due); };
  const double p50 = percentile(frames, 50, through);
  const double p99 = percentile(frames, 99, through);
  const double late = percentile(frames, 50, overdue);
  const double told = ms(frames.back().due);
  const double drift = slope(frames, overdue) * static_cast<double>(seconds);
  const double own_drift = slope(frames, through) * static_cast<double>(seconds);
  std::printf("%zu frames in %zu s; through neuroninfer: median %.1f ms, p99 %.1f ms, reported %.1f ms\n",
              frames.size(), seconds, p50, p99, reported);
  std::printf(
      "at the sink: latency reported %.1f ms, told %.1f ms; shown later than that: median %.1f ms, p99 %.1f ms\n",
      pipeline, told, late, percentile(frames, 99, overdue));
  std::printf("drift over the run: at the sink %.2f ms, of neuroninfer %.2f ms\n", drift, own_drift);
  std::printf("memory %+.1f MB, queue %u -> %u frames, in %zu, out %zu\n", memory, queued_then, queued,
              stream.frames_in(), stream.frames_out());

  const double tolerance = wanted ? kToleranceMs : kBusyToleranceMs;
  EXPECT_LE(p50, reported + tolerance) << "the sink would show frames too late";
  EXPECT_NEAR(p99, reported, tolerance);
  EXPECT_NEAR(told, pipeline, tolerance) << "the change of the latency was not told";
  EXPECT_LT(std::abs(late), tolerance);
  EXPECT_LT(std::abs(drift), tolerance / 2);
  EXPECT_LT(std::abs(own_drift), tolerance / 2);
  EXPECT_LT(memory, wanted ? kGrowthMb : kBusyGrowthMb);
  EXPECT_LE(queued, queued_then + (wanted ? 3 : kFps));
  EXPECT_EQ(stream.frames_in(), stream.frames_out());
}

/// Two cameras on one engine whose batches are filled by both.
struct TwoStreams {
  explicit TwoStreams(const std::string& id)
      : infer(kPoseLite + "batch-size=4 max-batch-delay=20 model-instance-id=" + id) {}
  const std::string infer;
  RtspServer camera;
  RtspServer other_camera;
  LiveStream stream{camera, infer};
  LiveStream other{other_camera, infer};

  void play() {
    stream.play();
    other.play();
    ASSERT_TRUE(stream.wait_frames(kFps)) << stream.wait_end(0);
    ASSERT_TRUE(other.wait_frames(kFps)) << other.wait_end(0);
  }

  /// Another second of the other stream, whose frames wait for nobody: a batch closes after 20 ms.
  void expect_other_goes_on() {
    const std::size_t first = other.shown();
    ASSERT_TRUE(other.wait_frames(kFps, 5)) << other.wait_end(0);
    EXPECT_LT(percentile(other.passages(first), 100, through), kBusyToleranceMs)
        << "a frame waited for the other stream";
  }
};

TEST_F(Rtsp, ACameraThatDiesEndsItsStreamAndNoOther) {
  Watchdog watchdog(kHangSeconds);
  TwoStreams two("dying");
  ASSERT_NO_FATAL_FAILURE(two.play());
  two.camera.die();
  ASSERT_NO_FATAL_FAILURE(two.expect_other_goes_on());
  EXPECT_NE(two.stream.wait_end(20), "") << "neither an error nor the end of the stream";
  EXPECT_TRUE(two.stream.wait_all_out());
  EXPECT_EQ(two.stream.frames_in(), two.stream.frames_out());
  two.stream.stop();
  ASSERT_NO_FATAL_FAILURE(two.expect_other_goes_on());
  ASSERT_TRUE(two.other.finish());
  EXPECT_EQ(two.other.frames_in(), two.other.frames_out());
}

TEST_F(Rtsp, ACameraThatStallsHoldsUpNoOther) {
  Watchdog watchdog(kHangSeconds);
  TwoStreams two("stalling");
  ASSERT_NO_FATAL_FAILURE(two.play());
  two.camera.stall();
  ASSERT_NO_FATAL_FAILURE(two.expect_other_goes_on());
  EXPECT_TRUE(two.stream.wait_all_out()) << "frames wait for company that does not come";
  ASSERT_NO_FATAL_FAILURE(two.expect_other_goes_on());
  two.camera.go_on();
  EXPECT_TRUE(two.stream.wait_frames(kFps)) << two.stream.wait_end(0);
  ASSERT_TRUE(two.other.finish());
}

TEST_F(Rtsp, AWrongPasswordIsAnErrorNotAHang) {
  Watchdog watchdog(kHangSeconds);
  const RtspServer camera;
  LiveStream stream(camera, kPoseLite);
  stream.give_password("wrong");
  stream.play();
  EXPECT_NE(stream.wait_end(20), "");
  EXPECT_EQ(stream.frames_in(), 0U);
}

}  // namespace
}  // namespace posecam::test
