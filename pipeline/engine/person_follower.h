#pragma once
// One stream through a network that looks at one person: where it looks in a frame follows from the frame before.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "models/core/geometry.h"
#include "models/core/result.h"
#include "models/spec/model_spec.h"
#include "pipeline/engine/engine.h"
#include "postprocess/draw/regions.h"

namespace posecam {

/// Rows are committed with it as their client. It hands their results on to `frame` with places in the whole picture. A
/// frame is under way alone, since the next one cannot be cut out before; so what is found depends on nothing but the
/// frames. next() and start() belong to the streaming thread.
class PersonFollower final : public RowClient {
 public:
  explicit PersonFollower(std::shared_ptr<RowClient> frame) : frame_(std::move(frame)) {}

  /// Waits until the frame before is done. The region about the person to be looked at; none: the whole picture, at
  /// first and after the person was lost. kCancelled when stopped.
  Result<std::optional<Region>> next(const ModelSpec& model, Size image, float pixel_aspect, std::stop_token stop);
  /// The row of that region is about to be committed.
  void start();
  /// What comes has nothing to do with what was.
  void forget();

  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override;

 private:
  const std::shared_ptr<RowClient> frame_;
  std::mutex mutex_;  // never held while calling out
  std::condition_variable_any done_;
  bool under_way_ = false;
  std::uint64_t forgotten_ = 0;  ///< how often
  std::uint64_t begun_ = 0;      ///< `forgotten_` when the frame under way began
  std::optional<Box> person_;    ///< where to look, without what crop_factor adds

  // Of the frame under way, written before it is committed.
  std::optional<Region> region_;
  Size image_;
  float pixel_aspect_ = 1;
};

}  // namespace posecam
