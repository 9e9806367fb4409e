#include "app/session/session_queue.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/app/session/session_fixture.h"

namespace posecam::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using namespace std::chrono_literals;

class SessionQueueTest : public SessionTest {
 protected:
  /// Of the test picture, each with a file of results.
  std::vector<SessionSpec> specs(std::size_t count, std::uint64_t frames) const {
    std::vector<SessionSpec> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(spec(frames, {{ResultFormat::kNdjson, at(std::to_string(i) + ".ndjson"), ""}}));
      all.back().shared_model = "queue";
    }
    return all;
  }
  std::size_t parts() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(names(), [](const std::string& name) { return name.ends_with(".part"); }));
  }
  QueueEvents events() {
    return {.ended =
                [this](std::size_t place, const Session& session) {
                  EXPECT_FALSE(session.failure());
                  ended_.push_back(place);
                  most_open_ = std::max(most_open_, parts());
                },
            .not_opened =
                [this](std::size_t place, const Error& error) {
                  not_opened_.push_back(std::to_string(place) + " " + error.message);
                }};
  }
  std::vector<std::size_t> ended_;
  std::vector<std::string> not_opened_;
  std::size_t most_open_ = 0;
};

TEST_F(SessionQueueTest, HasNoMoreThanSoManyOpenAtATime) {
  constexpr std::uint64_t kFrames = 3;
  SessionQueue queue(specs(7, kFrames), 2, events());
  ASSERT_TRUE(queue.prepare());
  EXPECT_EQ(parts(), 2U);
  QueueProgress last;
  queue.play(10ms, [&](const QueueProgress& progress) { last = progress; });
  EXPECT_THAT(ended_, UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_LE(most_open_, 2U) << "the one that ended has its names";
  EXPECT_EQ(last.frames, 7 * kFrames);
  EXPECT_EQ(last.total, 7 * kFrames);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(std::ranges::count(read_file(at(std::to_string(i) + ".ndjson")), '\n'), 3) << i;
  }
}

TEST_F(SessionQueueTest, GoesOnBehindOneThatCannotBeOpened) {
  auto all = specs(4, 1);
  all[2].sinks[0].location = at("none/2.ndjson");
  SessionQueue queue(std::move(all), 1, events());
  ASSERT_TRUE(queue.prepare());
  queue.play(10ms, [](const QueueProgress&) {});
  EXPECT_THAT(ended_, ElementsAre(0, 1, 3));
  EXPECT_THAT(not_opened_, ElementsAre(HasSubstr("2 " + at("none/2.ndjson"))));
}

TEST_F(SessionQueueTest, OpensAllOfTheFirstOrNone) {
  auto all = specs(3, 1);
  all[1].sinks[0].location = at("none/1.ndjson");
  SessionQueue queue(std::move(all), 2, events());
  const auto prepared = queue.prepare();
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().message, HasSubstr("none/1.ndjson"));
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(SessionQueueTest, BeginsNoOtherWhenItIsStopped) {
  std::stop_source stop;
  SessionQueue queue(specs(4, 0), 2, events(), stop.get_token());
  ASSERT_TRUE(queue.prepare());
  queue.play(1ms, [&](const QueueProgress& progress) {
    EXPECT_FALSE(progress.total);
    const auto begun = [](const std::string& file) {
      return std::filesystem::exists(file) && file_size(std::filesystem::path(file)) > 0;
    };
    if (progress.frames > 5 && begun(at("0.ndjson.part")) && begun(at("1.ndjson.part"))) stop.request_stop();
  });
  EXPECT_THAT(ended_, UnorderedElementsAre(0, 1));
  EXPECT_THAT(queue.not_begun(), ElementsAre(kSynthetic, kSynthetic));
  EXPECT_THAT(names(), UnorderedElementsAre("0.ndjson", "1.ndjson"));
}

TEST(LeastInputsAtOnce, AreAllThatMayNeverEndAndOneOther) {
  const auto of = [](InputKind kind) { return SessionSpec{.input = {.kind = kind}}; };
  EXPECT_EQ(least_inputs_at_once({of(InputKind::kVideoFile), of(InputKind::kImages)}), 1U);
  EXPECT_EQ(least_inputs_at_once({of(InputKind::kCamera), of(InputKind::kAddress)}), 2U);
  EXPECT_EQ(least_inputs_at_once({of(InputKind::kVideoFile), of(InputKind::kCamera), of(InputKind::kVideoFile)}), 2U);
}

TEST(UsualInputsAtOnce, FitWithinTheLimitOnOpenFiles) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_GE(usual_inputs_at_once(), 1U);
  const auto with = [&](rlim_t files) {
    rlimit limit = before;
    limit.rlim_cur = std::min(files, before.rlim_max);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    const std::size_t inputs = usual_inputs_at_once();
    setrlimit(RLIMIT_NOFILE, &before);
    return inputs;
  };
  EXPECT_EQ(with(64), 1U);
  EXPECT_EQ(with(256), 6U);
  EXPECT_GE(with(4096), 16U);
}

}  // namespace
}  // namespace posecam::test
