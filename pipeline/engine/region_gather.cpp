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
  free_.store(true, std::memory_order_release);
}

std::shared_ptr<RegionGather> RegionGathers::take() {
  for (const auto& gather : all_) {
    if (gather->free_.exchange(false, std::memory_order_acquire)) return gather;
  }
  // Those that nobody else holds and that are not free never will be: a flush or the end of an engine left them behind.
  std::erase_if(all_, [](const auto& gather) { return gather.use_count() == 1; });
  return all_.emplace_back(std::make_shared<RegionGather>(frame_));
}

}  // namespace posecam
