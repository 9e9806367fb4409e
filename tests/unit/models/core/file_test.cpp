#include "models/core/file.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

#include "models/core/sha256.h"
#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

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
  fs::resize_file(dir.path() / "ten", std::uintmax_t{1} << 40);  // sparse: refused unread
  EXPECT_EQ(reason(read_file(dir.path() / "ten")), "larger than 1073741824 bytes");
}

TEST(ReadFile, ReadsNoDevices) {
  EXPECT_EQ(reason(read_file("/dev/zero")), "neither a file nor a pipe");
  EXPECT_EQ(reason(read_file("/dev/zero", 1, Readable::kFile)), "not a file");
  EXPECT_EQ(*read_file("/dev/null"), "");
}

TEST(ReadFile, ReadsAPipeToItsEndAndNoFurtherThanAsked) {
  const test::TempDir dir;
  const auto pipe = dir.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& text : {std::string(), std::string("some"), std::string(200'000, 'x')}) {
    std::jthread writer([&] { std::ofstream(pipe) << text; });
    EXPECT_EQ(*read_file(pipe), text);
  }
  const int fd = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::write(fd, "0123456789", 10), 10);
  EXPECT_EQ(reason(read_file(pipe, 9)), "larger than 9 bytes");  // though the pipe is still open
  ::close(fd);
  EXPECT_EQ(reason(read_file(pipe, 9, Readable::kFile)), "not a file");
}

TEST(ReadFile, WaitsForNoPipeThatNobodyWrites) {
  const test::TempDir dir;
  const auto pipe = dir.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(reason(read_file(pipe)), "nobody writes to this pipe");
  EXPECT_THAT(sha256_of(pipe).error().message, testing::HasSubstr("not a file"));
}

TEST(ReadFile, SaysWhyItCannot) {
  const auto missing = read_file("/nonexistent/file");
  EXPECT_EQ(missing.error().code, Errc::kModel);
  EXPECT_EQ(reason(missing), "No such file or directory");
  EXPECT_EQ(reason(read_file("/")), "Is a directory");
}

}  // namespace
}  // namespace posecam
