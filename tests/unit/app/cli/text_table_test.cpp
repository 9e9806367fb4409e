#include "app/cli/text_table.h"

#include <gtest/gtest.h>

namespace posecam {
namespace {

const Cells kTable{{"NAME", "SIZE", "WHAT IT IS"}, {"a", "12.5 MB", "the first of all of them"}, {"bé", "-", "two"}};

TEST(TextTable, PutsEachColumnOnItsSide) {
  EXPECT_EQ(lay_out(kTable, {.sides = "lrt"}),
            "NAME     SIZE  WHAT IT IS\n"
            "a     12.5 MB  the first of all of them\n"
            "bé          -  two\n");
  EXPECT_EQ(lay_out({{"x"}, {"10"}}), " x\n10\n");
  EXPECT_EQ(lay_out({}), "");
}

TEST(TextTable, WrapsTheTextAtTheEndWithinTheTerminal) {
  const Cells table{{"N", "TEXT"}, {"1", "one two three four five six seven eight"}};
  EXPECT_EQ(lay_out(table, {.sides = "rt", .columns = 30}),
            "N  TEXT\n"
            "1  one two three four five six\n"
            "   seven eight\n");
}

TEST(TextTable, ShowsBelowWhatDoesNotFitBesideBehindTheKeysOfItsRow) {
  const Cells table{{"k", "aaaa", "bbbb", "cccc"}, {"1", "2", "3", "4"}, {"5", "6", "7", "8"}};
  EXPECT_EQ(lay_out(table, {.columns = 13}),
            "k  aaaa  bbbb\n1     2     3\n5     6     7\n"
            "\n"
            "k  cccc\n1     4\n5     8\n");
  EXPECT_EQ(lay_out(table, {.columns = 19}), lay_out(table));
}

TEST(TextTable, FitsAnyTerminalThatHasRoomForItsKeysAndAColumn) {
  const Cells table{{"key", "second", "third", "text"}, {"1", "22", "333", "some words that go on for quite a while"}};
  for (int columns = 32; columns < 90; ++columns) {
    const std::string text = lay_out(table, {.sides = "rrrt", .columns = columns});
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      EXPECT_LE(end - at, static_cast<std::size_t>(columns)) << text;
    }
  }
}

TEST(TextTable, GivesATerminalNoOrdersAndACellOneLine) {
  const Cells table{{"name", "n"}, {"a\x1b[2J\nb\u202E", "1"}};
  EXPECT_EQ(lay_out(table, {.sides = "lr"}), "name      n\na?[2J?b?  1\n");
}

}  // namespace
}  // namespace posecam
