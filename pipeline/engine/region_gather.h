#pragma once
// A frame whose regions are rows of their own: waits for all of them and hands on one result.

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "models/core/geometry.h"
#include "pipeline/engine/engine.h"
#include "postprocess/draw/regions.h"

namespace posecam {

/// Rows are committed with it as their client and the region's index as their ticket. `frame` hears of the frame once
/// every region is done and finish() was called, on whichever thread was last. Of use for one frame after the other,
/// and then allocates nothing once warm.
class RegionGather final : public RowClient {
 public:
  explicit RegionGather(std::shared_ptr<RowClient> frame) : frame_(std::move(frame)) {}

  /// A new frame: nobody may be under way with another. `regions`: at least one. `whole` becomes the frame's result.
  void start(std::span<const Region> regions, Size image, std::shared_ptr<FrameResult> whole);
  const std::vector<Region>& regions() const { return regions_; }  ///< of the frame in hand, by the number of their row

  void row_done(Ticket region, std::shared_ptr<FrameResult> result) override;
  /// Every row is committed; `ticket` is the frame's. A gather that is never finished is silent.
  void finish(Ticket ticket);

 private:
  void one_less();

  const std::shared_ptr<RowClient> frame_;
  std::vector<Region> regions_;
  Size image_;
  std::shared_ptr<FrameResult> whole_;
  std::vector<std::shared_ptr<const FrameResult>> results_;  // each written by one thread before it counts down
  Ticket ticket_ = 0;
  std::atomic<std::size_t> awaited_ = 0;  ///< regions, and finish()

  friend class RegionGathers;
  std::atomic<bool> free_ = false;  ///< its frame's result is handed on, and no thread works with it any more
};

/// Gathers for the frames of one stream. One thread.
class RegionGathers {
 public:
  explicit RegionGathers(std::shared_ptr<RowClient> frame) : frame_(std::move(frame)) {}
  /// One that is free, or a new one.
  std::shared_ptr<RegionGather> take();

 private:
  const std::shared_ptr<RowClient> frame_;
  std::vector<std::shared_ptr<RegionGather>> all_;
};

}  // namespace posecam
