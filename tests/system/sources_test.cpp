// posecam run on what does not lie on a disk: addresses, pipes, a camera that goes away.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
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
  void make_clip(const std::string& muxer_and_sink, int frames = kFrames) const {
    launch("videotestsrc pattern=ball num-buffers=" + std::to_string(frames) +
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

TEST_F(Sources, ReadsContainersOfPhonesAndOldProgramsToo) {
  for (const char* muxer : {"3gppmux", "flvmux", "avimux", "mpegtsmux", "qtmux"}) {
    make_clip(std::string(muxer) + " ! filesink location=" + at("clip"));
    const Outcome outcome = run({at("clip"), "--json-lines", "-"});
    EXPECT_EQ(outcome.code, 0) << muxer << ": " << outcome.err;
    EXPECT_EQ(lines(outcome.out), kFrames) << muxer;
  }
}

TEST_F(Sources, SaysWhatIsMissingOfAFileWithoutVideo) {
  launch("audiotestsrc num-buffers=20 ! vorbisenc ! oggmux ! filesink location=" + at("sound.ogg"));
  const Outcome outcome = run({at("sound.ogg"), "--json-lines", at("out.ndjson")});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("sound.ogg: no video in it"));
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
}

TEST_F(Sources, ReadsNothingThatAFileNamesInItsPlace) {
  make_clip("mpegtsmux ! filesink location=" + at("private.ts"));
  const std::string playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:9,\n";
  for (const std::string& text :
       {playlist + "file://" + at("private.ts") + "\n#EXT-X-ENDLIST\n",
        playlist + "http://127.0.0.1:1/private.ts\n#EXT-X-ENDLIST\n",
        std::string("ffconcat version 1.0\nfile private.ts\n"),
        std::string("<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"/>\n"),
        std::string("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
                    "a=rtpmap:96 H264/90000\n")}) {
    write_file(at("clip.mp4"), text);
    for (const char* isolate : {"no", "yes"}) {
      const Outcome outcome = run({at("clip.mp4"), "--json-lines", "-", "--isolate", isolate});
      EXPECT_EQ(outcome.code, 5) << text;
      EXPECT_EQ(outcome.out, "") << text;
      EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
      EXPECT_EQ(outcome.err.find("private"), std::string::npos) << outcome.err;
    }
  }
}

/// A playlist of a server, in which a line or an attribute is another address.
std::string playlist_with(const std::string& segment, const std::string& key = "") {
  return "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-PLAYLIST-TYPE:VOD\n" + key + "#EXTINF:9,\n" + segment +
         "\n#EXT-X-ENDLIST\n";
}

TEST_F(Sources, ReadsNoFileThatAPlaylistOfAServerNames) {
  make_clip("mpegtsmux ! filesink location=" + at("part.ts"));
  write_file(at("local.m3u8"), playlist_with("file://" + at("part.ts")));
  write_file(at("segment.m3u8"), read_file(at("local.m3u8")));
  write_file(at("variant.m3u8"), "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000000\nfile://" + at("local.m3u8") + "\n");
  write_file(at("key.m3u8"),
             playlist_with("part.ts", "#EXT-X-KEY:METHOD=AES-128,URI=\"file://" + at("part.ts") + "\"\n"));
  write_file(at("device.m3u8"), playlist_with("v4l2:///dev/video0"));
  write_file(at("good.m3u8"), playlist_with("part.ts"));
  POSECAM_RANGE_SERVER(server, folder_.path());
  for (const char* name : {"segment.m3u8", "variant.m3u8", "key.m3u8", "device.m3u8"}) {
    const Outcome outcome = run({server.url("plain/") + name, "--json-lines", "-", "--stall-limit", "2"});
    EXPECT_EQ(outcome.code, 5) << name;
    EXPECT_EQ(lines(outcome.out), 0) << name;
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_EQ(outcome.err.find(at("")), std::string::npos) << outcome.err;
  }
  const Outcome good = run({server.url("plain/good.m3u8"), "--json-lines", "-"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(lines(good.out), kFrames);
  const Outcome here = run({server.url("plain/good.m3u8"), "--json-lines", "-", "--isolate", "no"});
  EXPECT_EQ(here.code, 5);
  EXPECT_THAT(here.err, HasSubstr("leave out --isolate no"));
}

TEST_F(Sources, TrustsTheAuthoritiesThatAreNamed) {
  make_clip("mpegtsmux ! filesink location=" + at("part.ts"));
  write_file(at("list.m3u8"), playlist_with("part.ts"));
  const std::string authority = source_dir() / "tests/data/localhost.pem";
  POSECAM_RANGE_SERVER(server, folder_.path(), authority);
  const Outcome unknown = run({server.url("plain/part.ts"), "--json-lines", "-"});
  EXPECT_EQ(unknown.code, 5);
  EXPECT_THAT(unknown.err, HasSubstr("cannot be reached or read"));
  setenv("SSL_CERT_FILE", authority.c_str(), 1);
  for (const char* name : {"plain/part.ts", "plain/list.m3u8"}) {
    const Outcome trusted = run({server.url(name), "--json-lines", "-"});
    EXPECT_EQ(trusted.code, 0) << trusted.err;
    EXPECT_EQ(lines(trusted.out), kFrames) << name;
  }
  setenv("SSL_CERT_FILE", at("none.pem").c_str(), 1);
  EXPECT_THAT(run({server.url("plain/part.ts"), "--json-lines", "-"}).err, HasSubstr("SSL_CERT_FILE: names no file"));
  unsetenv("SSL_CERT_FILE");
}

/// What a clip shows of itself in a library of films.
void add_cover(GstElement* pipeline, const std::string& picture) {
  GstElement* muxer = gst_bin_get_by_interface(GST_BIN(pipeline), GST_TYPE_TAG_SETTER);
  ASSERT_NE(muxer, nullptr);
  GstBuffer* bytes = gst_buffer_new_memdup(picture.data(), picture.size());
  GstCaps* caps = gst_caps_new_empty_simple("image/jpeg");
  GstSample* cover = gst_sample_new(bytes, caps, nullptr, nullptr);
  gst_tag_setter_add_tags(GST_TAG_SETTER(muxer), GST_TAG_MERGE_APPEND, GST_TAG_IMAGE, cover, nullptr);
  gst_sample_unref(cover);
  gst_caps_unref(caps);
  gst_buffer_unref(bytes);
  gst_object_unref(muxer);
}

TEST_F(Sources, HasTheSameResultsFromAProcessOfItsOwn) {
  make_clip("matroskamux ! filesink location=" + at("clip.mkv"));
  launch("videotestsrc num-buffers=1 ! video/x-raw,width=32,height=32 ! jpegenc ! filesink location=" +
         at("cover.jpg"));
  launch("filesrc location=" + at("clip.mkv") +
             " ! matroskademux ! h264parse ! mp4mux ! filesink location=" + at("cover.mp4"),
         [this](GstElement* pipeline) { add_cover(pipeline, read_file(at("cover.jpg"))); });
  ASSERT_NE(read_file(at("cover.mp4")).find(read_file(at("cover.jpg"))), std::string::npos);
  const auto frames_of = [this](const std::string& clip, const char* isolate) {
    const Outcome outcome = run({clip, "--json-lines", "-", "--isolate", isolate});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return std::regex_replace(outcome.out, std::regex(R"x("(wallclock|latency_ms)":("[^"]*"|\{[^}]*\}))x"), "");
  };
  for (const char* name : {"clip.mkv", "cover.mp4"}) {
    const std::string together = frames_of(at(name), "no");
    EXPECT_EQ(lines(together), kFrames);
    EXPECT_EQ(frames_of(at(name), "yes"), together);
  }
}

TEST_F(Sources, SaysWhyAProcessOfItsOwnCannotReadAnInput) {
  write_file(at("text.mp4"), "this is text\n");
  make_clip("mpegtsmux ! filesink location=" + at("clip.ts"));
  launch("audiotestsrc num-buffers=20 ! vorbisenc ! oggmux ! filesink location=" + at("sound.ogg"));
  for (const auto& [name, why] :
       {std::pair{"text.mp4", "neither a video nor an image"}, {"sound.ogg", "no video in it"}}) {
    const Outcome outcome = run({at(name), at("clip.ts"), "--json-lines", at("out.ndjson")});
    EXPECT_EQ(outcome.code, 5);
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(std::string(name) + ": " + why));
    EXPECT_EQ(lines(read_file(at("out-clip.ndjson"))), kFrames);
    fs::remove(at("out-clip.ndjson"));
  }
}

/// Processes that decode for a posecam which this test started.
std::vector<pid_t> decoders() {
  const auto parent_of = [](pid_t pid) {
    const std::string status = read_file("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = status.rfind(')');
    return name_end == std::string::npos ? -1 : std::atoi(status.c_str() + name_end + 4);
  };
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && read_file(entry.path() / "cmdline").find("--decode-apart") != std::string::npos &&
        parent_of(parent_of(pid)) == getpid()) {
      found.push_back(pid);
    }
  }
  return found;
}

/// Two inputs of which the decoder of one, a pipe that does not end, gets a signal when the other is through.
class LostDecoder : public Sources {
 protected:
  void expect(int signal, const std::string& message) const {
    constexpr int kFew = 30;  // results of both fit a pipe that nobody reads in the meantime
    make_clip("matroskamux streamable=true ! filesink location=" + at("clip.mkv"), kFew);
    ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
    const int writer = open(at("fifo").c_str(), O_RDWR | O_CLOEXEC);
    const std::string clip = read_file(at("clip.mkv"));
    ASSERT_GE(fcntl(writer, F_SETPIPE_SZ, static_cast<int>(clip.size())), 0);
    ASSERT_EQ(write(writer, clip.data(), clip.size()), static_cast<ssize_t>(clip.size()));
    const std::vector<std::string> command =
        args({at("fifo"), at("clip.mkv"), "--json-lines", "-", "--write-video", at("v.mp4")});
    const Outcome outcome = Posecam(at("data")).run_and_meanwhile(command, [&] {
      while (!fs::exists(at("v-clip.mp4"))) std::this_thread::yield();
      for (const pid_t pid : decoders()) kill(pid, signal);
    });
    close(writer);
    EXPECT_EQ(outcome.code, 5);
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("fifo: " + message));
    EXPECT_GE(lines(outcome.out), kFew);
    EXPECT_EQ(fs::exists(at("v-fifo.mp4")), lines(outcome.out) > kFew) << "what was decoded is kept";
  }
};

TEST_F(LostDecoder, LeavesTheOtherInputsWholeWhenItCrashes) {
  expect(SIGABRT, "its decoder crashed (Aborted)");  // sanitizers make an exit of a SIGSEGV
}

TEST_F(LostDecoder, IsNoEndOfItsInputHoweverOrderlyItWent) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer wants to be loaded first";
#endif
  setenv("LD_PRELOAD", POSECAM_EXIT_EARLY, 1);
  expect(SIGUSR1, "its decoder ended before the input did");
  unsetenv("LD_PRELOAD");
}

TEST_F(Sources, ReadsStandardInputBesideOthersByAnyOfItsNames) {
  make_clip("matroskamux ! filesink location=" + at("clip.mkv"));
  for (const char* name : {"-", "/dev/stdin", "/dev/fd/0"}) {
    const auto command = args({name, at("clip.mkv"), "--json-lines", at("out.ndjson")});
    const Outcome outcome = Posecam(at("data")).run_reading(command, at("clip.mkv"));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    int results = 0;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().extension() != ".ndjson") continue;
      results += static_cast<int>(lines(read_file(entry.path())));
      fs::remove(entry.path());
    }
    EXPECT_EQ(results, 2 * kFrames) << name;
  }
}

TEST_F(Sources, SurvivesAFileThatEndsTheProcessOfItsDecoder) {
  POSECAM_NEEDS_SHARED("media/broken/13_abort.mxf");
  make_clip("matroskamux ! filesink location=" + at("clip.mkv"));
  const Outcome outcome = run({at("clip.mkv"), shared_dir() / "media/broken/13_abort.mxf", "--json-lines", "-"});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  // At times another thread of the decoder finds out first that there is none for this file.
  EXPECT_THAT(outcome.err, testing::AnyOf(HasSubstr("13_abort.mxf: its decoder crashed (Aborted)"),
                                          HasSubstr("13_abort.mxf: no decoder for video/x-mxf")));
  EXPECT_EQ(lines(outcome.out), kFrames);
}

#ifdef POSECAM_HAVE_RTSP_SERVER
std::string url_with_password(const RtspServer& camera) {
  return "rtspt://viewer:p%40ss%20word@127.0.0.1:" + camera.port() + "/cam";
}

TEST_F(Sources, FailsWhenACameraGoesAwayAndKeepsWhatItHas) {
  for (const char* isolate : {"no", "yes"}) {
    RtspServer camera;
    ASSERT_NE(camera.port(), "");
    const Outcome outcome = Posecam(at("data"))
                                .run_and_meanwhile(args({url_with_password(camera), "--json-lines", "-",
                                                         "--write-coco-json", at("coco.json"), "--isolate", isolate}),
                                                   [&] { camera.die(); });
    EXPECT_EQ(outcome.code, 5);
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("the stream broke off after"));
    EXPECT_EQ(outcome.err.find("word"), std::string::npos) << outcome.err;
    EXPECT_GE(lines(outcome.out), 1);
    EXPECT_TRUE(fs::exists(at("coco.json")));
    fs::remove(at("coco.json"));
  }
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
