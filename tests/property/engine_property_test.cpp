// Many streams, random delays, drops and failures: nothing is lost, reordered or delivered twice, and every result
// belongs to its frame.

#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/sequencer.h"
#include "tests/support/fake_backend.h"

namespace posecam {
namespace {

using namespace std::chrono_literals;

struct Frame {
  int value = 0;
  std::shared_ptr<const FrameResult> result;
};

struct Stream final : RowClient {
  Sequencer<Frame> frames{8};
  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    frames.complete(ticket, [&](Frame& f) { f.result = std::move(result); });
  }
};

/// Feeds `count` frames, giving some rows up on the way.
void feed(Engine& engine, const std::shared_ptr<Stream>& stream, int count, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(stream->frames.wait_room({}));
    auto row = engine.reserve({});
    ASSERT_TRUE(row) << row.error().message;
    if (random() % 8 == 0) {
      --i;
      continue;
    }
    const int value = 1 + static_cast<int>(random() % 4000);
    row->input().as<float>()[0] = static_cast<float>(value);
    const Ticket ticket = stream->frames.reserve({value, nullptr});
    row->commit(stream, ticket, {{8, 8}, {8, 8}, {0, 0}, {8, 8}}, 0);
  }
  engine.drain();
}

struct Case {
  std::uint32_t seed;
  int batch;
  std::uint32_t cores;
  int streams;
  bool failures;
};

class EngineProperty : public testing::TestWithParam<Case> {};

TEST_P(EngineProperty, LosesReordersAndRepeatsNothing) {
  const Case c = GetParam();
  constexpr int kFrames = 150;
  test::FakeOptions fake{.cores = c.cores,
                         .on_run = [&](CoreId core, std::uint64_t run, std::uint32_t) -> Result<void> {
                           std::mt19937 random(c.seed * 7919 + static_cast<std::uint32_t>(run));
                           std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));  // a slow device
                           if (!c.failures) return {};
                           if (run > 20 && core == 0) return Error{Errc::kCoreLost, "lost"};
                           if (random() % 10 == 0) return Error{Errc::kBusy, "busy"};
                           if (random() % 20 == 0) return Error{Errc::kBadInput, "bad"};
                           return {};
                         }};
  auto engine = Engine::create(std::make_unique<test::FakeBackend>(std::move(fake)),
                               std::make_shared<const ModelSpec>(test::fake_model(c.batch)), {.max_batch_delay = 1ms});
  ASSERT_TRUE(engine);

  std::vector<std::shared_ptr<Stream>> streams;
  std::vector<std::jthread> threads;
  for (int s = 0; s < c.streams; ++s) {
    auto stream = streams.emplace_back(std::make_shared<Stream>());
    threads.emplace_back(
        [&engine, stream, seed = c.seed + static_cast<std::uint32_t>(s)] { feed(**engine, stream, kFrames, seed); });
    threads.emplace_back([&c, stream] {
      for (int i = 0; i < kFrames; ++i) {
        const auto frame = stream->frames.pop({});
        ASSERT_TRUE(frame->result);
        if (frame->result->status == FrameStatus::kAnalysed) {
          EXPECT_EQ(test::fake_value(*frame->result), frame->value);
        } else {
          EXPECT_TRUE(c.failures);
        }
      }
    });
  }
  threads.clear();
  for (const auto& stream : streams) EXPECT_EQ(stream->frames.pending(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Cases, EngineProperty,
                         testing::Values(Case{1, 1, 1, 1, false}, Case{2, 4, 2, 3, false}, Case{3, 8, 4, 5, false},
                                         Case{4, 3, 2, 8, false}, Case{5, 1, 2, 3, true}, Case{6, 4, 3, 3, true},
                                         Case{7, 8, 2, 8, true}));

}  // namespace
}  // namespace posecam
