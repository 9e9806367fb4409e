#include "pipeline/cpu/network_cache.h"

#include <chrono>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

class NetworkCacheTest : public testing::Test {
 protected:
  fs::path folder() const { return folder_.path() / "deep/cache"; }
  fs::path only_file() const {
    EXPECT_EQ(files(), 1U);
    return fs::directory_iterator(folder())->path();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()));
  }
  std::set<fs::path> files_there() const {
    std::set<fs::path> all;
    if (!fs::exists(folder())) return all;
    for (const auto& entry : fs::directory_iterator(folder())) all.insert(entry.path());
    return all;
  }
  test::TempDir folder_;
};

TEST_F(NetworkCacheTest, GivesBackWhatWasPutUnderAKey) {
  const NetworkCache cache(folder());
  EXPECT_FALSE(cache.get("a"));
  const std::string network("\0binary\n", 8);
  ASSERT_TRUE(cache.put("a", network));
  ASSERT_TRUE(cache.put("b", ""));
  EXPECT_EQ(cache.get("a"), network);
  EXPECT_EQ(cache.get("b"), "");
  ASSERT_TRUE(cache.put("a", "another"));
  EXPECT_EQ(cache.get("a"), "another");
  EXPECT_EQ(files(), 2U);
  EXPECT_EQ(fs::status(folder()).permissions(), fs::perms::owner_all);
}

TEST_F(NetworkCacheTest, GivesNothingBackThatIsNotAsItWas) {
  const NetworkCache cache(folder());
  const std::string network = "a network of some bytes";
  ASSERT_TRUE(cache.put("a", network));
  const std::string good = test::read_file(only_file());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const bool cut : {false, true}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      test::write_file(only_file(), cut ? good.substr(0, at) : bad);
      std::string damage;
      EXPECT_FALSE(cache.get("a", &damage)) << at;
      EXPECT_NE(damage.find("was damaged; it is made anew"), std::string::npos);
      EXPECT_EQ(files(), 0U) << "it would be read again and again";
      ASSERT_TRUE(cache.put("a", network));
      EXPECT_EQ(cache.get("a"), network);
    }
  }
}

TEST_F(NetworkCacheTest, TakesNoFileForThatOfAnotherKey) {
  const NetworkCache cache(folder());
  ASSERT_TRUE(cache.put("a", "network of a"));
  const fs::path of_a = only_file();
  const std::string content = test::read_file(of_a);
  ASSERT_TRUE(cache.put("b", "network of b"));
  for (const auto& entry : fs::directory_iterator(folder())) test::write_file(entry.path(), content);
  EXPECT_EQ(cache.get("a"), "network of a");
  EXPECT_FALSE(cache.get("b"));
}

TEST_F(NetworkCacheTest, ForgetsWhatWasNotUsedForTheLongestTime) {
  const NetworkCache cache(folder(), 500);
  const std::string network(100, 'x');  // with its sum 164 bytes: three fit
  const auto now = fs::file_time_type::clock::now();
  int age = 10;
  for (const char* key : {"a", "b", "c"}) {
    const auto before = files_there();
    ASSERT_TRUE(cache.put(key, network));
    for (const auto& entry : fs::directory_iterator(folder())) {
      if (!before.contains(entry.path())) fs::last_write_time(entry.path(), now - std::chrono::hours(age));
    }
    --age;
  }
  EXPECT_TRUE(cache.get("a")) << "used, and so the newest";
  ASSERT_TRUE(cache.put("d", network));
  EXPECT_TRUE(cache.get("a"));
  EXPECT_FALSE(cache.get("b"));
  EXPECT_TRUE(cache.get("c"));
  EXPECT_TRUE(cache.get("d"));
}

TEST_F(NetworkCacheTest, SaysWhereItCannotKeepAnything) {
  test::write_file(folder_.path() / "file", "not a folder");
  for (const fs::path& place : {folder_.path() / "file", fs::path("/proc/posecam")}) {
    const NetworkCache cache(place);
    EXPECT_FALSE(cache.get("a"));
    const auto put = cache.put("a", "x");
    ASSERT_FALSE(put);
    EXPECT_TRUE(put.error().message.starts_with(place.string() + ": cannot be ")) << put.error().message;
  }
}

}  // namespace
}  // namespace posecam
