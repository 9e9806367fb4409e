#include "pipeline/engine/region_gather.h"

#include <utility>

namespace posecam {

void RegionGather::start(std::span<const Region> regions, Size image, std::shared_ptr<FrameResult> whole) {
  regions_.assign(regions.begin(), regions.end());
  results_.assign(regions.size(), nullptr);
  image_ = image;
  whole_ = std::move(whole);
  awaited_ = regions.size() + 1;
}

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
  results_.clear();  // they go back to where they came from
  frame_->row_done(ticket_, std::move(whole_));
}

std::shared_ptr<RegionGather> RegionGathers::take() {
  for (const auto& gather : all_) {
    if (gather.use_count() > 1) continue;
    std::atomic_thread_fence(std::memory_order_acquire);  // whoever let go of it is done with it
    return gather;
  }
  return all_.emplace_back(std::make_shared<RegionGather>(frame_));
}

}  // namespace posecam
