// posecam run on pictures, as a user meets it.

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include "tests/support/launch.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"
#include "tests/system/posecam_process.h"
#include "tests/unit/app/pictures/picture_files.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PosecamPictures : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }

  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string file(const std::string& name, const std::string& content) const {
    write_file(at(name), content);
    return at(name);
  }
  /// With the tiny network, or another.
  Outcome run(std::vector<std::string> args,
              const std::string& model = source_dir() / "tests/data/tiny_pose.json") const {
    args.insert(args.begin(), "run");
    args.insert(args.end(), {"--quiet", "--model", model});
    return Posecam(at("data")).run(args);
  }
  static std::vector<json> lines(const std::string& text) {
    std::vector<json> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
    return all;
  }
  /// The first frame of the project's own clip, with people in it.
  std::string people(const std::string& name) const {
    fs::create_directories(fs::path(at(name)).parent_path());
    launch("filesrc location=" + (source_dir() / "media/figures.mp4").string() +
           " ! decodebin ! videoconvert ! pngenc snapshot=true ! filesink location=" + at(name));
    return at(name);
  }

 private:
  TempDir folder_;
};

TEST_F(PosecamPictures, KeepTheirResultsWhenOneOfThemIsTooWide) {
  people("in/c.png");
  file("in/a.png", encoded(".png", cv::Mat::zeros(360, 640, CV_8UC3)));
  file("in/b.png", encoded(".png", cv::Mat::zeros(20, 40000, CV_8UC3)));
  const Outcome all = run({at("in"), "--write-json", at("all"), "--json-lines", "-"}, "openpose-lite");
  EXPECT_EQ(all.code, 5);
  EXPECT_THAT(all.err, HasSubstr("b.png: 40000x20 pixels are too many"));
  EXPECT_EQ(run({at("in/c.png"), "--write-json", at("one")}, "openpose-lite").code, 0);
  const auto people_of = [this](const std::string& name) { return json::parse(read_file(at(name)))["people"]; };
  EXPECT_EQ(people_of("all/a_keypoints.json").size(), 0U);
  EXPECT_FALSE(fs::exists(at("all/b_keypoints.json"))) << "nobody looked for people in it";
  EXPECT_GT(people_of("one/c_keypoints.json").size(), 0U);
  EXPECT_EQ(people_of("all/c_keypoints.json"), people_of("one/c_keypoints.json"));
  EXPECT_EQ(lines(all.out)[1]["status"], "unanalysed");
  EXPECT_EQ(lines(all.out)[1]["file"], "b.png");
  EXPECT_EQ(lines(all.out)[2]["frame_id"], 2);
  EXPECT_EQ(lines(all.out)[2]["file"], "c.png");
}

TEST_F(PosecamPictures, OfWhichNoneIsGoodLeaveNoOutputs) {
  const std::string whole = encoded(".jpg", marked_picture());
  file("cut.jpg", whole.substr(0, whole.size() / 2));
  const Outcome outcome = run({at("cut.jpg"), "--json-lines", at("o.ndjson"), "--write-video", at("o.mp4")});
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(outcome.err,
            "posecam: " + at("cut.jpg") + ": it is damaged: Premature end of JPEG file; it is not analysed\n");
  for (const char* name : {"o.ndjson", "o.mp4", "o.mp4.part"}) EXPECT_FALSE(fs::exists(at(name))) << name;
}

TEST_F(PosecamPictures, LeftOutAreNoErrorToTellWhenQuiet) {
  file("in/a.png", encoded(".png", marked_picture()));
  file("in/b.jp2", std::string("\0\0\0\x0CjP  \r\n\x87\n", 12));
  const Outcome quiet = run({at("in"), "--json-lines", at("o.ndjson")});
  EXPECT_EQ(quiet.code, 0);
  EXPECT_EQ(quiet.err, "");
}

TEST_F(PosecamPictures, MayHaveNamesOfAnyBytes) {
  const std::string whole = encoded(".jpg", marked_picture());
  const std::string name = "caf\xE9.jpg";  // Latin-1, no UTF-8
  file(name, whole.substr(0, whole.size() / 2));
  const Outcome damaged = run({at(name), "--json-lines", at("o.ndjson")});
  EXPECT_EQ(damaged.code, 5);
  EXPECT_THAT(damaged.err, HasSubstr(".jpg: it is damaged"));
  file(name, whole);
  const Outcome good = run({at(name), "--json-lines", "-"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(lines(good.out).size(), 1U);
}

TEST_F(PosecamPictures, AreNamedInCocosResultsByTheirLastNumbers) {
  people("in/COCO_val2014_000000000785.png");
  fs::copy(at("in/COCO_val2014_000000000785.png"), at("in/1.png"));
  EXPECT_EQ(run({at("in"), "--write-coco-json", at("c.json")}, "openpose-lite").code, 0);
  std::map<int, int> people_of;
  for (const json& person : json::parse(read_file(at("c.json")))) ++people_of[person["image_id"]];
  ASSERT_EQ(people_of.size(), 2U);
  EXPECT_GT(people_of[1], 0);
  EXPECT_EQ(people_of[1], people_of[785]);
  fs::copy(at("in/1.png"), at("in/01.png"));
  const Outcome shared = run({at("in"), "--write-coco-json", at("d.json")});
  EXPECT_EQ(shared.code, 2);
  EXPECT_THAT(shared.err, HasSubstr("would both be image 1"));
  EXPECT_FALSE(fs::exists(at("d.json")));
}

TEST_F(PosecamPictures, InARowAreAClip) {
  const std::string jpeg = encoded(".jpg", marked_picture());
  std::string all;
  for (int i = 0; i < 20; ++i) all += jpeg;
  const Outcome outcome = run({file("a.mjpeg", all), "--json-lines", "-", "--write-video", at("o.mp4")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto frames = lines(outcome.out);
  ASSERT_EQ(frames.size(), 20U);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i]["frame_id"], i);
    EXPECT_EQ(frames[i]["pts_ns"], i * 40'000'000) << "of 25 frames a second, since the file says nothing";
  }
}

TEST_F(PosecamPictures, ThatMoveAreClipsWithTheirOwnTimes) {
  gif(at("a.gif"), 2, 2, {{0, 0, 2, 2, "rrrr", 1, 10}, {0, 0, 2, 2, "gggg", 1, 50}, {0, 0, 2, 2, "bbbb", 1, 10}});
  const Outcome outcome =
      run({at("a.gif"), "--json-lines", "-", "--write-json", at("j"), "--write-video", at("o.mp4")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::vector<std::int64_t> times;
  for (const json& frame : lines(outcome.out)) times.push_back(frame["pts_ns"]);
  EXPECT_THAT(times, ElementsAre(0, 100'000'000, 600'000'000));
  EXPECT_TRUE(fs::exists(at("j/a_000000000002_keypoints.json")));
  EXPECT_TRUE(fs::exists(at("o.mp4")));
}

TEST_F(PosecamPictures, OfSharedThatHungOrCountedOnceDoNot) {
  const fs::path broken = shared_dir() / "media/broken";
  struct Case {
    const char* name;
    int code;
    std::size_t frames;
  };
  for (const Case& c :
       {Case{"07a_hang.gif", 5, 0}, Case{"07b_hang.gif", 0, 12}, Case{"03e_hang.exr", 5, 0}, Case{"14_abort.j2k", 5, 0},
        Case{"16_mjpeg_20_frames.mjpeg", 0, 20}, Case{"08_heic_folder", 0, 1}, Case{"11_folder", 5, 3}}) {
    POSECAM_NEEDS_SHARED(std::string("media/broken/") + c.name);
    const Outcome outcome = run({broken / c.name, "--json-lines", "-"});
    EXPECT_EQ(outcome.code, c.code) << c.name << outcome.err;
    EXPECT_EQ(lines(outcome.out).size(), c.frames) << c.name;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), c.code == 0 ? 0 : 1) << c.name << outcome.err;
  }
}

}  // namespace
}  // namespace posecam::test
