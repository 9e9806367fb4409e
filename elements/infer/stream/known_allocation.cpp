#include "elements/infer/stream/known_allocation.h"

#include <mutex>
#include <utility>

namespace posecam::gst {

std::shared_ptr<const KnownAllocation::Answer> KnownAllocation::read(GstQuery* query) {
  auto answer = std::make_shared<Answer>();
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  if (!caps) return nullptr;
  answer->caps.reset(gst_caps_ref(caps));
  answer->need_pool = need_pool != 0;
  for (guint i = 0; i < gst_query_get_n_allocation_pools(query); ++i) {
    GstBufferPool* pool = nullptr;
    Pool& to = answer->pools.emplace_back();
    gst_query_parse_nth_allocation_pool(query, i, &pool, &to.size, &to.min, &to.max);
    to.pool.reset(pool);
  }
  for (guint i = 0; i < gst_query_get_n_allocation_params(query); ++i) {
    GstAllocator* allocator = nullptr;
    Param& to = answer->params.emplace_back();
    gst_query_parse_nth_allocation_param(query, i, &allocator, &to.params);
    to.allocator.reset(allocator);
  }
  for (guint i = 0; i < gst_query_get_n_allocation_metas(query); ++i) {
    const GstStructure* params = nullptr;
    const GType api = gst_query_parse_nth_allocation_meta(query, i, &params);
    answer->metas.push_back({api, {}});
    if (params) answer->metas.back().params.reset(gst_structure_copy(params));
  }
  return answer;
}

bool KnownAllocation::answer(GstQuery* query) const {
  std::shared_ptr<const Answer> known;
  {
    std::lock_guard lock(mutex_);
    known = known_;
  }
  GstCaps* caps = nullptr;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &caps, &need_pool);
  if (!known || !caps || known->need_pool != (need_pool != 0) || !gst_caps_is_equal(known->caps.get(), caps)) {
    return false;
  }
  for (const Pool& p : known->pools) gst_query_add_allocation_pool(query, p.pool.get(), p.size, p.min, p.max);
  for (const Param& p : known->params) gst_query_add_allocation_param(query, p.allocator.get(), &p.params);
  for (const Meta& m : known->metas) gst_query_add_allocation_meta(query, m.api, m.params.get());
  return true;
}

std::uint64_t KnownAllocation::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

void KnownAllocation::remember(GstQuery* answered, std::uint64_t changes) {
  auto answer = read(answered);
  std::lock_guard lock(mutex_);
  if (changes == changes_) known_.swap(answer);  // the old one goes without the lock
}

void KnownAllocation::forget() {
  std::shared_ptr<const Answer> gone;
  std::lock_guard lock(mutex_);
  ++changes_;
  known_.swap(gone);
}

}  // namespace posecam::gst
