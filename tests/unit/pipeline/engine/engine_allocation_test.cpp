// The whole path of a frame, over a device that costs nothing: pixels to row, batch, decoding, result, back in order.

#include <latch>
#include <vector>

#include <gtest/gtest.h>

#include "pipeline/engine/engine.h"
#include "pipeline/engine/region_gather.h"
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

/// Regions of some frames of 64x48: people of all sizes, at the edge and beyond it.
std::vector<std::vector<Region>> people_of(const ModelSpec& model, std::size_t frames) {
  std::vector<std::vector<Region>> people(frames);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const float at = 0.2F * static_cast<float>(frame);
    for (const float size : {0.1F, 0.3F, 0.7F}) {
      people[frame].push_back(*region_for(model, {at - 0.05F, at, size, size}, {64, 48}, 1));
    }
  }
  return people;
}

TEST(Engine, AllocatesNothingForTheRegionsOfAFrameOnceWarm) {
  constexpr int kFrames = 4;  // under way at once
  auto engine = Engine::create(std::make_unique<test::FakeBackend>(test::FakeOptions{.cores = 1}),
                               std::make_shared<const ModelSpec>(test::fake_model(2)), {});
  ASSERT_TRUE(engine);
  auto stream = std::make_shared<Stream>();
  RegionGathers gathers(stream);
  Preprocessor preprocessor((*engine)->model().input);
  const std::vector<std::uint8_t> pixels(64 * 48 * 3 / 2, 90);
  const ImageView image{PixelFormat::kNv12, 64, 48, {pixels.data(), pixels.data() + 64 * 48, nullptr}, {64, 64, 0}, {}};
  ModelSpec one_person = (*engine)->model();
  one_person.crop_factor = 1.25F;
  const auto people = people_of(one_person, kFrames);

  std::vector<std::shared_ptr<const FrameResult>> held;
  held.reserve(kFrames);
  const auto run = [&](int rounds) {
    for (int round = 0; round < rounds; ++round) {
      for (const auto& regions : people) {
        const auto gather = gathers.take();
        gather->start(regions, {64, 48}, (*engine)->empty_result(FrameStatus::kUnanalysed));
        for (Ticket i = 0; i < regions.size(); ++i) {
          auto row = (*engine)->reserve({});
          ASSERT_TRUE(row);
          const Letterbox letterbox = write_region(preprocessor, image, regions[i], row->input());
          row->commit(gather, i, letterbox, 0);
        }
        gather->finish(stream->frames.reserve({}));
      }
      (*engine)->drain();
      for (int i = 0; i < kFrames; ++i) {
        held.push_back(stream->frames.pop({})->result);
        ASSERT_EQ(held.back()->status, FrameStatus::kAnalysed);
      }
      held.clear();
    }
  };
  // As many gathers and results as can be in use at once, each with its memory: how many are depends on the threads.
  const auto new_result = [&] {
    auto result = (*engine)->empty_result(FrameStatus::kAnalysed);
    result->detections.reserve(8);
    return result;
  };
  std::vector<std::shared_ptr<RegionGather>> all(3 * kFrames);
  for (auto& gather : all) gather = gathers.take();
  for (const auto& gather : all) {
    gather->start(people[0], {64, 48}, new_result());
    for (Ticket i = 0; i < people[0].size(); ++i) gather->row_done(i, new_result());
    gather->finish(stream->frames.reserve({}));
    stream->frames.pop({});
  }
  all.clear();
  for (std::vector<std::shared_ptr<FrameResult>> many; many.size() < 64;) many.push_back(new_result());
  run(20);
  const std::size_t before = test::allocation_count();
  run(50);
  EXPECT_EQ(test::allocation_count() - before, 0U);
}

}  // namespace
}  // namespace posecam
