// What posecam does where its outputs are full, closed, unread, a terminal or wanted quiet: the same for all commands.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/neuron_sim.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/system/posecam_process.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Words = std::vector<std::string>;

const std::string kTinyModel = source_dir() / "tests/data/tiny_pose.json";
const std::string kReport = source_dir() / "tests/data/bench.json";

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class PosecamOutput : public ::testing::Test {
 protected:
  PosecamOutput() {
    write_file(dir_.path() / "people.json",
               R"({"images": [{"id": 1, "file_name": "1.jpg", "width": 640, "height": 360}],
      "annotations": [], "categories": [{"id": 1, "name": "person"}]})");
    write_file(dir_.path() / "none.json", "[]");
    std::filesystem::copy_file(source_dir() / "media/annotated.jpg", dir_.path() / "1.jpg");
  }
  std::string at(const std::string& name) const { return dir_.path() / name; }
  Posecam posecam() const { return Posecam(dir_.path() / "data"); }

  /// Every command that prints something.
  std::vector<Words> printing() const {
    return {{"--help"},
            {"--version"},
            {"run", "--help"},
            {"run", "testsrc", "--print-config"},
            {"models", "list"},
            {"models", "list", "--json"},
            {"models", "show", "openpose-lite"},
            {"models", "verify", "openpose-lite"},
            {"models", "path"},
            {"models", "pull", "openpose-lite"},
            {"devices"},
            {"devices", "--json"},
            {"devices", "--watch"},
            {"cost", kReport},
            {"cost", kReport, "--json"},
            {"bench", "compare", kReport, kReport},
            {"bench", "--model", kTinyModel, "--device", "opencv", "--seconds", "0.1", "--warm-up", "0", "--repeat",
             "1", "-q"},
            {"compile", kTinyModel, "--target", "sim", "--dry-run"},
            {"compile", kTinyModel, "--target", "sim", "--out", at("net")},
            {"eval", "--annotations", at("people.json"), "--results", at("none.json")},
            {"eval", "--annotations", at("people.json"), "--results", at("none.json"), "--json"},
            {"profile", "testsrc", "--model", kTinyModel, "--frames", "3", "--no-video"}};
  }
  void expect_failure(const Outcome& outcome, const Words& args, const std::string& why) const {
    const std::string command = ::testing::PrintToString(args);
    EXPECT_EQ(outcome.code, 5) << command;
    EXPECT_EQ(lines(outcome.err), 1) << command << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("posecam: standard output: cannot write: " + why)) << command;
  }

  TempDir dir_;
};

TEST_F(PosecamOutput, FailsInOneLineWhereItsDiskIsFull) {
  for (const Words& args : printing()) {
    expect_failure(posecam().run_into("/dev/full", args), args, "No space left on device; free some space");
  }
}

TEST_F(PosecamOutput, FailsInOneLineWhereThereIsNone) {
  for (const Words& args : printing()) {
    expect_failure(posecam().run_into("", args), args, "Bad file descriptor; it is closed");
  }
}

TEST_F(PosecamOutput, WritesNoFileOfItsOwnIntoAClosedOutput) {
  const Outcome ran = posecam().run_into(
      "", {"run", "testsrc", "--max-frames", "3", "--model", kTinyModel, "-q", "--write-coco-json", at("coco.json")});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(read_file(at("coco.json")), StartsWith("["));
}

TEST_F(PosecamOutput, WritesWhatALinkLeadsToAndLeavesTheLink) {
  write_file(at("there.ndjson"), "old");
  std::filesystem::create_symlink("there.ndjson", at("link.ndjson"));
  std::filesystem::create_symlink(at("new.mp4"), at("link.mp4"));
  std::filesystem::create_symlink("self.json", at("self.json"));
  const Words run{"run", "testsrc", "--max-frames", "3", "--model", kTinyModel, "-q"};
  const auto with = [&](const Words& more) {
    Words args = run;
    args.insert(args.end(), more.begin(), more.end());
    return posecam().run(args);
  };
  EXPECT_EQ(with({"--json-lines", at("link.ndjson"), "--write-video", at("link.mp4")}).code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(at("link.ndjson")) && std::filesystem::is_symlink(at("link.mp4")));
  EXPECT_EQ(lines(read_file(at("there.ndjson"))), 3);
  EXPECT_GT(read_file(at("new.mp4")).size(), 0U);
  const Outcome endless = with({"--write-coco-json", at("self.json")});
  EXPECT_EQ(endless.code, 2);
  EXPECT_THAT(endless.err, HasSubstr("self.json: is a link that leads nowhere"));
  EXPECT_EQ(with({"--json-lines", at("link.ndjson"), "--write-coco-json", at("there.ndjson")}).code, 2);
}

TEST_F(PosecamOutput, WritesBehindWhatIsInItsStandardOutputByName) {
  write_file(at("out"), "old\n");
  const Outcome ran = posecam().run_into(
      at("out"), {"run", "testsrc", "--max-frames", "3", "--model", kTinyModel, "-q", "--json-lines", "/dev/stdout"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(read_file(at("out")), StartsWith("old\n{"));
  EXPECT_EQ(lines(read_file(at("out"))), 4);
  EXPECT_TRUE(std::filesystem::is_symlink("/dev/stdout"));
}

TEST_F(PosecamOutput, WritesIntoAPipeForItsReaderAndWaitsForNoneForEver) {
  ASSERT_EQ(mkfifo(at("p.mkv").c_str(), 0600), 0);
  const Words run{"run", "testsrc", "--max-frames", "30", "--model", kTinyModel, "-q", "--write-video", at("p.mkv")};
  const Outcome alone = posecam().run(run);
  EXPECT_EQ(alone.code, 5);
  EXPECT_THAT(alone.err, HasSubstr("p.mkv: nobody reads this pipe"));
  std::string video;
  std::thread reader([&] { video = read_file(at("p.mkv")); });
  EXPECT_EQ(posecam().run(run).code, 0);
  reader.join();
  EXPECT_GT(video.size(), 10'000U);
  EXPECT_TRUE(std::filesystem::is_fifo(at("p.mkv")));
}

TEST_F(PosecamOutput, TakesNamesThatBeginWithADashBehindTwoDashes) {
  for (const Words& args : {Words{"run", "--", "-x"},
                            {"models", "show", "--", "-x"},
                            {"models", "pull", "--", "-x"},
                            {"cost", "--", "-x"},
                            {"bench", "compare", "--", "-x", "-y"},
                            {"compile", "--target", "sim", "--", "-x"},
                            {"profile", "--model", kTinyModel, "--", "-x"}}) {
    const Outcome ran = posecam().run(args);
    EXPECT_NE(ran.code, 0);
    EXPECT_THAT(ran.err, HasSubstr("-x")) << ::testing::PrintToString(args);
    EXPECT_THAT(ran.err, Not(HasSubstr("option"))) << ::testing::PrintToString(args);
    EXPECT_THAT(ran.err, Not(HasSubstr("not expected"))) << ::testing::PrintToString(args);
  }
}

TEST_F(PosecamOutput, SaysHowToGetSomethingOutOfARunWithoutOutputs) {
  const Words run{"run", "testsrc", "--max-frames", "1", "--model", kTinyModel};
  const Outcome nothing = posecam().run(run);
  EXPECT_THAT(nothing.err, HasSubstr("testsrc: 1 frame in "));
  EXPECT_THAT(nothing.err, HasSubstr("people a frame\n"));
  EXPECT_THAT(nothing.err, HasSubstr("\nposecam: nothing was written: add --write-video out.mp4"));
  const auto with = [&](const Words& more) {
    Words args = run;
    args.insert(args.end(), more.begin(), more.end());
    return posecam().run(args).err;
  };
  EXPECT_THAT(with({"--json-lines", at("x.ndjson")}), Not(HasSubstr("nothing was written")));
  const std::string hint =
      "becomes a folder, with one OpenPose file a frame; did you mean --json-lines " + at("k.json") + "?";
  EXPECT_THAT(with({"--write-json", at("k.json")}), HasSubstr(hint));
  const std::string again = with({"--write-json", at("k.json")});
  EXPECT_THAT(again, Not(HasSubstr("becomes"))) << "it is a folder by now";
  EXPECT_THAT(again,
              HasSubstr(at("k.json") + ": holds 1 document already; those that this run does not write anew stay"));
  const std::string other = with({"--write-json", at("keypoints")});
  EXPECT_THAT(other, Not(HasSubstr("becomes")));
  EXPECT_THAT(other, Not(HasSubstr("holds")));
}

/// What is drawn over and over on a terminal, and what is there at last.
struct Screen {
  std::size_t widest = 0;         ///< of what was drawn over
  std::vector<std::string> rows;  ///< that last
  explicit Screen(const std::string& text) {
    std::istringstream all(text);
    for (std::string row; std::getline(all, row);) {
      row.erase(row.find_last_not_of('\r') + 1);
      for (std::size_t end = 0; (end = row.find('\r')) != std::string::npos; row.erase(0, end + 1)) {
        widest = std::max(widest, end - std::min(end, row.starts_with("\x1b[K") ? std::size_t{3} : 0));
      }
      rows.push_back(row.starts_with("\x1b[K") ? row.substr(3) : row);
    }
  }
};

std::vector<Words> long_ones(const std::string& folder) {
  return {{"run", "testsrc", "--max-frames", "3000", "--model", kTinyModel},
          {"bench", "--model", kTinyModel, "--device", "opencv", "--batch", "1,2", "--seconds", "0.2", "--warm-up", "0",
           "--repeat", "2"},
          {"eval", "--annotations", folder + "/people.json", "--images", folder, "--model", kTinyModel},
          {"profile", "testsrc", "--model", kTinyModel, "--frames", "1500", "--no-video"},
          {"models", "make", "resnet50"}};
}

TEST_F(PosecamOutput, DrawsOneLineThatFitsTheTerminalAndIsGluedToNone) {
  for (const unsigned short columns : {std::uint16_t{40}, std::uint16_t{80}}) {
    std::filesystem::remove_all(at("data"));
    for (const Words& args : long_ones(dir_.path())) {
      const Outcome ran = posecam().run_on_terminal("xterm", columns, args);
      const std::string what = ::testing::PrintToString(args) + "\n" + ran.out;
      EXPECT_EQ(ran.code, 0) << what;
      EXPECT_THAT(ran.out, HasSubstr("\r\x1b[K")) << what;
      const Screen screen(ran.out);
      EXPECT_LT(screen.widest, columns) << what;
      EXPECT_GT(screen.widest, 5U) << what;
      for (const std::string& row : screen.rows) {
        EXPECT_THAT(row, Not(HasSubstr("ETA"))) << what;
        EXPECT_THAT(row, Not(HasSubstr("##"))) << what;
      }
    }
  }
}

TEST_F(PosecamOutput, DrawsNothingOnATerminalThatCannotEraseOrBetweenResults) {
  for (const Words& args : long_ones(dir_.path())) {
    EXPECT_THAT(posecam().run_on_terminal("dumb", 80, args).out, Not(HasSubstr("\x1b")));
  }
  const Outcome results = posecam().run_on_terminal(
      "xterm", 80, {"run", "testsrc", "--max-frames", "3000", "--model", kTinyModel, "--json-lines", "-"});
  EXPECT_EQ(results.code, 0);
  EXPECT_THAT(results.out, Not(HasSubstr("\x1b")));
}

TEST_F(PosecamOutput, HearsNothingOfLibrariesWhenQuiet) {
  write_file(at("plugins/libbroken.so"), "no library");
  const Variable plugins("GST_PLUGIN_PATH", at("plugins"));
  const Variable registry("GST_REGISTRY", at("registry.bin"));  // none yet: all plugins are looked at
  const Words quiet{"run", "testsrc", "--max-frames", "3", "--model", kTinyModel, "-q"};
  const Outcome ran = posecam().run(quiet);
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  std::filesystem::remove(at("registry.bin"));
  const Outcome loud = posecam().run({quiet.begin(), quiet.end() - 1});
  EXPECT_THAT(loud.err, HasSubstr("libbroken.so")) << "or nothing was tested above";
}

}  // namespace
}  // namespace posecam::test
