#include "pipeline/engine/region_gather.h"

#include <thread>

#include <gtest/gtest.h>

namespace posecam {
namespace {

struct Frame final : RowClient {
  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    EXPECT_FALSE(done) << "a frame is done once";
    last_ticket = ticket;
    done = std::move(result);
  }
  Ticket last_ticket = 0;
  std::shared_ptr<const FrameResult> done;
};

std::shared_ptr<FrameResult> one_object() {
  auto result = std::make_shared<FrameResult>();
  result->detections = {{{0, 0, 1, 1}, 0.5F, 0, {}}};
  return result;
}

std::shared_ptr<RegionGather> gather_of(std::size_t regions, const std::shared_ptr<Frame>& frame) {
  auto gather = std::make_shared<RegionGather>(frame);
  gather->start(std::vector<Region>(regions, Region{{0, 0, 1, 1}, {0, 0, 8, 8}, {}}), {8, 8},
                std::make_shared<FrameResult>());
  return gather;
}

TEST(RegionGather, WaitsForEveryRegionAndTheFramesPlace) {
  const auto frame = std::make_shared<Frame>();
  const auto gather = gather_of(2, frame);
  gather->row_done(1, one_object());
  gather->row_done(0, one_object());
  EXPECT_FALSE(frame->done);
  gather->finish(42);
  ASSERT_TRUE(frame->done);
  EXPECT_EQ(frame->last_ticket, 42U);
  EXPECT_EQ(frame->done->detections.size(), 2U);
}

/// The right half of the picture is done first, and something is in it.
TEST(RegionGather, PutsAResultWhereItsRegionIsWhicheverIsDoneFirst) {
  const auto frame = std::make_shared<Frame>();
  const auto gather = std::make_shared<RegionGather>(frame);
  gather->start(std::vector<Region>{{{0, 0, 0.5F, 1}, {0, 0, 8, 16}, {}}, {{0.5F, 0, 0.5F, 1}, {8, 0, 8, 16}, {}}},
                {16, 16}, std::make_shared<FrameResult>());
  gather->row_done(1, one_object());
  gather->row_done(0, std::make_shared<FrameResult>());
  gather->finish(1);
  ASSERT_TRUE(frame->done);
  ASSERT_EQ(frame->done->detections.size(), 1U);
  EXPECT_EQ(frame->done->detections[0].box.x, 0.5F);
}

TEST(RegionGather, IsDoneOnceWhateverThreadIsLast) {
  for (int round = 0; round < 200; ++round) {
    const auto frame = std::make_shared<Frame>();
    const auto gather = gather_of(3, frame);
    {
      std::vector<std::jthread> workers;
      for (Ticket i = 0; i < 3; ++i) workers.emplace_back([&, i] { gather->row_done(i, one_object()); });
      gather->finish(1);
    }
    ASSERT_TRUE(frame->done);
    EXPECT_EQ(frame->done->detections.size(), 3U);
  }
}

const std::vector<Region> kOneRegion{Region{{0, 0, 1, 1}, {0, 0, 8, 8}, {}}};

TEST(RegionGather, IsTakenAgainWhenItsFrameIsDone) {
  RegionGathers gathers(std::make_shared<Frame>());
  const auto first = gathers.take();
  first->start(kOneRegion, {8, 8}, std::make_shared<FrameResult>());
  first->row_done(0, one_object());
  EXPECT_NE(gathers.take(), first) << "its frame has no place yet";
  first->finish(1);
  EXPECT_EQ(gathers.take(), first);
}

TEST(RegionGather, OfAFrameThatWasGivenUpIsLetGoOf) {
  RegionGathers gathers(std::make_shared<Frame>());
  auto first = gathers.take();
  const std::weak_ptr<RegionGather> was = first;
  first->start(kOneRegion, {8, 8}, std::make_shared<FrameResult>());
  EXPECT_NE(gathers.take(), first);
  EXPECT_FALSE(was.expired());
  first.reset();
  gathers.take();
  EXPECT_TRUE(was.expired());
}

TEST(RegionGather, IsSilentIfItsFrameWasGivenUp) {
  const auto frame = std::make_shared<Frame>();
  gather_of(1, frame)->row_done(0, one_object());
  EXPECT_FALSE(frame->done);
}

}  // namespace
}  // namespace posecam
