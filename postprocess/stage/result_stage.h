#pragma once
// What depends on the frames before: identities, smoothing, motion. A stage works on the results of one stream, in
// their order, before anybody else sees them.

#include <cstdint>
#include <optional>

#include "models/core/geometry.h"
#include "models/spec/frame_result.h"

namespace posecam {

/// What a stage knows of a frame beside its result.
struct StageFrame {
  std::optional<std::int64_t> time_ns;  ///< stream time: 0 at the start of the clip; absent where a stream has no times
  Size size;                            ///< of the picture, in pixels
};

/// One for each stream; one thread at a time. To be called for every frame, so it allocates nothing once warm. It may
/// throw what libraries throw: the stream then ends with an error.
class ResultStage {
 public:
  virtual ~ResultStage() = default;
  /// The next frame of the stream, whatever its status: skipped and unanalysed ones come too. `result` is not published
  /// yet and may be changed; its model, and what an earlier element saw, are there already.
  virtual void process(const StageFrame& frame, FrameResult& result) = 0;
  /// The next frame does not continue those before: a seek, lost data, another size or another stream.
  virtual void reset() = 0;
};

}  // namespace posecam
