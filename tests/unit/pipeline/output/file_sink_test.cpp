#include "pipeline/output/file_sink.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/pipeline/output/output_fixture.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using FileSinkTest = test::OutputTest;

TEST_F(FileSinkTest, NdjsonLinesAreReadableBeforeTheEnd) {
  auto sink = make_file_sink(ResultFormat::kNdjson, at("a.ndjson"));
  ASSERT_TRUE(sink);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  std::istringstream lines(test::read_file(at("a.ndjson.part")));
  std::string line;
  int frame_id = 0;
  for (; std::getline(lines, line); ++frame_id) EXPECT_EQ(nlohmann::json::parse(line)["frame_id"], frame_id);
  EXPECT_EQ(frame_id, 3);
  ASSERT_TRUE((*sink)->close());
  EXPECT_TRUE(fs::exists(at("a.ndjson")));
}

TEST_F(FileSinkTest, OpenposeWritesOneFileAFrame) {
  auto sink = make_file_sink(ResultFormat::kOpenpose, at("new/folder"));
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->write(frame(0), one_person()));
  ASSERT_TRUE((*sink)->write(frame(1), one_person()));
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(nlohmann::json::parse(test::read_file(at("new/folder/clip_000000000001_keypoints.json")))["people"].size(),
            1U);
  EXPECT_EQ(std::distance(fs::directory_iterator(at("new/folder")), {}), 2);
}

TEST_F(FileSinkTest, ASinkSaysHowItIs) {
  auto sink = make_file_sink(ResultFormat::kCoco, at("a.json"));
  ASSERT_TRUE(sink);
  EXPECT_EQ((*sink)->health().state, SinkHealth::State::kOpen);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  EXPECT_EQ((*sink)->health().written, 3U);
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ((*sink)->health().state, SinkHealth::State::kClosed);
  EXPECT_EQ((*sink)->health().dropped, 0U);
}

TEST_F(FileSinkTest, ASinkThatFailedSaysWhy) {
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

TEST_F(FileSinkTest, OpenposeErrorsAreSticky) {
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

TEST_F(FileSinkTest, OpenposeNeedsAFolder) {
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

TEST_F(FileSinkTest, CocoIsOneValidArray) {
  auto sink = make_file_sink(ResultFormat::kCoco, at("a.json"));
  ASSERT_TRUE(sink);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  ASSERT_TRUE((*sink)->close());
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(nlohmann::json::parse(test::read_file(at("a.json"))).size(), 3U);
}

TEST_F(FileSinkTest, CocoIsAnEmptyArrayWithoutFrames) {
  auto sink = make_file_sink(ResultFormat::kCoco, at("a.json"));
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(test::read_file(at("a.json")), "[]\n");
}

TEST_F(FileSinkTest, MotionIsAListOfTheFrames) {
  auto sink = make_file_sink(ResultFormat::kMotion, at("a.json"));
  ASSERT_TRUE(sink);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE((*sink)->write(frame(i), one_person()));
  EXPECT_FALSE(fs::exists(at("a.json")));
  ASSERT_TRUE((*sink)->close());
  EXPECT_EQ(test::read_file(at("a.json")), "[{\"nose\":[32,24]},\n{\"nose\":[32,24]},\n{\"nose\":[32,24]}]\n");
}

TEST_F(FileSinkTest, AnAbandonedSinkLeavesNoFinalName) {
  for (const auto format : {ResultFormat::kNdjson, ResultFormat::kCoco, ResultFormat::kMotion}) {
    auto sink = make_file_sink(format, at("a"));
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->write(frame(0), one_person()));
  }
  EXPECT_FALSE(fs::exists(at("a")));
}

TEST_F(FileSinkTest, AFullDiskIsReportedByEveryFileFormat) {
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

}  // namespace
}  // namespace posecam
