// posecam run as a user meets it, on clips made here and a network of a kilobyte (tests/data/make_networks.py).

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/launch.h"
#include "tests/support/shared.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kTinyModel = source_dir() / "tests/data/tiny_pose.json";
constexpr int kFrames = 12;

/// A moving test picture as H.264 in MP4, index first so that a cut file can still be read in part.
void make_clip(const fs::path& path, int frames, int width, int height) {
  const char* encoder = gst_element_factory_find("x264enc") != nullptr ? "x264enc key-int-max=4" : "openh264enc";
  launch("videotestsrc pattern=ball num-buffers=" + std::to_string(frames) +
         " ! video/x-raw,format=I420,width=" + std::to_string(width) + ",height=" + std::to_string(height) +
         ",framerate=25/1 ! " + encoder + " ! h264parse ! mp4mux faststart=true ! filesink location=" + path.string());
}

void make_image(const fs::path& path, int width, int height) {
  launch("videotestsrc num-buffers=1 ! video/x-raw,width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + " ! pngenc ! filesink location=" + path.string());
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class PosecamRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  PosecamRun() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("posecam-" + std::string(test->name()) + "-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  ~PosecamRun() override { fs::remove_all(folder_); }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  Outcome posecam(const std::vector<std::string>& args) const { return Posecam(at("data")).run(args); }

  /// posecam run with the tiny network; SIGINT at its first line on stdout if asked.
  Outcome run(std::vector<std::string> args, int signal = 0) const {
    args.insert(args.begin(), "run");
    args.insert(args.end(), {"--model", kTinyModel});
    return Posecam(at("data")).run_until_line(args, signal);
  }

  /// Fails with that code and one line on stderr, and leaves no output behind.
  void expect_refused(const std::vector<std::string>& args, int code, const std::string& message) const {
    std::vector<std::string> all{"run"};
    all.insert(all.end(), args.begin(), args.end());
    const Outcome outcome = posecam(all);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("posecam: "));
    EXPECT_THAT(outcome.err, HasSubstr(message));
    for (const char* output : {"out.ndjson", "out.mp4", "out.ndjson.part", "out.mp4.part"}) {
      EXPECT_FALSE(fs::exists(at(output))) << output;
    }
  }
  std::vector<std::string> with_outputs(std::vector<std::string> args) const {
    for (const auto& arg :
         {std::string("--json-lines"), at("out.ndjson"), std::string("--write-video"), at("out.mp4")}) {
      args.push_back(arg);
    }
    return args;
  }

  fs::path folder_;
};

TEST_F(PosecamRun, RefusesBadUsageInOneLine) {
  expect_refused({}, 2, "no input");
  expect_refused({at("a.mp4"), "--no-such-option"}, 2, "unknown option");
  expect_refused({at("a.mp4"), "--threshold", "high"}, 2, "--threshold");
  expect_refused({at("a.mp4"), "--threshold", "nan"}, 2, "--threshold");
  expect_refused({at("a.mp4"), "--max-frames", "-1"}, 2, "--max-frames");
  expect_refused({at("a.mp4"), "--net-resolution", "99999999999x256"}, 2, "WIDTHxHEIGHT");
  expect_refused({"testsrc", "--json-lines", "-", "--write-coco-json", "-"}, 2, "only one output");
  EXPECT_EQ(posecam({"fly"}).code, 2);
}

TEST_F(PosecamRun, RefusesWhatIsNotThere) {
  write(at("zero.mp4"), "");
  fs::create_directories(at("empty"));
  expect_refused(with_outputs({at("missing.mp4")}), 5, "No such file");
  expect_refused(with_outputs({at("zero.mp4")}), 5, "the file is empty");
  expect_refused(with_outputs({at("empty")}), 5, "no images");
  expect_refused(with_outputs({"testsrc", "--display"}), 5, "there is no screen");
}

TEST_F(PosecamRun, RefusesModelsThatAreNotThere) {
  write(at("broken.json"), "{");
  expect_refused(with_outputs({"testsrc", "--model", "nobody"}), 3, "no model 'nobody'");
  expect_refused(with_outputs({"testsrc", "--model", at("none.json")}), 3, "none.json");
  expect_refused(with_outputs({"testsrc", "--model", at("none.neff")}), 3,
                 "none.neff: cannot read the model descriptor: No such file or directory");
  write(at("graph.neff"), "");
  expect_refused(with_outputs({"testsrc", "--model", at("graph.neff")}), 3, "run: posecam compile MODEL --neff");
  expect_refused(with_outputs({"testsrc", "--model", at("broken.json")}), 3, "broken.json");
  expect_refused(with_outputs({"testsrc", "--model", "openpose"}), 3,
                 "model 'openpose': its weights for ");  // how to get them depends on the device
  expect_refused(with_outputs({"testsrc", "--device", "abacus"}), 2, "abacus");
}

TEST_F(PosecamRun, RefusesOutputsThatCannotBeWritten) {
  expect_refused({"testsrc", "--json-lines", at("no/where.ndjson")}, 5, "mkdir -p");
  fs::create_directories(at("folder"));
  expect_refused({"testsrc", "--write-video", at("folder") + "/../folder.gif"}, 2, ".mp4");
  expect_refused({"testsrc", "--write-coco-json", at("folder")}, 5, "is a folder");
}

TEST_F(PosecamRun, RefusesFilesThatAreNoVideo) {
  write(at("text.mp4"), "this is text, whatever its name says\n");
  make_clip(at("whole.mp4"), kFrames, 64, 48);
  const std::string clip = content(at("whole.mp4"));
  write(at("head.mp4"), clip.substr(0, 200));
  expect_refused(with_outputs({at("text.mp4"), "--model", kTinyModel}), 5, "neither a video nor an image");
  expect_refused(with_outputs({at("head.mp4"), "--model", kTinyModel}), 5, "cut off");
}

TEST_F(PosecamRun, WritesVideoAndAllKindsOfJson) {
  make_clip(at("clip.mp4"), kFrames, 64, 48);
  const Outcome outcome = run({at("clip.mp4"), "--write-video", at("out.mp4"), "--json-lines", "-", "--write-json",
                               at("json"), "--write-coco-json", at("coco.json"), "--write-motion-json", at("m.json")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines(outcome.out), kFrames);
  EXPECT_THAT(outcome.err, HasSubstr("12 frames"));
  EXPECT_THAT(outcome.err, HasSubstr("0 unanalysed"));
  EXPECT_TRUE(fs::exists(at("json/clip_000000000011_keypoints.json")));
  EXPECT_TRUE(nlohmann::json::parse(content(at("coco.json"))).is_array());
  EXPECT_FALSE(fs::exists(at("out.mp4.part")));
  launch("filesrc location=" + at("out.mp4") + " ! qtdemux ! h264parse ! fakesink");
}

TEST_F(PosecamRun, KeepsWhatIsLeftOfAClipThatIsCutOff) {
  make_clip(at("whole.mp4"), kFrames, 64, 48);
  const std::string clip = content(at("whole.mp4"));
  write(at("cut.mp4"), clip.substr(0, clip.size() - (clip.size() - clip.find("mdat")) / 2));
  const Outcome outcome = run({at("cut.mp4"), "--quiet", "--json-lines", at("out.ndjson")});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("cut off"));
  const long left = lines(content(at("out.ndjson")));
  EXPECT_GT(left, 0);
  EXPECT_LT(left, kFrames);
}

TEST_F(PosecamRun, TakesImagesOfAnySize) {
  fs::create_directories(at("images"));
  make_image(at("images/1.png"), 1, 1);
  make_image(at("images/2.png"), 101, 57);
  make_image(at("images/10.png"), 7680, 4320);
  const Outcome outcome = run({"--image_dir", at("images"), "--quiet", "--json-lines", "-", "--write_json", at("json"),
                               "--write_video", at("out.mp4"), "--display", "0"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(lines(outcome.out), 3);
  const auto last = nlohmann::json::parse(outcome.out.substr(outcome.out.rfind('\n', outcome.out.size() - 2) + 1));
  EXPECT_EQ(last["source"]["width"], 7680);
  EXPECT_EQ(last["status"], "analysed");
  EXPECT_EQ(last["file"], "10.png");
  EXPECT_TRUE(fs::exists(at("json/10_keypoints.json")));
  EXPECT_TRUE(fs::exists(at("out.mp4")));
}

TEST_F(PosecamRun, WritesVideosOfOddSize) {
  make_image(at("odd.png"), 101, 57);
  EXPECT_EQ(run({at("odd.png"), "--quiet", "--write-video", at("out.mp4")}).code, 0);
  launch("filesrc location=" + at("out.mp4") + " ! qtdemux ! h264parse ! video/x-h264,width=102,height=58 ! fakesink");
}

TEST_F(PosecamRun, TurnsClipsThatLieOnTheirSide) {
  make_clip(at("upright.mp4"), 3, 96, 64);
  std::string clip = content(at("upright.mp4"));
  // ISO/IEC 14496-12, 8.3.2: the matrix is 40 bytes behind "tkhd"; here for a quarter turn clockwise.
  const std::string turn("\0\0\0\0\0\1\0\0\0\0\0\0\377\377\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\0\0", 36);
  clip.replace(clip.find("tkhd") + 4 + 40, turn.size(), turn);
  write(at("phone.mov"), clip);
  const Outcome outcome = run({at("phone.mov"), "--quiet", "--json-lines", "-"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(R"("source":{"width":64,"height":96})"));
}

TEST_F(PosecamRun, GoesOnWhenOneOfSeveralInputsFails) {
  make_clip(at("clip.mp4"), kFrames, 64, 48);
  write(at("text.mp4"), "this is text\n");
  const Outcome outcome = run({at("clip.mp4"), at("text.mp4"), "--quiet", "--json-lines", at("out.ndjson")});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  EXPECT_EQ(lines(content(at("out-clip.ndjson"))), kFrames);
  EXPECT_FALSE(fs::exists(at("out-text.ndjson")));
}

TEST_F(PosecamRun, InterleavesWholeLinesOfSeveralInputs) {
  make_clip(at("a.mp4"), kFrames, 64, 48);
  make_clip(at("b.mp4"), kFrames, 80, 48);
  const Outcome outcome = run({at("a.mp4"), at("b.mp4"), "--quiet", "--json-lines", "-"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::map<std::string, int> next;
  std::istringstream all(outcome.out);
  for (std::string line; std::getline(all, line);) {
    const auto frame = nlohmann::json::parse(line);
    EXPECT_EQ(frame["frame_id"], next[frame["stream_id"]]++);
  }
  EXPECT_EQ(next["a"], kFrames);
  EXPECT_EQ(next["b"], kFrames);
}

TEST_F(PosecamRun, RefusesKeypointOutputsOfADetector) {
  expect_refused({at("a.mp4"), "--model", "yolox-nano", "--write-motion-json", at("m.json")}, 2, "finds no keypoints");
  expect_refused({at("a.mp4"), "--model", "squeezenet", "--write-json", at("json")}, 2, "finds no keypoints");
  expect_refused({at("a.mp4"), "--model", "squeezenet", "--write-coco-json", at("c.json")}, 2, "and no boxes");
}

TEST_F(PosecamRun, GoesOnWhenNobodyReadsItsMessages) {
  make_clip(at("clip.mp4"), kFrames, 64, 48);
  const Outcome outcome =
      Posecam(at("data")).run_unheard({"run", at("clip.mp4"), "--model", kTinyModel, "--json-lines", at("out.ndjson")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(lines(content(at("out.ndjson"))), kFrames);
}

TEST_F(PosecamRun, CompletesItsFilesWhenInterrupted) {
  const Outcome outcome = run(
      {"testsrc", "--json-lines", "-", "--write-video", at("out.mp4"), "--write-coco-json", at("coco.json")}, SIGINT);
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_EQ(outcome.out.back(), '\n');
  EXPECT_TRUE(nlohmann::json::parse(content(at("coco.json"))).is_array());
  launch("filesrc location=" + at("out.mp4") + " ! qtdemux ! h264parse ! fakesink");
}

TEST_F(PosecamRun, EndsASecondRunOnTheSameOutputsAndLeavesTheFirstAlone) {
  // More lines than a pipe holds: the first run waits for its reader until the others are through.
  const auto args = [this](const std::string& prefix) {
    return std::vector<std::string>{"run",
                                    "testsrc",
                                    "--max-frames",
                                    "600",
                                    "--quiet",
                                    "--json-lines",
                                    "-",
                                    "--write-coco-json",
                                    at(prefix + ".json"),
                                    "--write-motion-json",
                                    at(prefix + "m.json"),
                                    "--write-video",
                                    at(prefix + ".avi"),
                                    "--model",
                                    kTinyModel};
  };
  const Outcome alone = posecam(args("alone"));
  EXPECT_EQ(alone.code, 0) << alone.err;
  ASSERT_GT(alone.out.size(), std::size_t{1} << 17);
  const auto disturb = [&] {
    for (const auto& [option, file] : {std::pair{"--write-video", at("first.avi")},
                                       {"--write-coco-json", at("first.json")},
                                       {"--write-motion-json", at("firstm.json")}}) {
      const Outcome second = run({"testsrc", "--max-frames", "3", option, file, "--json-lines", at("second.ndjson")});
      EXPECT_EQ(second.code, 2) << second.err;
      EXPECT_EQ(lines(second.err), 1) << second.err;
      EXPECT_THAT(second.err, HasSubstr(option + (" " + file) + ": another run is writing it"));
      EXPECT_FALSE(fs::exists(at("second.ndjson")));
      EXPECT_FALSE(fs::exists(at("second.ndjson.part")));
    }
    EXPECT_FALSE(fs::exists(at("first.json"))) << "the first run was through before it was disturbed";
  };
  const Outcome first = Posecam(at("data")).run_and_meanwhile(args("first"), disturb);
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(lines(first.out), 600);
  for (const char* name : {".json", "m.json", ".avi"}) {
    EXPECT_EQ(content(at(std::string("first") + name)), content(at(std::string("alone") + name))) << name;
    EXPECT_FALSE(fs::exists(at(std::string("first") + name + ".part"))) << name;
  }
}

TEST_F(PosecamRun, NamesNoOutputIfOneFails) {
  make_clip(at("clip.mp4"), kFrames, 64, 48);
  const Outcome outcome = run({at("clip.mp4"), "--quiet", "--write-coco-json", "/dev/full", "--json-lines",
                               at("out.ndjson"), "--write-video", at("out.mp4")});
  EXPECT_EQ(outcome.code, 5) << outcome.err;
  for (const char* name : {"out.ndjson", "out.mp4"}) EXPECT_FALSE(fs::exists(at(name))) << name;
  EXPECT_TRUE(fs::exists(at("out.ndjson.part")));
  // Of the video there may be something, or nothing yet.
  for (const char* part : {"out.ndjson.part", "out.mp4.part"}) {
    const bool told = outcome.err.find(at(part)) != std::string::npos;
    EXPECT_EQ(told, fs::exists(at(part))) << part << ": " << outcome.err;
  }
}

/// Each output that does not fit is called .part, says so in the one line of the failure, and is of use.
void expect_kept(const Outcome& outcome, const std::string& file) {
  EXPECT_EQ(outcome.code, 5) << file << ": " << outcome.err;
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("; what was written is in " + file + ".part"));
  EXPECT_FALSE(fs::exists(file));
  if (file.ends_with(".ndjson")) {
    EXPECT_EQ(content(file + ".part").back(), '\n');
  } else {
    launch("filesrc location=" + file + ".part ! decodebin ! fakesink");
  }
}

TEST_F(PosecamRun, KeepsWhatFitsOnAFullDisk) {
  fs::create_directories(at("disk"));
  if (mount("tmpfs", at("disk").c_str(), "tmpfs", 0, "size=400k") != 0) GTEST_SKIP() << "cannot mount a tmpfs here";
  for (const std::string name : {"o.ndjson", "o.mp4", "o.mkv", "o.webm", "o.avi"}) {
    const std::string file = at("disk/") + name;
    const Outcome outcome = run({"testsrc", "--quiet", name.ends_with("n") ? "--json-lines" : "--write-video", file});
    EXPECT_THAT(outcome.err, HasSubstr("pace"));
    expect_kept(outcome, file);
    fs::remove(file + ".part");
  }
  umount(at("disk").c_str());
}

TEST_F(PosecamRun, KeepsWhatFitsIntoTheLargestFileThatIsAllowed) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  for (const std::string name : {"o.ndjson", "o.mov"}) {
    const rlimit small{400'000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const Outcome outcome =
        run({"testsrc", "--quiet", name.ends_with("n") ? "--json-lines" : "--write-video", at(name)});
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_THAT(outcome.err, HasSubstr("raise the limit"));
    expect_kept(outcome, at(name));
  }
}

TEST_F(PosecamRun, ListsDevicesAndVersion) {
  const Outcome devices = posecam({"devices"});
  EXPECT_EQ(devices.code, 0) << devices.err;
  EXPECT_THAT(devices.out, HasSubstr("opencv"));
  EXPECT_THAT(posecam({"--version"}).out, StartsWith("posecam "));
  EXPECT_THAT(posecam({"run", "--help"}).out, HasSubstr("--write-video FILE"));
}

TEST_F(PosecamRun, SaysThatACompiledNetworkWasDamagedAndFindsTheSamePeople) {
  setenv("XDG_CACHE_HOME", at("cache").c_str(), 1);
  const std::vector<std::string> args{"synthetic", "--max-frames", "1", "--device", "openvino", "--json-lines", "-"};
  const Outcome first = run(args);
  if (first.err.find("is not built in") != std::string::npos) GTEST_SKIP() << "built without OpenVINO";
  ASSERT_EQ(first.code, 0) << first.err;
  fs::path cached;
  for (const auto& entry : fs::recursive_directory_iterator(at("cache"))) {
    if (entry.path().extension() == ".network") cached = entry.path();
  }
  ASSERT_FALSE(cached.empty());
  std::string damaged = content(cached);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  write(cached, damaged);
  const Outcome second = run(args);
  const Outcome third = run(args);
  unsetenv("XDG_CACHE_HOME");
  EXPECT_THAT(second.err, HasSubstr(cached.string() + ": this compiled network was damaged; it is made anew"));
  EXPECT_EQ(third.err.find("damaged"), std::string::npos) << third.err;
  const auto people = [](const Outcome& outcome) {
    return nlohmann::json::parse(outcome.out.substr(0, outcome.out.find('\n')))["people"];
  };
  EXPECT_EQ(people(second), people(first));
}

}  // namespace
}  // namespace posecam::test
