// Sessions with a network of a kilobyte, as a program would have them that is no command line.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/app/session/session_fixture.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(SessionTest, PlaysToTheEndAndGivesItsOutputsTheirNames) {
  SessionSpec asked = spec(5, {{ResultFormat::kNdjson, at("a.ndjson"), ""}, {ResultFormat::kCoco, at("c.json"), ""}});
  asked.video.file = at("v.mp4");
  int finished = 0;
  const auto session = must_open(asked, {.finished = [&] { ++finished; }});
  EXPECT_EQ(session->expected_frames(), 5U);
  EXPECT_EQ(session->stats().frames, 0U);
  const auto began = std::chrono::steady_clock::now();
  session->play();
  session->wait();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_EQ(finished, 1);
  EXPECT_TRUE(session->finished());
  EXPECT_TRUE(session->complete());
  EXPECT_FALSE(session->failure()) << session->failure()->message;
  EXPECT_THAT(names(), ElementsAre("a.ndjson", "c.json", "v.mp4"));
  const std::string lines = read_file(at("a.ndjson"));
  EXPECT_EQ(std::ranges::count(lines, '\n'), 5);
  EXPECT_TRUE(nlohmann::json::parse(read_file(at("c.json"))).is_array());
  const StreamStats stats = session->stats();
  EXPECT_EQ(stats.frames, 5U);
  EXPECT_EQ(stats.analysed, 5U);
  EXPECT_EQ(stats.device, "opencv");
  EXPECT_GT(stats.cores, 0U);
  EXPECT_GT(stats.seconds, 0);
  EXPECT_LE(stats.seconds, took.count());
  EXPECT_STREQ(stats.stages[2].stage, "infer");
  EXPECT_GT(stats.stages[2].median_ms, 0);
}

TEST_F(SessionTest, AnalysesEveryNthFrameOfAClip) {
  const auto input = identify_input(source_dir() / "media/figures.mp4");
  ASSERT_TRUE(input);
  SessionSpec asked = spec(6, {});
  asked.input = *input;
  asked.inference_interval = 3;
  const auto session = must_open(std::move(asked));
  session->play();
  session->wait();
  EXPECT_FALSE(session->failure());
  EXPECT_EQ(session->stats().analysed, 2U);
  EXPECT_EQ(session->stats().skipped, 4U);
}

TEST_F(SessionTest, LeavesTheDiskAsItWasIfItCannotOpen) {
  write_file(at("old.json.part"), "of an earlier run");
  write_file(at("a.ndjson"), "complete");
  SessionSpec asked = spec(5, {{ResultFormat::kNdjson, at("a.ndjson"), ""}, {ResultFormat::kCoco, at("old.json"), ""}});
  asked.engine.model = "nobody";
  {
    const auto session = must_create(asked);
    const auto opened = session->open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::kModel);
    EXPECT_THAT(opened.error().message, HasSubstr("nobody"));
    EXPECT_FALSE(session->finished());
  }
  EXPECT_THAT(names(), ElementsAre("a.ndjson", "old.json.part"));
  EXPECT_EQ(read_file(at("a.ndjson")), "complete");
  EXPECT_EQ(read_file(at("old.json.part")), "of an earlier run");
}

TEST_F(SessionTest, StoppedBeforeItsFirstFrameLeavesNothing) {
  Pipe silent;
  SessionSpec asked = spec(0, {{ResultFormat::kNdjson, at("a.ndjson"), ""}});
  asked.input = {.kind = InputKind::kAddress, .given = "silent", .name = "silent", .uri = silent.reader_uri()};
  asked.video.file = at("v.mp4");
  const auto session = must_open(std::move(asked));
  session->play();
  EXPECT_FALSE(session->wait_for(std::chrono::milliseconds(0)));
  session->stop();
  session->wait();
  EXPECT_FALSE(session->failure());
  EXPECT_FALSE(session->complete());
  EXPECT_EQ(session->stats().frames, 0U);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(SessionTest, StoppedBeforeItPlaysEndsWhenItDoes) {
  Pipe silent;
  SessionSpec asked = spec(0, {{ResultFormat::kNdjson, at("a.ndjson"), ""}});
  asked.input = {.kind = InputKind::kAddress, .given = "silent", .name = "silent", .uri = silent.reader_uri()};
  const auto session = must_open(std::move(asked));
  session->stop();
  EXPECT_FALSE(session->finished());
  session->play();
  session->wait();
  EXPECT_FALSE(session->failure());
  EXPECT_FALSE(session->complete());
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(SessionTest, FailsWithoutATraceIfItsInputHasNoFrame) {
  write_file(at("a.ndjson"), "of an earlier run");
  SessionSpec asked = spec(0, {{ResultFormat::kNdjson, at("a.ndjson"), ""}});
  asked.input = {.kind = InputKind::kImages, .given = "no pictures", .name = "none"};
  const auto session = must_open(std::move(asked));
  session->play();
  session->wait();
  ASSERT_TRUE(session->failure());
  EXPECT_EQ(session->failure()->code, Errc::kMedia);
  EXPECT_EQ(session->failure()->message, "no pictures: no video frames in it");
  EXPECT_FALSE(session->complete());
  EXPECT_THAT(names(), ElementsAre("a.ndjson"));
  EXPECT_EQ(read_file(at("a.ndjson")), "of an earlier run");
}

TEST_F(SessionTest, ExpectsAsManyFramesAsThereAreAndAreAskedFor) {
  SessionSpec asked = spec(0, {});
  asked.input = {.kind = InputKind::kImages, .given = "pictures", .name = "p", .images = {"1", "2", "3"}};
  for (const auto& [limit, expected] : {std::pair{0U, 3U}, {2U, 2U}, {9U, 3U}}) {
    asked.max_frames = limit;
    EXPECT_EQ(must_create(asked)->expected_frames(), expected) << limit;
  }
  EXPECT_EQ(must_create(spec(0, {}))->expected_frames(), std::nullopt) << "the test picture has no end";
}

TEST_F(SessionTest, StoppedInMidRunCompletesWhatItHas) {
  Pipe lines;
  const auto session =
      must_open(spec(0, {{ResultFormat::kCoco, at("c.json"), ""}, {ResultFormat::kNdjson, lines.name(), ""}}));
  session->play();
  EXPECT_THAT(lines.read_line(), HasSubstr("\"frame_id\":0"));
  EXPECT_FALSE(session->finished());
  session->stop();
  lines.drain();
  session->wait();
  EXPECT_FALSE(session->failure());
  EXPECT_TRUE(session->complete());
  EXPECT_GT(session->stats().frames, 0U);
  EXPECT_EQ(session->expected_frames(), session->stats().frames);
  EXPECT_TRUE(nlohmann::json::parse(read_file(at("c.json"))).is_array());
}

/// As a camera that is unplugged.
TEST_F(SessionTest, KeepsWhatWasDecodedBeforeItsInputFailed) {
  Pipe lines;
  const auto session =
      must_open(spec(0, {{ResultFormat::kCoco, at("c.json"), ""}, {ResultFormat::kNdjson, lines.name(), ""}}));
  session->play();
  lines.read_line();
  const ElementPtr pipeline(GST_ELEMENT(gst_object_get_parent(GST_OBJECT(session->network()))));
  GstIterator* sources = gst_bin_iterate_sources(GST_BIN(pipeline.get()));
  gst_iterator_foreach(
      sources,
      [](const GValue* item, gpointer) {
        GST_ELEMENT_ERROR(g_value_get_object(item), RESOURCE, READ, ("the plug was pulled"), (nullptr));
      },
      nullptr);
  gst_iterator_free(sources);
  lines.drain();
  session->wait();
  ASSERT_TRUE(session->failure());
  EXPECT_EQ(session->failure()->code, Errc::kMedia);
  EXPECT_THAT(session->failure()->message, HasSubstr("the plug was pulled"));
  EXPECT_TRUE(session->complete());
  EXPECT_GT(session->stats().frames, 0U);
  EXPECT_TRUE(nlohmann::json::parse(read_file(at("c.json"))).is_array());
}

TEST_F(SessionTest, DestroyedInMidRunKeepsOnlyParts) {
  Pipe lines;
  auto session =
      must_open(spec(0, {{ResultFormat::kCoco, at("c.json"), ""}, {ResultFormat::kNdjson, lines.name(), ""}}));
  session->play();
  lines.read_line();
  session.reset();
  EXPECT_THAT(names(), ElementsAre("c.json.part"));
}

TEST_F(SessionTest, NamesNoOutputIfOneFails) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not here";
  write_file(at("c.json"), "of an earlier run");
  SessionSpec asked = spec(5, {{ResultFormat::kCoco, at("c.json"), ""}, {ResultFormat::kNdjson, "/dev/full", ""}});
  asked.video.file = at("v.mp4");
  const auto session = must_open(std::move(asked));
  session->play();
  session->wait();
  ASSERT_TRUE(session->failure());
  EXPECT_EQ(session->failure()->code, Errc::kNoSpace);
  EXPECT_THAT(session->failure()->message, HasSubstr("/dev/full"));
  EXPECT_FALSE(session->complete());
  EXPECT_THAT(names(), ElementsAre("c.json", "c.json.part"));
  EXPECT_EQ(read_file(at("c.json")), "of an earlier run");
}

TEST_F(SessionTest, FailsBesideAnotherThatGoesOn) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not here";
  SessionSpec good = spec(20, {{ResultFormat::kNdjson, at("a.ndjson"), ""}});
  SessionSpec bad = spec(20, {{ResultFormat::kNdjson, "/dev/full", ""}});
  good.shared_model = bad.shared_model = "shared";
  const auto first = must_open(std::move(good));
  const auto second = must_open(std::move(bad));
  first->play();
  second->play();
  second->wait();
  first->wait();
  EXPECT_TRUE(second->failure());
  EXPECT_FALSE(first->failure());
  EXPECT_TRUE(first->complete());
  EXPECT_EQ(first->stats().frames, 20U);
}

TEST_F(SessionTest, IsRefusedWhileAnotherWritesItsOutputs) {
  Pipe lines;
  const auto first =
      must_open(spec(0, {{ResultFormat::kCoco, at("c.json"), ""}, {ResultFormat::kNdjson, lines.name(), ""}}));
  first->play();
  lines.read_line();
  const auto second = Session::create(spec(1, {{ResultFormat::kCoco, at("c.json"), "--write-coco-json"}}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kUsage);
  EXPECT_THAT(second.error().message, HasSubstr("--write-coco-json " + at("c.json")));
  first->stop();
  lines.drain();
  first->wait();
  EXPECT_TRUE(first->complete());
}

TEST_F(SessionTest, SaysThatFramesAreMissingAtTheEndOfAClip) {
  std::string clip = read_file(source_dir() / "media/figures.mp4");
  // ISO/IEC 14496-12, 8.7.3.2: behind the type version, size of all and count, then the size of each sample.
  const std::size_t sizes = clip.find("stsz");
  ASSERT_NE(sizes, std::string::npos);
  const std::size_t tenth = sizes + 16 + 4 * 10;
  for (const std::size_t byte : {1U, 2U}) {
    std::string damaged = clip;
    damaged[tenth + byte] = static_cast<char>(damaged[tenth + byte] ^ 0x7F);
    write_file(at("clip.mp4"), damaged);
    SessionSpec asked = spec(0, {});
    asked.input = *identify_input(at("clip.mp4"));
    std::vector<std::string> warnings;
    const auto session =
        must_open(std::move(asked), {.warn = [&](const std::string& line) { warnings.push_back(line); }});
    session->play();
    session->wait();
    EXPECT_THAT(warnings, ElementsAre(HasSubstr("clip.mp4: says that it ends after 10.0 s, but its last frame")));
  }
}

TEST_F(SessionTest, StartsAClipAgainThatRepeats) {
  const auto input = identify_input(source_dir() / "media/figures.mp4");
  ASSERT_TRUE(input);
  constexpr std::uint64_t kMoreThanItHas = 400;
  SessionSpec asked = spec(kMoreThanItHas, {});
  asked.input = *input;
  asked.input.repeats = true;
  asked.inference_interval = kMoreThanItHas;
  const auto session = must_open(std::move(asked));
  session->play();
  session->wait();
  EXPECT_FALSE(session->failure());
  EXPECT_EQ(session->stats().frames, kMoreThanItHas);
}

TEST_F(SessionTest, HasPatienceWithASourceThatIsHeldUp) {
  Pipe pipe;
  SessionSpec asked = spec(1000, {{ResultFormat::kNdjson, pipe.name(), ""}});
  asked.stall_limit = std::chrono::seconds(1);
  const auto session = must_open(asked);
  session->play();
  pipe.read_line();
  EXPECT_FALSE(session->wait_for(std::chrono::seconds(2))) << "a pipe holds fewer lines";
  pipe.drain();
  session->wait();
  EXPECT_FALSE(session->failure()) << session->failure()->message;
  EXPECT_EQ(session->stats().frames, 1000U);
}

TEST_F(SessionTest, TakesAsLongAsItNeedsBehindTheLastFrame) {
  constexpr std::uint64_t kFrames = 12;
  Pipe pipe(4096);  // a few lines
  SessionSpec asked = spec(kFrames, {{ResultFormat::kNdjson, pipe.name(), ""}});
  asked.stall_limit = std::chrono::milliseconds(200);
  const auto session = must_open(asked);
  session->play();
  pipe.read_line();
  EXPECT_FALSE(session->wait_for(std::chrono::milliseconds(700))) << "the pipe holds fewer lines";
  pipe.drain();
  session->wait();
  EXPECT_FALSE(session->failure()) << session->failure()->message;
  EXPECT_EQ(session->stats().frames, kFrames);
}

}  // namespace
}  // namespace posecam::test
