#include "models/core/text.h"

#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(Text, JoinsTheLinesThatSaySomething) {
  EXPECT_EQ(joined_lines(" > first\r\n\n-- second \n"), "first; second");
  EXPECT_EQ(joined_lines(" \n>-\n"), "");
  EXPECT_EQ(joined_lines(""), "");
}

TEST(Text, TakesTheSummaryOrTheLastLineOfOpenVino) {
  EXPECT_EQ(openvino_line("Exception from src/core.cpp:12:\nCheck failed\nno such layer\n"), "no such layer");
  EXPECT_EQ(openvino_line("at a.cpp\n\nSummary:\n-- No rule for NMS\n-- No rule for Loop\n"),
            "No rule for NMS; No rule for Loop");
}

TEST(Text, ShortensWhatSomebodySetAndHidesControlCharacters) {
  EXPECT_EQ(short_line("a\x1b[31mb\n"), "a?[31mb?");
  EXPECT_EQ(short_line(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(short_line(std::string(61, 'x')), std::string(60, 'x') + "...");
}

TEST(Text, SentencesOfLibrariesLoseLineBreaksAndFullStops) {
  EXPECT_EQ(without_full_stop("Could not open\nthe file. \n"), "Could not open the file");
  EXPECT_EQ(without_full_stop("..."), "");
  EXPECT_EQ(without_full_stop("v1.2 is there"), "v1.2 is there");
}

TEST(Text, EditDistanceCountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("openpose", "openpose"), 0U);
  EXPECT_EQ(edit_distance("opnpose", "openpose"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace posecam
