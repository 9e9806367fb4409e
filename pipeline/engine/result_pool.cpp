#include "pipeline/engine/result_pool.h"

#include <array>
#include <cstddef>
#include <mutex>
#include <vector>

namespace posecam {

/// Free results, and free memory for the control blocks of the shared_ptrs that publish them.
class ResultPool::Store {
 public:
  static constexpr std::size_t kBlockBytes = 128;  ///< a shared_ptr control block with our deleter takes less
  struct alignas(std::max_align_t) Block {
    std::array<std::byte, kBlockBytes> bytes;
  };

  std::unique_ptr<FrameResult> take_result() {
    std::lock_guard lock(mutex_);
    if (results_.empty()) return std::make_unique<FrameResult>();
    auto result = std::move(results_.back());
    results_.pop_back();
    return result;
  }

  void give_back(FrameResult* result) {
    std::unique_ptr<FrameResult> owned(result);
    owned->clear();
    owned->model.reset();
    owned->detector.reset();
    owned->classifier.reset();
    owned->repeated = false;
    owned->left_out = 0;
    owned->times = {};
    owned->status = FrameStatus::kAnalysed;
    std::lock_guard lock(mutex_);
    results_.push_back(std::move(owned));
  }

  void* take_block() {
    std::lock_guard lock(mutex_);
    if (blocks_.empty()) return new Block;
    Block* block = blocks_.back().release();
    blocks_.pop_back();
    return block;
  }

  void give_back_block(void* memory) {
    std::unique_ptr<Block> block(static_cast<Block*>(memory));
    std::lock_guard lock(mutex_);
    blocks_.push_back(std::move(block));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<FrameResult>> results_;
  std::vector<std::unique_ptr<Block>> blocks_;
};

namespace {

/// Allocator of one control block from the store; shared_ptr rebinds it to its own type.
template <class T, class Store>
struct BlockAllocator {
  using value_type = T;
  std::shared_ptr<Store> store;

  explicit BlockAllocator(std::shared_ptr<Store> s) : store(std::move(s)) {}
  template <class U>
  BlockAllocator(const BlockAllocator<U, Store>& other) : store(other.store) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t n) {
    static_assert(sizeof(T) <= Store::kBlockBytes && alignof(T) <= alignof(std::max_align_t));
    assert(n == 1);
    (void)n;
    return static_cast<T*>(store->take_block());
  }
  void deallocate(T* p, std::size_t) { store->give_back_block(p); }
  template <class U>
  bool operator==(const BlockAllocator<U, Store>& other) const {
    return store == other.store;
  }
};

}  // namespace

ResultPool::ResultPool() : store_(std::make_shared<Store>()) {}

std::shared_ptr<FrameResult> ResultPool::take() {
  return {store_->take_result().release(), [store = store_](FrameResult* r) { store->give_back(r); },
          BlockAllocator<FrameResult, Store>(store_)};
}

}  // namespace posecam
