#include "models/core/file.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

std::string reason(const Result<std::string>& read) { return read ? "read" : read.error().message; }

TEST(ReadFile, GivesAllBytes) {
  const test::TempDir dir;
  const std::string large(200'000, '\xFF');
  test::write_file(dir.path() / "large", large);
  test::write_file(dir.path() / "zeros", std::string("a\0b\r\n", 5));
  test::write_file(dir.path() / "empty", "");
  EXPECT_EQ(*read_file(dir.path() / "large"), large);
  EXPECT_EQ(*read_file(dir.path() / "zeros"), std::string("a\0b\r\n", 5));
  EXPECT_EQ(*read_file(dir.path() / "empty"), "");
}

TEST(ReadFile, TakesAtMostWhatIsAsked) {
  const test::TempDir dir;
  test::write_file(dir.path() / "ten", "0123456789");
  EXPECT_EQ(*read_file(dir.path() / "ten", 10), "0123456789");
  EXPECT_EQ(reason(read_file(dir.path() / "ten", 9)), "larger than 9 bytes");
  EXPECT_EQ(reason(read_file("/dev/zero", 1'000'000)), "larger than 1000000 bytes");
}

TEST(ReadFile, SaysWhyItCannot) {
  const auto missing = read_file("/nonexistent/file");
  EXPECT_EQ(missing.error().code, Errc::kModel);
  EXPECT_EQ(reason(missing), "No such file or directory");
  EXPECT_EQ(reason(read_file("/")), "Is a directory");
}

}  // namespace
}  // namespace posecam
