#pragma once
// Recycles FrameResults, so that publishing one as a shared_ptr allocates nothing in steady state.

#include <memory>

#include "models/spec/frame_result.h"

namespace posecam {

/// Thread-safe. Results may outlive the pool: its storage lives as long as the last of them.
class ResultPool {
 public:
  ResultPool();
  /// A result with empty lists (their capacity kept from an earlier life), status kAnalysed, times zero.
  /// It returns to the pool when the last owner lets go.
  std::shared_ptr<FrameResult> take();

 private:
  class Store;
  std::shared_ptr<Store> store_;
};

}  // namespace posecam
