#pragma once
// A frame whose regions are rows of their own: waits for all of them and hands on one result.

#include <atomic>
#include <memory>
#include <vector>

#include "models/core/geometry.h"
#include "pipeline/engine/engine.h"
#include "postprocess/draw/regions.h"

namespace posecam {

/// Rows are committed with it as their client and the region's index as their ticket. `frame` hears of the frame once
/// every region is done and finish() was called, on whichever thread was last.
class RegionGather final : public RowClient {
 public:
  /// `regions`: at least one. `whole` becomes the frame's result.
  RegionGather(std::vector<Region> regions, Size image, std::shared_ptr<FrameResult> whole,
               std::shared_ptr<RowClient> frame);

  const std::vector<Region>& regions() const { return regions_; }

  void row_done(Ticket region, std::shared_ptr<FrameResult> result) override;
  /// Every row is committed; `ticket` is the frame's. A gather that is never finished is silent.
  void finish(Ticket ticket);

 private:
  void one_less();

  const std::vector<Region> regions_;
  const Size image_;
  std::shared_ptr<FrameResult> whole_;
  const std::shared_ptr<RowClient> frame_;
  std::vector<std::shared_ptr<const FrameResult>> results_;  // each written by one thread before it counts down
  Ticket ticket_ = 0;
  std::atomic<std::size_t> awaited_;  ///< regions, and finish()
};

}  // namespace posecam
