// The whole path of a frame, over a device that costs nothing: pixels to row, batch, decoding, result, back in order.

#include <latch>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/sequencer.h"
#include "pipeline/image/preprocess.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/fake_backend.h"

namespace posecam {
namespace {

struct Frame {
  std::shared_ptr<const FrameResult> result;
};

struct Stream final : RowClient {
  Sequencer<Frame> frames{16};
  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    frames.complete(ticket, [&](Frame& f) { f.result = std::move(result); });
  }
};

TEST(Engine, AllocatesNothingForAFrameOnceWarm) {
  constexpr int kBatch = 4;
  constexpr int kSlots = 4;  // two cores, two slots each
  std::latch all_slots_used(kSlots);
  test::FakeOptions fake{.cores = 2, .on_run = [&](CoreId, std::uint64_t run, std::uint32_t) -> Result<void> {
                           if (run < kSlots) all_slots_used.arrive_and_wait();
                           return {};
                         }};
  auto engine = Engine::create(std::make_unique<test::FakeBackend>(std::move(fake)),
                               std::make_shared<const ModelSpec>(test::fake_model(kBatch)), {});
  ASSERT_TRUE(engine);
  auto stream = std::make_shared<Stream>();
  Preprocessor preprocessor((*engine)->model().input);
  const std::vector<std::uint8_t> pixels(64 * 48 * 3 / 2, 90);
  const ImageView image{PixelFormat::kNv12, 64, 48, {pixels.data(), pixels.data() + 64 * 48, nullptr}, {64, 64, 0}, {}};

  // All results of a round are alive at once, so that the first round brings the pool to the size that all others need.
  std::vector<std::shared_ptr<const FrameResult>> held;
  held.reserve(kBatch * kSlots);
  const auto run = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      for (int i = 0; i < kBatch * kSlots; ++i) {
        auto row = (*engine)->reserve({});
        ASSERT_TRUE(row);
        const Letterbox letterbox = preprocessor.write(image, row->input());
        row->commit(stream, stream->frames.reserve({}), letterbox, 0);
      }
      for (int i = 0; i < kBatch * kSlots; ++i) {
        held.push_back(stream->frames.pop({})->result);
        ASSERT_EQ(held.back()->status, FrameStatus::kAnalysed);
      }
      held.clear();
    }
  };
  run(20);  // every slot, worker and pooled result has been used
  const std::size_t before = test::allocation_count();
  run(50);
  EXPECT_EQ(test::allocation_count() - before, 0U);
}

}  // namespace
}  // namespace posecam
