// posecam run on what does not lie on a disk: addresses, pipes, a camera that goes away.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include "tests/support/launch.h"
#include "tests/support/range_server.h"
#include "tests/support/rtsp_server.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kFrames = 100;

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class Sources : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  void make_clip(const std::string& muxer_and_sink) const {
    launch("videotestsrc pattern=ball num-buffers=" + std::to_string(kFrames) +
           " ! video/x-raw,width=96,height=64,framerate=25/1 ! x264enc key-int-max=25 ! h264parse ! " + muxer_and_sink);
  }
  std::vector<std::string> args(std::vector<std::string> own) const {
    own.insert(own.begin(), "run");
    own.insert(own.end(), {"--model", source_dir() / "tests/data/tiny_pose.json", "--device", "opencv", "--quiet"});
    return own;
  }
  Outcome run(std::vector<std::string> own) const { return Posecam(at("data")).run(args(std::move(own))); }

  TempDir folder_;
};

TEST_F(Sources, ReadsARecordingBehindAnAddressWhole) {
  make_clip("mp4mux ! filesink location=" + at("clip.mp4"));
  make_clip("matroskamux ! filesink location=" + at("clip.mkv"));
  make_clip("mpegtsmux ! filesink location=" + at("clip.ts"));
  make_clip("hlssink2 max-files=0 playlist-length=0 target-duration=1 location=" + at("part%d.ts") +
            " playlist-location=" + at("list.m3u8"));
  POSECAM_RANGE_SERVER(server, folder_.path());
  for (const char* name : {"range/clip.mp4", "plain/clip.mp4", "range/clip.mkv", "plain/clip.ts", "plain/list.m3u8"}) {
    const Outcome outcome = run({server.url(name), "--json-lines", "-"});
    EXPECT_EQ(outcome.code, 0) << name << ": " << outcome.err;
    EXPECT_EQ(lines(outcome.out), kFrames) << name;
  }
}

TEST_F(Sources, FailsWhenAServerGoesAwayInTheMiddle) {
  make_clip("matroskamux ! filesink location=" + at("clip.mkv"));
  make_clip("mpegtsmux ! filesink location=" + at("clip.ts"));
  POSECAM_RANGE_SERVER(server, folder_.path());
  for (const char* name : {"cut/clip.mkv", "cut/clip.ts"}) {
    const Outcome outcome = run({server.url(name), "--json-lines", "-"});
    EXPECT_EQ(outcome.code, 5) << name << ": " << outcome.err;
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_LT(lines(outcome.out), kFrames) << name;
  }
}

TEST_F(Sources, TurnsAClipBehindAnAddress) {
  POSECAM_NEEDS_SHARED("media/broken/01_rotated90.mov");
  fs::copy_file(shared_dir() / "media/broken/01_rotated90.mov", at("phone.mov"));
  POSECAM_RANGE_SERVER(server, folder_.path());
  const Outcome outcome = run({server.url("range/phone.mov"), "--json-lines", "-"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(R"("source":{"width":320,"height":568})"));
}

TEST_F(Sources, ReadsPipesWhole) {
  make_clip("matroskamux ! filesink location=" + at("clip.mkv"));
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(at("fifo"), std::ios::binary) << read_file(at("clip.mkv")); });
  const Outcome fifo = run({at("fifo"), "--json-lines", "-"});
  writer.join();
  EXPECT_EQ(fifo.code, 0) << fifo.err;
  EXPECT_EQ(lines(fifo.out), kFrames);
  EXPECT_THAT(fifo.out, HasSubstr(R"("stream_id":"fifo")"));
  const Outcome piped = Posecam(at("data")).run_reading(args({"-", "--json-lines", "-"}), at("clip.mkv"));
  EXPECT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(lines(piped.out), kFrames);
  EXPECT_THAT(piped.out, HasSubstr(R"("stream_id":"stdin")"));
}

TEST_F(Sources, StopsReadingAPipeThatNobodyWritesTo) {
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  const Outcome outcome = run({at("fifo"), "--json-lines", at("out.ndjson"), "--stall-limit", "0.5"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("fifo: no frame for 0.5 s"));
  EXPECT_FALSE(fs::exists(at("out.ndjson")));
}

TEST_F(Sources, PlaysVideoWithAnAlphaChannel) {
  POSECAM_NEEDS_SHARED("media/broken/04b_vp9_alpha.webm");
  const Outcome outcome = run({shared_dir() / "media/broken/04b_vp9_alpha.webm", "--json-lines", "-"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines(outcome.out), 150);
}

TEST_F(Sources, SaysWhatIsMissingOfAFileWithoutVideo) {
  launch("audiotestsrc num-buffers=20 ! vorbisenc ! oggmux ! filesink location=" + at("sound.ogg"));
  const Outcome outcome = run({at("sound.ogg"), "--json-lines", at("out.ndjson")});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("sound.ogg: no video in it"));
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
}

#ifdef POSECAM_HAVE_RTSP_SERVER
std::string url_with_password(const RtspServer& camera) {
  return "rtspt://viewer:p%40ss%20word@127.0.0.1:" + camera.port() + "/cam";
}

TEST_F(Sources, FailsWhenACameraGoesAwayAndKeepsWhatItHas) {
  RtspServer camera;
  ASSERT_NE(camera.port(), "");
  const Outcome outcome =
      Posecam(at("data"))
          .run_and_meanwhile(
              args({url_with_password(camera), "--json-lines", "-", "--write-coco-json", at("coco.json")}),
              [&] { camera.die(); });
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("the stream broke off after"));
  EXPECT_EQ(outcome.err.find("word"), std::string::npos) << outcome.err;
  EXPECT_GE(lines(outcome.out), 1);
  EXPECT_TRUE(fs::exists(at("coco.json")));
}

TEST_F(Sources, FailsWhenACameraHangs) {
  RtspServer camera;
  ASSERT_NE(camera.port(), "");
  const Outcome outcome =
      Posecam(at("data"))
          .run_and_meanwhile(args({url_with_password(camera), "--json-lines", "-", "--stall-limit", "2"}),
                             [&] { camera.stall(); });
  camera.go_on();
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("no frame for 2 s"));
}
#endif

}  // namespace
}  // namespace posecam::test
