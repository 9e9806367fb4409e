#include "app/commands/run_options.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/core/text.h"

namespace posecam {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A configuration file of this test, removed at its end.
class RunOptionsTest : public ::testing::Test {
 protected:
  RunOptionsTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            ("posecam-" + std::string(test->name()) + "-" + std::to_string(getpid()) + ".toml");
  }
  ~RunOptionsTest() override { std::filesystem::remove(path_); }

  std::string config(const std::string& text) {
    std::ofstream(path_) << text;
    return path_.string();
  }

  std::filesystem::path path_;
};

RunOptions parsed(const std::vector<std::string>& args) {
  const auto request = parse_run_options(args);
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? request->options : RunOptions{};
}

Error refused(const std::vector<std::string>& args) {
  const auto request = parse_run_options(args);
  EXPECT_FALSE(request);
  return request ? Error{} : request.error();
}

TEST_F(RunOptionsTest, TakesInputsInTheirOrder) {
  EXPECT_THAT(parsed({"b.mp4", "a.mp4", "--quiet"}).inputs, ElementsAre("b.mp4", "a.mp4"));
}

TEST_F(RunOptionsTest, UnderstandsTheSpellingsOfOpenPose) {
  const RunOptions o = parsed({"--video", "clip.mp4", "--write_json", "out", "--write_video", "v.avi", "--display", "0",
                               "--net_resolution", "-1x368", "--number_people_max", "3", "--model_pose", "COCO",
                               "--write_coco_json", "c.json"});
  EXPECT_THAT(o.inputs, ElementsAre("clip.mp4"));
  EXPECT_EQ(o.write_json, "out");
  EXPECT_EQ(o.write_video, "v.avi");
  EXPECT_EQ(o.write_coco_json, "c.json");
  EXPECT_EQ(o.net_resolution, "-1x368");
  EXPECT_EQ(o.max_people, 3);
  EXPECT_EQ(o.model, "openpose");
  EXPECT_FALSE(o.display);
}

TEST_F(RunOptionsTest, TakesACameraByNumber) {
  EXPECT_THAT(parsed({"--camera", "2"}).inputs, ElementsAre("/dev/video2"));
}

TEST_F(RunOptionsTest, KeepsTheInputBehindDisplay) {
  const RunOptions o = parsed({"--display", "clip.mp4"});
  EXPECT_TRUE(o.display);
  EXPECT_THAT(o.inputs, ElementsAre("clip.mp4"));
}

TEST_F(RunOptionsTest, NamesTheNearestOption) {
  const Error error = refused({"clip.mp4", "--write-jsn", "out"});
  EXPECT_EQ(error.code, Errc::kUsage);
  EXPECT_THAT(error.message, HasSubstr("--write-jsn; did you mean --write-json?"));
}

TEST_F(RunOptionsTest, SaysWhatAForeignFlagOfOpenPoseIsHere) {
  EXPECT_THAT(refused({"clip.mp4", "--num_gpu", "1"}).message, HasSubstr("use --device and --cores"));
  EXPECT_THAT(refused({"clip.mp4", "--frame_last=9"}).message, HasSubstr("use --max-frames N"));
}

TEST_F(RunOptionsTest, RefusesValuesOutOfRange) {
  EXPECT_EQ(refused({"clip.mp4", "--threshold", "7"}).code, Errc::kUsage);
  EXPECT_EQ(refused({"clip.mp4", "--decode", "slow"}).code, Errc::kUsage);
  EXPECT_EQ(refused({"clip.mp4", "--net-resolution", "0x0"}).code, Errc::kUsage);
  EXPECT_EQ(refused({"clip.mp4", "--net-resolution", "-1x-1"}).code, Errc::kUsage);
  EXPECT_EQ(refused({"clip.mp4", "--model_pose", "BODY_25"}).code, Errc::kUsage);
}

TEST_F(RunOptionsTest, TakesInputsOfAnyNameBehindTwoDashes) {
  EXPECT_THAT(parsed({"--", "-odd.mp4"}).inputs, ElementsAre("-odd.mp4"));
  const RunOptions o = parsed({"a.mp4", "--display", "--", "--quiet", "0"});
  EXPECT_THAT(o.inputs, ElementsAre("a.mp4", "--quiet", "0"));
  EXPECT_TRUE(o.display);
  EXPECT_FALSE(o.quiet);
  EXPECT_EQ(refused({"--"}).code, Errc::kUsage);
}

TEST_F(RunOptionsTest, WantsAnInput) { EXPECT_EQ(refused({"--quiet"}).code, Errc::kUsage); }

TEST_F(RunOptionsTest, PutsTheCommandLineBeforeTheFile) {
  const std::string file = config("model = 'a'\nthreshold = 0.25\ninput = ['x.mp4', 'y.mp4']\ndisplay = true\n");
  const RunOptions o = parsed({"--config", file, "--model", "b"});
  EXPECT_EQ(o.model, "b");
  EXPECT_FLOAT_EQ(o.threshold, 0.25F);
  EXPECT_TRUE(o.display);
  EXPECT_THAT(o.inputs, ElementsAre("x.mp4", "y.mp4"));
}

TEST_F(RunOptionsTest, RejectsUnknownKeysOfTheFile) {
  const Error error = refused({"clip.mp4", "--config", config("modle = 'a'\n")});
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, HasSubstr("unknown option modle; did you mean --model?"));
}

TEST_F(RunOptionsTest, SaysWhereTheFileIsNotToml) {
  const Error error = refused({"clip.mp4", "--config", config("model = 'a'\nthreshold = \n")});
  EXPECT_EQ(error.code, Errc::kModel);
  EXPECT_THAT(error.message, HasSubstr("line 2"));
}

TEST_F(RunOptionsTest, BlamesTheFileForItsValues) {
  EXPECT_EQ(refused({"clip.mp4", "--config", config("decode = 'slow'\n")}).code, Errc::kModel);
  EXPECT_EQ(refused({"clip.mp4", "--config", "/nowhere/x.toml"}).code, Errc::kModel);
}

TEST_F(RunOptionsTest, PrintsAConfigurationThatReadsBackTheSame) {
  const std::vector<std::string> args{"a \"b\".mp4", "\x7F\t\u202E\u009B.mp4", "--model", "12",      "--threshold",
                                      "0.3",         "--paf-threshold",        "0.",      "--quiet", "--cores",
                                      "0,2",         "--print-config"};
  const auto printed = parse_run_options(args);
  ASSERT_TRUE(printed);
  EXPECT_THAT(printed->print, HasSubstr("model = \"12\"\n"));
  EXPECT_THAT(printed->print, HasSubstr("paf-threshold = 0\n")) << "TOML takes no 0. for a number";
  EXPECT_THAT(printed->print, Not(HasSubstr("print-config")));
  const auto again = parse_run_options({"--config", config(printed->print), "--print-config"});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->print, printed->print);
  EXPECT_EQ(printable_lines(again->print), again->print) << "a terminal obeys none of it";
}

TEST_F(RunOptionsTest, PrintsHelpInsteadOfRunning) {
  const auto help = parse_run_options({"--help"});
  ASSERT_TRUE(help);
  EXPECT_THAT(help->print, HasSubstr("--write-video FILE"));
  EXPECT_THAT(help->print, HasSubstr("Exit codes"));
}

}  // namespace
}  // namespace posecam
