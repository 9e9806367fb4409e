// The annotated video against its clip, pixel by pixel: the skeletons lie where the keypoints say, in the shape and at
// the times that a player shows.

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/decoded_video.h"
#include "tests/support/launch.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kNoise = 100;    ///< a second encoding changes no pixel of a plain picture by more
constexpr double kStroke = 8;  ///< pixels that a joint or a limb reaches beyond its keypoints

constexpr const char* kFindsPeople = "openpose-lite";

class Video : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  /// The first frame of the project's clip, with people in it, so many times, in another shape and coding.
  void make_people(int frames, const std::string& caps, const std::string& rest) const {
    launch("filesrc location=" + (source_dir() / "media/figures.mp4").string() +
           " ! decodebin ! imagefreeze num-buffers=" + std::to_string(frames) +
           " ! video/x-raw,framerate=25/1 ! videoconvertscale add-borders=false ! video/x-raw," + caps + " ! " + rest);
  }
  /// Runs on a clip; the lines of the frames.
  std::vector<json> run(const std::string& clip, const std::string& video, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"run", clip, "--write-video", video, "--json-lines", "-", "--model", model_,
                               "--net-resolution", "256x144", "--device", "opencv", "--quiet"});
    const Outcome outcome = Posecam(at("data")).run(more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::vector<json> frames;
    std::istringstream text(outcome.out);
    for (std::string line; std::getline(text, line);) frames.push_back(json::parse(line));
    return frames;
  }
  TempDir folder_;
  std::string model_ = source_dir() / "tests/data/tiny_pose.json";  ///< where nobody needs to be found
};

/// What is drawn on a frame of the video is drawn around the keypoints of that frame.
void expect_skeletons_on_people(const DecodedVideo& clip, const DecodedVideo& video, const std::vector<json>& frames) {
  ASSERT_EQ(video.width, clip.width);
  ASSERT_EQ(video.height, clip.height);
  ASSERT_EQ(video.frames.size(), clip.frames.size());
  ASSERT_EQ(video.frames.size(), frames.size());
  int compared = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i]["source"]["width"], video.width);
    double x0 = 1e9, y0 = 1e9, x1 = -1, y1 = -1;
    for (const json& person : frames[i]["people"]) {
      const std::vector<double> points = person["pose_keypoints_2d"];
      for (std::size_t k = 0; k + 2 < points.size(); k += 3) {
        if (points[k + 2] <= 0) continue;
        x0 = std::min(x0, points[k]), x1 = std::max(x1, points[k]);
        y0 = std::min(y0, points[k + 1]), y1 = std::max(y1, points[k + 1]);
      }
    }
    const Box drawn = difference(clip, video, i, kNoise);
    if (x1 < 0) {
      EXPECT_TRUE(drawn.empty()) << i;
      continue;
    }
    ++compared;
    EXPECT_NEAR(drawn.x0, x0, kStroke) << i;
    EXPECT_NEAR(drawn.x1, x1, kStroke) << i;
    EXPECT_NEAR(drawn.y0, y0, kStroke) << i;
    EXPECT_NEAR(drawn.y1, y1, kStroke) << i;
  }
  EXPECT_GT(compared, 0) << "nobody was found";
}

std::string ball(int frames, const std::string& caps) {
  return "videotestsrc pattern=ball background-color=0xff404040 num-buffers=" + std::to_string(frames) +
         " ! video/x-raw,framerate=25/1," + caps + " ! ";
}
const std::string kX264 = "x264enc pass=qual quantizer=10 ! h264parse ! ";

/// ISO/IEC 14496-12, 8.3.2: the matrix is 40 bytes behind "tkhd".
void turn(std::string& clip, const std::vector<int>& matrix) {
  std::string bytes;
  for (const int entry : matrix) bytes += {static_cast<char>(entry >> 8), static_cast<char>(entry), '\0', '\0'};
  for (std::size_t at = clip.find("tkhd"); at != clip.npos; at = clip.find("tkhd", at + 4)) {
    for (const std::size_t i : {0U, 1U, 3U, 4U}) clip.replace(at + 44 + 4 * i, 4, bytes.substr(4 * i, 4));
  }
}

struct Turn {
  const char* stored;  ///< how the frames were turned before they were written
  std::vector<int> matrix;
  int width;
};

TEST_F(Video, IsUprightOfAClipThatLiesOnItsSide) {
  model_ = kFindsPeople;
  for (const Turn& t :
       {Turn{"90l", {0, 1, 0, -1, 0}, 320}, Turn{"180", {-1, 0, 0, 0, -1}, 320}, Turn{"90r", {0, -1, 0, 1, 0}, 320}}) {
    make_people(3, "width=320,height=180",
                std::string("videoflip video-direction=") + t.stored + " ! " + kX264 +
                    "qtmux ! filesink location=" + at("clip.mov"));
    std::string bytes = read_file(at("clip.mov"));
    turn(bytes, t.matrix);
    write_file(at("clip.mov"), bytes);
    const DecodedVideo clip = decode_video(at("clip.mov"));
    ASSERT_EQ(clip.width, t.width) << "the clip does not say that it is turned";
    for (const char* name : {"out.mp4", "out.webm"}) {
      SCOPED_TRACE(std::string(t.stored) + " " + name);
      const auto frames = run(at("clip.mov"), at(name));
      expect_skeletons_on_people(clip, decode_video(at(name)), frames);
    }
  }
}

TEST_F(Video, KeepsTheShapeOfPixels) {
  model_ = kFindsPeople;
  make_people(3, "width=160,height=180,pixel-aspect-ratio=2/1",
              kX264 + "matroskamux ! filesink location=" + at("clip.mkv"));
  for (const char* name : {"out.mp4", "out.mkv"}) {
    const auto frames = run(at("clip.mkv"), at(name));
    const DecodedVideo video = decode_video(at(name));
    EXPECT_EQ(video.width, 160);
    EXPECT_EQ(video.par_n * 1.0 / video.par_d, 2) << name;
    expect_skeletons_on_people(decode_video(at("clip.mkv")), video, frames);
  }
}

TEST_F(Video, IsMadeOfClipsInAllPixelFormats) {
  model_ = kFindsPeople;
  for (const auto& [format, coding] : {std::pair{"Y42B", kX264 + "matroskamux"},
                                       {"Y444", kX264 + "matroskamux"},
                                       {"I420_10LE", kX264 + "matroskamux"},
                                       {"Y41B", std::string("avenc_ffv1 ! matroskamux")},
                                       {"Y42B", std::string("avenc_huffyuv ! avimux")},
                                       {"GRAY8", std::string("avenc_ffv1 ! matroskamux")}}) {
    SCOPED_TRACE(std::string(format) + " " + coding);
    make_people(2, "width=320,height=180,format=" + std::string(format), coding + " ! filesink location=" + at("clip"));
    const auto frames = run(at("clip"), at("out.mkv"));
    expect_skeletons_on_people(decode_video(at("clip")), decode_video(at("out.mkv")), frames);
  }
}

TEST_F(Video, HasTheLastFrameOfClipsWithoutDurations) {
  for (const int count : {1, 2, 9}) {
    // Frames of a rate that is not known have no durations in Matroska.
    launch(ball(count, "width=192,height=128") + "vp8enc deadline=1 ! " +
           "capssetter caps=video/x-vp8,framerate=0/1 ! matroskamux ! filesink location=" + at("clip.mkv"));
    for (const char* name : {"out.mp4", "out.mov", "out.mkv", "out.webm", "out.avi"}) {
      SCOPED_TRACE(std::to_string(count) + " " + name);
      run(at("clip.mkv"), at(name));
      EXPECT_GE(decode_video(at(name)).frames.size(), static_cast<std::size_t>(count));
    }
    EXPECT_EQ(decode_video(at("out.mp4")).frames.size(), static_cast<std::size_t>(count));
    EXPECT_NEAR(decode_video(at("out.mp4")).seconds, count / 25.0, 0.002);
  }
}

TEST_F(Video, OfAClipThatBreaksInItsFirstFramesHasThose) {
  constexpr int kWhole = 5;
  std::string clip = "YUV4MPEG2 W64 H48 F25:1 Ip A1:1 C420jpeg\n";
  for (int i = 0; i < kWhole; ++i) clip += "FRAME\n" + std::string(64 * 48 * 3 / 2, static_cast<char>(40 * i));
  write_file(at("clip.y4m"), clip + "no frame\n" + std::string(64 * 48 * 3 / 2, 'x'));
  const Outcome outcome = Posecam(at("data"))
                              .run({"run", at("clip.y4m"), "--write-video", at("out.mp4"), "--json-lines",
                                    at("out.ndjson"), "--model", model_, "--device", "opencv", "--quiet"});
  EXPECT_EQ(outcome.code, 5) << outcome.err;
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
  EXPECT_EQ(std::ranges::count(read_file(at("out.ndjson")), '\n'), kWhole);
  EXPECT_EQ(decode_video(at("out.mp4")).frames.size(), std::size_t{kWhole});
}

TEST_F(Video, HasTheTimesOfItsFrames) {
  // Frames that come as they like, the first of them late.
  launch(ball(20, "width=192,height=128") + kX264 + "matroskamux ! filesink location=" + at("even.mkv"));
  launch("filesrc location=" + at("even.mkv") +
         " ! matroskademux ! h264parse ! mpegtsmux ! filesink location=" + at("clip.ts"));
  for (const char* muxer : {"matroskamux", "mp4mux"}) {
    launch(
        "audiotestsrc num-buffers=100 ! opusenc ! queue ! mux. videotestsrc num-buffers=20 "
        "timestamp-offset=1500000000 ! video/x-raw,framerate=25/1,width=192,height=128 ! " +
        kX264 + "queue ! mux. " + muxer + " name=mux ! filesink location=" + at(std::string("late.") + muxer));
  }
  for (const char* clip : {"even.mkv", "clip.ts", "late.matroskamux", "late.mp4mux"}) {
    for (const char* name : {"out.mp4", "out.mov", "out.mkv", "out.webm", "out.avi"}) {
      SCOPED_TRACE(std::string(clip) + " " + name);
      const auto frames = run(at(clip), at(name));
      const DecodedVideo video = decode_video(at(name));
      ASSERT_EQ(video.frames.size(), frames.size());
      const std::int64_t start = frames[0].value("start_ns", std::int64_t{0});
      EXPECT_EQ(start, frames[0]["pts_ns"]);
      for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_NEAR(video.frames[i].time, (frames[i]["pts_ns"].get<double>() - static_cast<double>(start)) / 1e9,
                    0.0015);
      }
    }
  }
}

TEST_F(Video, OfAClipWithoutARateHasItsSpeedInAvi) {
  launch(ball(50, "width=192,height=128") + "vp8enc deadline=1 ! " +
         "capssetter caps=video/x-vp8,framerate=0/1 ! webmmux ! filesink location=" + at("clip.webm"));
  const auto frames = run(at("clip.webm"), at("out.avi"));
  const DecodedVideo video = decode_video(at("out.avi"));
  EXPECT_EQ(frames.size(), 50U);
  EXPECT_NEAR(video.seconds, 2, 0.08);
  EXPECT_NEAR(video.frames.back().time, 1.96, 0.08);
}

TEST_F(Video, PlaysToTheLastSecondOfARunThatDied) {
  constexpr std::size_t kAnalysed = 200;
  constexpr std::size_t kOnTheWay = 100;  // a second that has no index yet, and what waits for the encoder and in it
  launch(ball(1500, "width=64,height=48") +
         "x264enc speed-preset=ultrafast ! mp4mux ! filesink location=" + at("clip.mp4"));
  const auto lines = [&] { return static_cast<std::size_t>(std::ranges::count(read_file(at("o.ndjson.part")), '\n')); };
  for (const char* name : {"out.mp4", "out.mov", "out.mkv", "out.webm", "out.avi"}) {
    SCOPED_TRACE(name);
    const Outcome outcome = Posecam(at("data"))
                                .run_and_kill({"run", at("clip.mp4"), "--write-video", at(name), "--json-lines",
                                               at("o.ndjson"), "--model", model_, "--device", "opencv"},
                                              [&] { return lines() > kAnalysed; });
    EXPECT_EQ(outcome.code, 128 + SIGKILL);
    EXPECT_FALSE(fs::exists(at(name)));
    const DecodedVideo video = decode_video(at(name) + ".part");
    ASSERT_GE(video.frames.size() + kOnTheWay, lines());
    fs::remove(at("o.ndjson.part"));
    if (std::string(name) == "out.avi") continue;  // without its index it is played in its order, not by times
    EXPECT_NEAR(video.frames[0].time, 0, 0.0015);
    for (std::size_t i = 1; i < video.frames.size(); ++i) {
      const double frame = video.frames[i].time * 25;
      EXPECT_NEAR(frame, std::round(frame), 0.04);
      // qtdemux leaves one out between two fragments.
      if (i < kAnalysed - kOnTheWay) {
        EXPECT_LE(frame - video.frames[i - 1].time * 25, 3.05);
      }
    }
  }
}

TEST_F(Video, HasItsIndexFirst) {
  launch(ball(9, "width=192,height=128") + kX264 + "mp4mux ! filesink location=" + at("clip.mp4"));
  for (const char* name : {"out.mp4", "out.mov"}) {
    run(at("clip.mp4"), at(name));
    const std::string bytes = read_file(at(name));
    EXPECT_LT(bytes.find("moov"), bytes.find("mdat")) << name;
  }
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder_.path())) left.push_back(entry.path().filename());
  EXPECT_THAT(left, ::testing::UnorderedElementsAre("clip.mp4", "out.mp4", "out.mov"));
}

}  // namespace
}  // namespace posecam::test
