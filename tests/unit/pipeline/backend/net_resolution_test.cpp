#include "pipeline/backend/net_resolution.h"

#include <gmock/gmock.h>

namespace posecam {
namespace {

using testing::HasSubstr;

TEST(NetResolution, FollowsTheAspectOfTheVideo) {
  const auto wide = parse_net_resolution("-1x256");
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->resolve({1280, 720}, 8), (Size{456, 256}));
  EXPECT_EQ(wide->resolve({720, 1280}, 8), (Size{144, 256}));
  EXPECT_EQ(wide->resolve({7680, 1}, 8), (Size{4096, 256}));
  EXPECT_EQ(parse_net_resolution("656x368")->resolve({1, 1}, 8), (Size{656, 368}));
}

TEST(NetResolution, RefusesWhatIsNoSize) {
  for (const char* text : {"", "x", "12", "12x", "x12", "-1x-1", "0x8", "-2x8", "8x8 ", "5000x8", "99999999999x256"}) {
    const auto parsed = parse_net_resolution(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kUsage);
    EXPECT_THAT(parsed.error().message, HasSubstr("WIDTHxHEIGHT"));
  }
}

}  // namespace
}  // namespace posecam
