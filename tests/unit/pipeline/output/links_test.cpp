#include "pipeline/output/links.h"

#include <filesystem>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

TEST(Links, LeadToFilesThatNeedNotBeThere) {
  const test::TempDir folder;
  const std::string link = folder.path() / "link";
  EXPECT_EQ(*follow_links(link), link);
  fs::create_symlink("second", link);
  fs::create_symlink("/nowhere/file", folder.path() / "second");
  EXPECT_EQ(*follow_links(link), "/nowhere/file");
}

TEST(Links, OfAnotherUserAreNotFollowed) {
  const test::TempDir folder;
  const std::string link = folder.path() / "link";
  fs::create_symlink("/nowhere/private", link);
  if (::lchown(link.c_str(), 65534, 65534) != 0) GTEST_SKIP() << "only root can give a link away";
  const auto followed = follow_links(link);
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().code, Errc::kUsage);
  EXPECT_THAT(followed.error().message, testing::HasSubstr("link that another user made, to /nowhere/private"));
}

TEST(Links, KnowNamesOfDescriptors) {
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    if (!fs::exists(fs::symlink_status(name))) continue;  // closed, or no such names here
    EXPECT_TRUE(names_descriptor(name)) << name;
    EXPECT_EQ(*follow_links(name), name);
  }
  EXPECT_FALSE(names_descriptor("/dev/null"));
}

}  // namespace
}  // namespace posecam
