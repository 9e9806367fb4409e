#include "postprocess/documents/image_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::int64_t> ids(const std::vector<std::string>& names) {
  const auto read = image_ids_of(names);
  EXPECT_TRUE(read) << read.error().message;
  return read ? *read : std::vector<std::int64_t>{};
}

std::string refused(const std::vector<std::string>& names) {
  const auto read = image_ids_of(names);
  EXPECT_FALSE(read);
  if (read) return {};
  EXPECT_EQ(read.error().code, Errc::kUsage);
  return read.error().message;
}

TEST(ImageIds, AreTheLastNumberInEachName) {
  EXPECT_THAT(ids({"COCO_val2014_000000000785", "COCO_val2014_000000001000", "1", "a12b34c", "0"}),
              ElementsAre(785, 1000, 1, 34, 0));
  EXPECT_THAT(ids({"9223372036854775807"}), ElementsAre(std::numeric_limits<std::int64_t>::max()));
}

TEST(ImageIds, ArePlacesWhereNoNameHasANumber) { EXPECT_THAT(ids({"dog", "cat", "me"}), ElementsAre(0, 1, 2)); }

TEST(ImageIds, AreNeverThoseOfTwoPictures) {
  EXPECT_THAT(refused({"a_7", "b_007"}), HasSubstr("a_7 and b_007 would both be image 7"));
  EXPECT_THAT(refused({"7", "dog", "8"}), HasSubstr("dog has no number"));
  EXPECT_THAT(refused({"9223372036854775808"}), HasSubstr("too large"));
}

}  // namespace
}  // namespace posecam
