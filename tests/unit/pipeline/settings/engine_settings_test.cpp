#include "pipeline/settings/engine_settings.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/spec/zoo.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A user whose store is empty.
class DefaultModelTest : public testing::Test {
 protected:
  DefaultModelTest() { ::setenv("XDG_DATA_HOME", home_.path().c_str(), 1); }
  ~DefaultModelTest() override { ::unsetenv("XDG_DATA_HOME"); }

  /// Files of the sizes that the descriptor states: what they hold is looked at when they are loaded.
  void pretend_pulled(std::string_view backend) const {
    const auto spec = find_model("openpose");
    ASSERT_TRUE(spec);
    const fs::path folder = home_.path() / "posecam/models/openpose";
    fs::create_directories(folder);
    for (const WeightFile& file : spec->weights_for(backend)->files) {
      std::ofstream(folder / file.name).put('x');
      fs::resize_file(folder / file.name, file.bytes);
    }
  }

  test::TempDir home_;
};

TEST_F(DefaultModelTest, IsTheBuiltInOneWhenNothingWasPulled) {
  const DefaultModel model = default_model("auto");
  EXPECT_EQ(model.name, "openpose-lite");
  EXPECT_THAT(model.note, HasSubstr("posecam models pull openpose"));
}

TEST_F(DefaultModelTest, IsOpenposeWhereItsWeightsAre) {
  pretend_pulled("opencv");
  EXPECT_EQ(default_model("auto").name, "openpose");
  EXPECT_EQ(default_model("auto").note, "");
  EXPECT_EQ(default_model("opencv").name, "openpose");
  EXPECT_EQ(default_model("openvino").name, "openpose-lite");
}

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
