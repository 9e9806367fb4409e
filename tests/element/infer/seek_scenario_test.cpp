// Random seeks over a real clip while its frames are under way in the engine, for want of gst-validate in Debian.
// POSECAM_SEEKS: how many (200); POSECAM_SEED: which (1).

#include <cstdlib>
#include <fstream>
#include <random>

#include <fmt/format.h>

#include "tests/element/harness.h"
#include "tests/element/infer/seek_checks.h"
#include "tests/support/temp_dir.h"
#include "tests/support/watchdog.h"

namespace posecam::test {
namespace {

constexpr GstClockTime kFrame = 40 * GST_MSECOND;
constexpr int kClipFrames = 250;
constexpr unsigned kHangSeconds = 60;

int from_environment(const char* name, int standard) {
  const char* value = std::getenv(name);
  return value ? std::max(1, std::atoi(value)) : standard;
}

bool has_element(const char* name) {
  GstElementFactory* factory = gst_element_factory_find(name);
  if (!factory) return false;
  gst_object_unref(factory);
  return true;
}

/// The clip of media/ with a key frame each second, so that key unit seeks have somewhere to go.
std::string make_clip(const std::string& path) {
  const auto encode = launch("filesrc location=" POSECAM_SOURCE_DIR
                             "/media/figures.mp4 ! decodebin ! videoconvert ! "
                             "x264enc key-int-max=25 bframes=2 b-adapt=false speed-preset=ultrafast ! mp4mux ! "
                             "filesink location=" +
                             path);
  return play(encode.get());
}

class SeekScenario : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!has_element("x264enc") || !has_element("qtdemux")) return;
    folder_ = std::make_unique<TempDir>();
    ASSERT_EQ(make_clip(clip()), "");
    const auto pipeline = play_line("", "sync=false");
    SeekChecks all(sink_pad(pipeline.get()), kFrame);
    ASSERT_EQ(play(pipeline.get()), "");
    expected_ = all.results();
    ASSERT_EQ(expected_.size(), static_cast<std::size_t>(kClipFrames));
  }
  static void TearDownTestSuite() {
    expected_.clear();
    folder_.reset();
  }
  void SetUp() override {
    if (!folder_) GTEST_SKIP() << "x264enc or qtdemux is not here";
  }

  static std::string clip() { return (folder_->path() / "clip.mp4").string(); }
  static std::string json() { return (folder_->path() / "frames.ndjson").string(); }

  static PipelinePtr play_line(const std::string& infer, const std::string& sink) {
    return launch("filesrc location=" + clip() +
                  " ! decodebin ! queue max-size-buffers=4 ! neuroninfer device=opencv "
                  "model=openpose-lite net-resolution=128x72 " +
                  infer +
                  " ! videoconvert ! neuronoverlay ! "
                  "neuronjson name=json location=" +
                  json() + " ! fakesink name=sink " + sink);
  }

  static GstPad* pad_of(GstElement* pipeline, const char* element) {
    GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline), element);
    GstPad* pad = gst_element_get_static_pad(found, "sink");
    gst_object_unref(found);
    return pad;
  }
  static GstPad* sink_pad(GstElement* pipeline) { return pad_of(pipeline, "sink"); }

  /// Sets the state and waits for it.
  static void reach(GstElement* pipeline, GstState state) {
    ASSERT_NE(gst_element_set_state(pipeline, state), GST_STATE_CHANGE_FAILURE);
    ASSERT_EQ(gst_element_get_state(pipeline, nullptr, nullptr, 30 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
  }

  static std::uint32_t send(GstElement* pipeline, SeekChecks& checks, const Seek& seek) {
    GstEvent* event =
        gst_event_new_seek(seek.rate, GST_FORMAT_TIME, seek.flags, GST_SEEK_TYPE_SET, static_cast<gint64>(seek.start),
                           GST_SEEK_TYPE_SET, static_cast<gint64>(seek.stop));
    const std::uint32_t seqnum = gst_event_get_seqnum(event);
    checks.expect(seqnum, seek);
    EXPECT_TRUE(gst_element_send_event(pipeline, event)) << seek.describe();
    return seqnum;
  }

  void run_seeks(const std::string& infer, const std::string& sink, int count);

 private:
  static std::unique_ptr<TempDir> folder_;
  static Results expected_;
};
std::unique_ptr<TempDir> SeekScenario::folder_;
Results SeekScenario::expected_;

Seek random_seek(std::mt19937& random) {
  constexpr std::array kRates{1.0, 1.0, 1.0, 0.5, 2.0, 4.0, -1.0};
  constexpr std::array kKeyUnits{GST_SEEK_FLAG_KEY_UNIT, GST_SEEK_FLAG_SNAP_BEFORE, GST_SEEK_FLAG_SNAP_AFTER};
  Seek seek;
  seek.rate = kRates[random() % kRates.size()];
  const auto exact = random() % 2 == 0 ? GST_SEEK_FLAG_ACCURATE
                                       : static_cast<GstSeekFlags>(GST_SEEK_FLAG_KEY_UNIT | kKeyUnits[random() % 3]);
  seek.flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | exact);
  const GstClockTime target = random() % (kClipFrames * kFrame);
  if (seek.rate > 0) {
    seek.start = target;
  } else {
    seek.stop = target + kFrame;
  }
  return seek;
}

/// Seeks in both states, often while frames of the seek before are still under way.
void SeekScenario::run_seeks(const std::string& infer, const std::string& sink, int count) {
  std::mt19937 random(static_cast<unsigned>(from_environment("POSECAM_SEED", 1)));
  Watchdog watchdog(kHangSeconds);
  const auto pipeline = play_line(infer, sink);
  SeekChecks checks(sink_pad(pipeline.get()), kFrame, expected_);
  bool playing = true;
  reach(pipeline.get(), GST_STATE_PLAYING);
  for (int i = 0; i < count; ++i) {
    const Seek seek = random_seek(random);
    watchdog.step(fmt::format("seek {}, {}: {}", i, playing ? "playing" : "paused", seek.describe()));
    const std::uint32_t seqnum = send(pipeline.get(), checks, seek);
    const int frames = static_cast<int>(random() % 7);  // 0: the next seek comes at once
    if (frames > 0) {
      ASSERT_TRUE(checks.wait(seqnum, playing ? frames : 1)) << "seek " << i << ": " << seek.describe();
    }
    if (random() % 4 == 0) {
      playing = !playing;
      ASSERT_NO_FATAL_FAILURE(reach(pipeline.get(), playing ? GST_STATE_PLAYING : GST_STATE_PAUSED)) << "seek " << i;
    }
  }
  watchdog.step("back to NULL");
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_EQ(checks.faults(), std::vector<std::string>{});
  EXPECT_GT(checks.frames(), static_cast<std::uint64_t>(count));
}

TEST_F(SeekScenario, NoStaleFrameFollowsARandomSeek) {
  run_seeks("", "sync=false", from_environment("POSECAM_SEEKS", 200));
}

TEST_F(SeekScenario, NoStaleFrameOfAPartialBatchFollowsARandomSeek) {
  run_seeks("batch-size=4 max-batch-delay=10000", "sync=false", from_environment("POSECAM_SEEKS", 200));
}

TEST_F(SeekScenario, KeepsUpWithTheClockAtAnyRate) { run_seeks("", "sync=true qos=true", 40); }

TEST_F(SeekScenario, EndsAtTheStopOfASeekWithAllFramesBeforeIt) {
  Watchdog watchdog(kHangSeconds);
  const auto pipeline = play_line("batch-size=4 max-batch-delay=10000", "sync=false");
  SeekChecks checks(sink_pad(pipeline.get()), kFrame);
  reach(pipeline.get(), GST_STATE_PAUSED);
  const std::uint64_t before = checks.frames();
  send(pipeline.get(), checks,
       {.flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
        .start = 1 * GST_SECOND,
        .stop = 1 * GST_SECOND + 10 * kFrame});
  EXPECT_EQ(play(pipeline.get()), "");
  EXPECT_EQ(checks.frames() - before, 10U);
  EXPECT_EQ(checks.faults(), std::vector<std::string>{});
}

}  // namespace
}  // namespace posecam::test
