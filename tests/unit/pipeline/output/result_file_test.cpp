#include "pipeline/output/result_file.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/pipeline/output/output_fixture.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using ResultFileTest = test::OutputTest;

TEST_F(ResultFileTest, GivesTheFileItsNameOnlyWhenComplete) {
  std::ofstream(at("a.json")) << "old";
  ResultFile file = must_create(at("a.json"));
  ASSERT_TRUE(file.write("new"));
  EXPECT_EQ(test::read_file(at("a.json")), "old");
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(test::read_file(at("a.json")), "new");
  EXPECT_FALSE(fs::exists(at("a.json.part")));
  EXPECT_TRUE(file.commit());
}

TEST_F(ResultFileTest, LeavesOnlyThePartWhenAbandoned) {
  {
    ResultFile file = must_create(at("a.json"));
    ASSERT_TRUE(file.write("half"));
  }
  EXPECT_FALSE(fs::exists(at("a.json")));
  EXPECT_EQ(test::read_file(at("a.json.part")), "half");
}

TEST_F(ResultFileTest, IsSafeToMoveOver) {
  ResultFile a = must_create(at("a"));
  a = must_create(at("b"));
  ASSERT_TRUE(a.write("b"));
  ASSERT_TRUE(a.commit());
  EXPECT_EQ(test::read_file(at("b")), "b");
  EXPECT_FALSE(fs::exists(at("a")));
}

TEST_F(ResultFileTest, WritesAFifoStraightAndAtOnce) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  const int reader = ::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  ResultFile file = must_create(at("fifo"));
  ASSERT_TRUE(file.write("line\n"));
  char text[8] = {};
  EXPECT_EQ(::read(reader, text, sizeof text), 5);
  EXPECT_STREQ(text, "line\n");
  ASSERT_TRUE(file.commit());
  EXPECT_TRUE(fs::is_fifo(at("fifo")));
  ::close(reader);
}

TEST_F(ResultFileTest, ReportsAReaderThatWentAwayWithoutASignal) {
  ASSERT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_DFL);
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  const int reader = ::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  ResultFile file = must_create(at("fifo"));
  ::close(reader);
  const auto written = file.write("line\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::kOutput);
  EXPECT_THAT(written.error().message, HasSubstr("reader"));
  sigset_t blocked;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &blocked), 0);
  EXPECT_EQ(sigismember(&blocked, SIGPIPE), 0);
}

TEST_F(ResultFileTest, WaitsForAReaderUntilItIsToldToStop) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  const int reader = ::open(at("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  std::stop_source stop;
  auto file = ResultFile::create(at("fifo"), stop.get_token());
  ASSERT_TRUE(file);
  Result<void> written;
  std::thread writer([&] {
    const std::string line(1 << 20, 'x');  // more than a pipe holds
    written = file->write(line);
  });
  stop.request_stop();
  writer.join();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::kCancelled);
  ::close(reader);
}

TEST_F(ResultFileTest, RefusesAFileThatAnotherWrites) {
  ResultFile first = must_create(at("a"));
  ASSERT_TRUE(first.write("one\n"));
  const auto second = ResultFile::create(at("a"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kOutput);
  EXPECT_THAT(second.error().message, HasSubstr("give each a file of its own"));
  ASSERT_TRUE(first.write("two\n"));
  ASSERT_TRUE(first.commit());
  EXPECT_EQ(test::read_file(at("a")), "one\ntwo\n");
  ResultFile third = must_create(at("a"));  // it is free again, and begins empty
  ASSERT_TRUE(third.commit());
  EXPECT_EQ(test::read_file(at("a")), "");
}

TEST_F(ResultFileTest, OpensAPartForOneAndTouchesNothingInIt) {
  std::ofstream(at("a.part")) << "of an earlier run";
  const int first = open_part(at("a"));
  ASSERT_GE(first, 0);
  EXPECT_EQ(open_part(at("a")), -1);
  EXPECT_EQ(errno, EBUSY);
  EXPECT_FALSE(ResultFile::create(at("a")));
  EXPECT_EQ(test::read_file(at("a.part")), "of an earlier run");
  ::close(first);
  EXPECT_TRUE(ResultFile::create(at("a")));
}

TEST_F(ResultFileTest, FollowsNothingThatLiesWhereItsPartGoes) {
  std::ofstream(at("private")) << "private";
  const auto refused = [&](const char* what) {
    const auto file = ResultFile::create(at("a.json"));
    ASSERT_FALSE(file) << what;
    EXPECT_EQ(file.error().code, Errc::kOutput);
    EXPECT_THAT(file.error().message, HasSubstr("a.json: cannot create: its .part is a link, or not a file of yours"));
    EXPECT_EQ(test::read_file(at("private")), "private");
    fs::remove(at("a.json.part"));
  };
  fs::create_symlink(at("private"), at("a.json.part"));
  refused("a link");
  fs::create_symlink(at("nothing"), at("a.json.part"));
  refused("a link to nothing");
  fs::create_hard_link(at("private"), at("a.json.part"));
  refused("another name of a file");
  ASSERT_EQ(::mkfifo(at("a.json.part").c_str(), 0666), 0);
  refused("a pipe");
  EXPECT_FALSE(fs::exists(at("nothing")));
}

TEST_F(ResultFileTest, IsReadByOthersOnceItIsComplete) {
  const auto mode = [](const std::string& path) { return static_cast<unsigned>(fs::status(path).permissions()); };
  const mode_t before = ::umask(0027);
  std::ofstream(at("a.json.part")) << "of an earlier run";
  ResultFile file = must_create(at("a.json"));
  EXPECT_EQ(mode(at("a.json.part")), 0600U);
  EXPECT_TRUE(file.write("x"));
  EXPECT_TRUE(file.commit());
  ::umask(before);
  EXPECT_EQ(mode(at("a.json")), 0640U);
}

TEST_F(ResultFileTest, LeavesNameAndLockToTheOwnerOfADescriptor) {
  const int fd = open_part(at("a"));
  ASSERT_GE(fd, 0);
  {
    auto file = ResultFile::on(fd, "a");
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write("line\n"));
    ASSERT_TRUE(file->commit());
  }
  EXPECT_EQ(test::read_file(at("a.part")), "line\n");
  EXPECT_FALSE(fs::exists(at("a")));
  EXPECT_FALSE(ResultFile::create(at("a")));
  ::close(fd);
  const auto closed = ResultFile::on(fd, "a");
  ASSERT_FALSE(closed);
  EXPECT_THAT(closed.error().message, HasSubstr("a: cannot write"));
}

TEST_F(ResultFileTest, KeepsWholeTextsOnlyWhenTheDiskIsFull) {
  const auto write_twice = [](const auto& make) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10, 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto file = make();
    const bool kept = file && file->write("12345\n") && !file->write("67890\n") && !file->commit();
    ::_exit(kept ? 0 : 1);
  };
  // In a child: the limit, which stands for the disk, holds for the whole process.
  EXPECT_EXIT(write_twice([&] { return ResultFile::create(at("a")); }), testing::ExitedWithCode(0), "");
  EXPECT_EQ(test::read_file(at("a.part")), "12345\n");
  EXPECT_EXIT(write_twice([&] { return ResultFile::on(open_part(at("b")), "b"); }), testing::ExitedWithCode(0), "");
  EXPECT_EQ(test::read_file(at("b.part")), "12345\n");
  EXPECT_FALSE(fs::exists(at("a")));
}

TEST_F(ResultFileTest, LeavesDevicesWhereTheyAre) {
  ResultFile file = must_create("/dev/null");
  ASSERT_TRUE(file.write("x"));
  ASSERT_TRUE(file.commit());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(ResultFileTest, ReportsAFullDiskOnceAndKeepsToIt) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not here";
  ResultFile file = must_create("/dev/full");
  const auto written = file.write("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::kNoSpace);
  EXPECT_THAT(written.error().message, HasSubstr("/dev/full: cannot write: No space left on device; free some space"));
  const auto again = file.write("y");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, written.error().message);
  ASSERT_FALSE(file.commit());
}

TEST_F(ResultFileTest, SaysWhatIsWrongWithAPlace) {
  const auto missing = ResultFile::create(at("no/such/a.json"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kOutput);
  EXPECT_THAT(missing.error().message, HasSubstr("create its folder first"));
  const auto folder = ResultFile::create(folder_.path().string());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("give the name of a file"));
}

TEST_F(ResultFileTest, KeepsLinesWholeThatSeveralFilesWriteToStdout) {
  constexpr int kLines = 40;
  constexpr std::size_t kLength = 20000;  // far above PIPE_BUF
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int saved = ::dup(STDOUT_FILENO);
  ::dup2(ends[1], STDOUT_FILENO);
  ::close(ends[1]);
  std::string all;
  {
    const auto write_lines = [](char letter) {
      ResultFile file = must_create("-");
      for (int i = 0; i < kLines; ++i) EXPECT_TRUE(file.write(std::string(kLength, letter) + "\n"));
    };
    std::jthread reader([&] {
      char block[512];
      for (ssize_t n = 0; (n = ::read(ends[0], block, sizeof block)) > 0;)
        all.append(block, static_cast<std::size_t>(n));
    });
    {
      std::jthread a(write_lines, 'a');
      std::jthread b(write_lines, 'b');
    }
    ::dup2(saved, STDOUT_FILENO);  // the last writing end: the reader sees the end
  }
  ::close(saved);
  ::close(ends[0]);
  std::istringstream text(all);
  int count = 0;
  for (std::string line; std::getline(text, line); ++count) {
    ASSERT_EQ(line, std::string(kLength, line.front()));
  }
  EXPECT_EQ(count, 2 * kLines);
}

}  // namespace
}  // namespace posecam
