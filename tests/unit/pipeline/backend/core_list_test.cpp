#include "pipeline/backend/core_list.h"

#include <gmock/gmock.h>

namespace posecam {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CoreList, ReadsAllRangesAndLists) {
  EXPECT_THAT(*parse_core_list("all", 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(*parse_core_list("0-3", 4), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(*parse_core_list("0,2", 4), ElementsAre(0, 2));
  EXPECT_THAT(*parse_core_list("5", 6), ElementsAre(5));
  EXPECT_THAT(*parse_core_list("1-1,4-5", 6), ElementsAre(1, 4, 5));
}

TEST(CoreList, SortsAndNamesEachCoreOnce) { EXPECT_THAT(*parse_core_list("3,0-2,1,3", 4), ElementsAre(0, 1, 2, 3)); }

TEST(CoreList, IsNeverEmpty) {
  const auto cores = parse_core_list("all", 0);
  ASSERT_FALSE(cores);
  EXPECT_EQ(cores.error().code, Errc::kUsage);
  EXPECT_THAT(cores.error().message, HasSubstr("no cores"));
}

class BadCoreList : public ::testing::TestWithParam<const char*> {};

TEST_P(BadCoreList, IsAUsageErrorThatShowsWhatWasGivenAndWhatIsExpected) {
  const auto cores = parse_core_list(GetParam(), 4);
  ASSERT_FALSE(cores);
  EXPECT_EQ(cores.error().code, Errc::kUsage);
  EXPECT_THAT(cores.error().message, HasSubstr(std::string("cores=") + GetParam() + ":"));
  EXPECT_THAT(cores.error().message, HasSubstr("below 4"));
}

INSTANTIATE_TEST_SUITE_P(CoreList, BadCoreList,
                         ::testing::Values("", "4", "0-4", "3-1", "-1", "1-", "0,", ",0", "0,,1", "0 1", " 0", "a",
                                           "ALL", "all,0", "0x1", "99999999999", "0-4294967296", "1.5"));

}  // namespace
}  // namespace posecam
