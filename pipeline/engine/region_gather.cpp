#include "pipeline/engine/region_gather.h"

#include <utility>

namespace posecam {

RegionGather::RegionGather(std::vector<Region> regions, Size image, std::shared_ptr<FrameResult> whole,
                           std::shared_ptr<RowClient> frame)
    : regions_(std::move(regions)),
      image_(image),
      whole_(std::move(whole)),
      frame_(std::move(frame)),
      results_(regions_.size()),
      awaited_(regions_.size() + 1) {}

void RegionGather::row_done(Ticket region, std::shared_ptr<FrameResult> result) {
  results_[region] = std::move(result);
  one_less();
}

void RegionGather::finish(Ticket ticket) {
  ticket_ = ticket;
  one_less();
}

void RegionGather::one_less() {
  if (awaited_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  combine(regions_, results_, image_, *whole_);
  frame_->row_done(ticket_, std::move(whole_));
}

}  // namespace posecam
