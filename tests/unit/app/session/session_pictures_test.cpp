// Sessions whose input is pictures, some of which are none.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/app/session/session_fixture.h"

namespace posecam::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using SessionOfPictures = SessionTest;

TEST_F(SessionOfPictures, ReportsTheFirstUnreadableImageAndTellsOfOthers) {
  for (const char* name : {"1.png", "2.png"}) write_file(at(std::string("images/") + name), "no picture");
  write_file(at("images/3.ppm"), "P3 1 1 255 1 2 3");
  const auto input = identify_input(at("images"));
  ASSERT_TRUE(input);
  SessionSpec asked = spec(0, {{ResultFormat::kNdjson, at("a.ndjson"), ""}});
  asked.input = *input;
  std::vector<std::string> warnings;
  const auto session =
      must_open(std::move(asked), {.also_failed = [&](const std::string& line) { warnings.push_back(line); }});
  session->play();
  session->wait();
  ASSERT_TRUE(session->failure());
  EXPECT_THAT(session->failure()->message, HasSubstr("1.png"));
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("2.png")));
  EXPECT_TRUE(session->complete());
  EXPECT_EQ(session->stats().unanalysed, 2U);
  EXPECT_EQ(session->stats().analysed, 1U);
}

TEST_F(SessionOfPictures, WritesNothingIfNoPictureCanBeDecoded) {
  write_file(at("images/1.png"), "no picture");
  SessionSpec asked = spec(0, {{ResultFormat::kNdjson, at("a.ndjson"), ""}, {ResultFormat::kCoco, at("c.json"), ""}});
  asked.input = *identify_input(at("images"));
  asked.video.file = at("v.mp4");
  const auto session = must_open(std::move(asked));
  session->play();
  session->wait();
  EXPECT_THAT(session->failure()->message, HasSubstr("1.png: not a picture"));
  EXPECT_FALSE(session->complete());
  EXPECT_THAT(names(), ElementsAre("images"));
}

TEST_F(SessionOfPictures, SaysWhatOfAFolderIsLeftOut) {
  write_file(at("images/1.ppm"), "P3 1 1 255 1 2 3");
  write_file(at("images/2.exr"), "x");
  SessionSpec asked = spec(0, {});
  asked.input = *identify_input(at("images"));
  std::vector<std::string> warnings;
  const auto session =
      must_open(std::move(asked), {.warn = [&](const std::string& line) { warnings.push_back(line); }});
  session->play();
  session->wait();
  EXPECT_THAT(warnings, ElementsAre(at("images") + ": 1 picture is not decoded here and left out: 2.exr"));
  EXPECT_FALSE(session->failure());
}

}  // namespace
}  // namespace posecam::test
