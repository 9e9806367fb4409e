#include "models/core/text.h"

#include <fmt/format.h>
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

TEST(Text, GivesATerminalNoOrders) {
  EXPECT_EQ(printable("a\x1b]0;title\a\x7F\tb\r\n"), "a?]0;title???b??");
  EXPECT_EQ(printable("C1: \xC2\x9B"
                      "2J \xC2\x80 \xC2\x9F, but \xC2\xA0"),
            "C1: ?2J ? ?, but \xC2\xA0");
  EXPECT_EQ(printable(std::string_view("\0x", 2)), "?x");
  EXPECT_EQ(printable_lines("one\n\x1b[2Jtwo\r\n"), "one\n?[2Jtwo?\n");
}

TEST(Text, ReadsAsItIsWritten) {
  for (const char* mark : {"\u200E", "\u200F", "\u061C", "\u2028", "\u2029", "\u202A", "\u202B", "\u202C", "\u202D",
                           "\u202E", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    EXPECT_EQ(printable(fmt::format("a{}4pm.exe", mark)), "a?4pm.exe");
  }
  for (const char* good : {"\u00E9\u4E2D\U0001F600", "\u05D0\u0627", "\u2027\u202F\u2065\u206A", "\u200D"}) {
    EXPECT_EQ(printable(good), good);
  }
}

TEST(Text, HasAMarkForEachByteThatIsNoUtf8) {
  EXPECT_EQ(printable("\x9B"
                      "a\xFF"),
            "?a?");
  EXPECT_EQ(printable("\xC0\x9B\xE0\x80\x9B"), "?????") << "overlong";
  EXPECT_EQ(printable("\xED\xA0\x80"), "???") << "a surrogate";
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "????") << "above U+10FFFF";
  EXPECT_EQ(printable("\xE2\x80"), "??") << "cut off";
}

TEST(Text, DocumentsEscapeWhatTerminalsObey) {
  EXPECT_EQ(with_escapes("{\n\"a\x7F\xC2\x9B\u202E\u00E9\"}\n"), "{\n\"a\\u007F\\u009B\\u202E\u00E9\"}\n");
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
