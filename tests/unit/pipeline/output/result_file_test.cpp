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
#include <nlohmann/json.hpp>

#include "pipeline/output/file_sink.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class ResultFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "posecam-result-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string at(std::string_view name) const { return (folder_ / name).string(); }

  static ResultFile must_create(const std::string& location) {
    auto file = ResultFile::create(location);
    EXPECT_TRUE(file) << file.error().message;
    return *std::move(file);
  }
  static std::shared_ptr<const FrameResult> one_person() {
    auto spec = std::make_shared<ModelSpec>();
    spec->name = "openpose";
    spec->skeleton = &coco18();
    auto result = std::make_shared<FrameResult>();
    result->model = spec;
    result->poses.emplace_back();
    result->poses[0].keypoints[0] = Keypoint{0.5F, 0.5F, 0.9F};
    return result;
  }
  static FrameInfo frame(std::uint64_t id) {
    FrameInfo info;
    info.name = "clip";
    info.frame_id = id;
    info.size = {64, 48};
    return info;
  }

  fs::path folder_;
};

TEST_F(ResultFileTest, GivesTheFileItsNameOnlyWhenComplete) {
  std::ofstream(at("a.json")) << "old";
  ResultFile file = must_create(at("a.json"));
  ASSERT_TRUE(file.write("new"));
  EXPECT_EQ(read(at("a.json")), "old");
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(read(at("a.json")), "new");
  EXPECT_FALSE(fs::exists(at("a.json.part")));
  EXPECT_TRUE(file.commit());
}

TEST_F(ResultFileTest, LeavesOnlyThePartWhenAbandoned) {
  {
    ResultFile file = must_create(at("a.json"));
    ASSERT_TRUE(file.write("half"));
  }
  EXPECT_FALSE(fs::exists(at("a.json")));
  EXPECT_EQ(read(at("a.json.part")), "half");
}

TEST_F(ResultFileTest, IsSafeToMoveOver) {
  ResultFile a = must_create(at("a"));
  a = must_create(at("b"));
  ASSERT_TRUE(a.write("b"));
  ASSERT_TRUE(a.commit());
  EXPECT_EQ(read(at("b")), "b");
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
  EXPECT_EQ(read(at("a")), "one\ntwo\n");
  ResultFile third = must_create(at("a"));  // it is free again, and begins empty
  ASSERT_TRUE(third.commit());
  EXPECT_EQ(read(at("a")), "");
}

TEST_F(ResultFileTest, OpensAPartForOneAndTouchesNothingInIt) {
  std::ofstream(at("a.part")) << "of an earlier run";
  const int first = open_part(at("a"));
  ASSERT_GE(first, 0);
  EXPECT_EQ(open_part(at("a")), -1);
  EXPECT_EQ(errno, EBUSY);
  EXPECT_FALSE(ResultFile::create(at("a")));
  EXPECT_EQ(read(at("a.part")), "of an earlier run");
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
    EXPECT_EQ(read(at("private")), "private");
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
  EXPECT_EQ(read(at("a.part")), "line\n");
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
  EXPECT_EQ(read(at("a.part")), "12345\n");
  EXPECT_EXIT(write_twice([&] { return ResultFile::on(open_part(at("b")), "b"); }), testing::ExitedWithCode(0), "");
  EXPECT_EQ(read(at("b.part")), "12345\n");
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
  const auto folder = ResultFile::create(folder_.string());
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("give the name of a file"));
}

TEST_F(ResultFileTest, NdjsonLinesAreReadableBeforeTheEnd) {
  auto sink = make_file_sink(ResultFormat::kNdjson, at("a.ndjson"));
  ASSERT_TRUE(sink);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  std::istringstream lines(read(at("a.ndjson.part")));
  std::string line;
  int frame_id = 0;
  for (; std::getline(lines, line); ++frame_id) EXPECT_EQ(nlohmann::json::parse(line)["frame_id"], frame_id);
  EXPECT_EQ(frame_id, 3);
  ASSERT_TRUE((*sink)->close());
  EXPECT_TRUE(fs::exists(at("a.ndjson")));
}

TEST_F(ResultFileTest, OpenposeWritesOneFileAFrame) {
  auto sink = make_file_sink(ResultFormat::kOpenpose, at("new/folder"));
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->write(frame(0), one_person()));
  ASSERT_TRUE((*sink)->write(frame(1), one_person()));
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(nlohmann::json::parse(read(at("new/folder/clip_000000000001_keypoints.json")))["people"].size(), 1U);
  EXPECT_EQ(std::distance(fs::directory_iterator(at("new/folder")), {}), 2);
}

TEST_F(ResultFileTest, ASinkSaysHowItIs) {
  auto sink = make_file_sink(ResultFormat::kCoco, at("a.json"));
  ASSERT_TRUE(sink);
  EXPECT_EQ((*sink)->health().state, SinkHealth::State::kOpen);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  EXPECT_EQ((*sink)->health().written, 3U);
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ((*sink)->health().state, SinkHealth::State::kClosed);
  EXPECT_EQ((*sink)->health().dropped, 0U);
}

TEST_F(ResultFileTest, ASinkThatFailedSaysWhy) {
  auto sink = make_file_sink(ResultFormat::kOpenpose, at("folder"));
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->write(frame(0), one_person()));
  fs::remove_all(at("folder"));
  const auto written = (*sink)->write(frame(1), one_person());
  ASSERT_FALSE(written);
  const SinkHealth health = (*sink)->health();
  EXPECT_EQ(health.state, SinkHealth::State::kFailed);
  EXPECT_EQ(health.written, 1U);
  EXPECT_EQ(health.last_error, written.error().message);
}

TEST_F(ResultFileTest, OpenposeErrorsAreSticky) {
  auto sink = make_file_sink(ResultFormat::kOpenpose, at("folder"));
  ASSERT_TRUE(sink);
  fs::remove_all(at("folder"));
  const auto written = (*sink)->write(frame(0), one_person());
  ASSERT_FALSE(written);
  fs::create_directory(at("folder"));
  ASSERT_FALSE((*sink)->write(frame(1), one_person()));
  const auto closed = (*sink)->close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().message, written.error().message);
  EXPECT_TRUE(fs::is_empty(at("folder")));
}

TEST_F(ResultFileTest, OpenposeNeedsAFolder) {
  const auto on_a_file = make_file_sink(ResultFormat::kOpenpose, STDOUT_FILENO, "x");
  ASSERT_FALSE(on_a_file);
  EXPECT_EQ(on_a_file.error().code, Errc::kUsage);
  const auto out = make_file_sink(ResultFormat::kOpenpose, "-");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Errc::kUsage);
  std::ofstream(at("file")) << "";
  const auto file = make_file_sink(ResultFormat::kOpenpose, at("file"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::kOutput);
}

TEST_F(ResultFileTest, CocoIsOneValidArray) {
  auto sink = make_file_sink(ResultFormat::kCoco, at("a.json"));
  ASSERT_TRUE(sink);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  ASSERT_TRUE((*sink)->close());
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(nlohmann::json::parse(read(at("a.json"))).size(), 3U);
}

TEST_F(ResultFileTest, CocoIsAnEmptyArrayWithoutFrames) {
  auto sink = make_file_sink(ResultFormat::kCoco, at("a.json"));
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(read(at("a.json")), "[]\n");
}

TEST_F(ResultFileTest, MotionIsAListOfTheFrames) {
  auto sink = make_file_sink(ResultFormat::kMotion, at("a.json"));
  ASSERT_TRUE(sink);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  EXPECT_FALSE(fs::exists(at("a.json")));
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(read(at("a.json")), "[{\"nose\":[32,24]},\n{\"nose\":[32,24]},\n{\"nose\":[32,24]}]\n");
}

TEST_F(ResultFileTest, AnAbandonedSinkLeavesNoFinalName) {
  for (const auto format : {ResultFormat::kNdjson, ResultFormat::kCoco, ResultFormat::kMotion}) {
    auto sink = make_file_sink(format, at("a"));
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->write(frame(0), one_person()));
  }
  EXPECT_FALSE(fs::exists(at("a")));
}

TEST_F(ResultFileTest, AFullDiskIsReportedByEveryFileFormat) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not here";
  for (const auto format : {ResultFormat::kNdjson, ResultFormat::kCoco, ResultFormat::kMotion}) {
    auto sink = make_file_sink(format, "/dev/full");
    ASSERT_TRUE(sink);
    (void)(*sink)->write(frame(0), one_person());
    const auto closed = (*sink)->close();
    ASSERT_FALSE(closed);
    EXPECT_THAT(closed.error().message, HasSubstr("No space left on device"));
  }
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
