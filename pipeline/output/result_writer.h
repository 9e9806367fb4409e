#pragma once
// The results of a stream as a file: one interface over the formats, used by the element and by the evaluation.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "models/core/result.h"
#include "models/spec/frame_result.h"
#include "postprocess/documents/frame_info.h"

namespace posecam {

enum class ResultFormat : std::uint8_t {
  kNdjson,    ///< file, "-" or device: one line a frame (postprocess/schema/ndjson-frame.schema.json), written at once
  kOpenpose,  ///< folder, made if missing: one OpenPose 1.3 document a frame
  kCoco,      ///< file or "-": one array of COCO keypoint results
  kMotion,    ///< file or "-": the keypoint list of motion-analysis services, one person a clip; written in close()
};

/// One per output; one thread at a time. Frames of one stream come in their order.
///
/// Errors are kOutput or kNoSpace, and sticky: after the first, write() and close() return the same error and do
/// nothing, so the caller may stop at once or report what close() returns. Files get their names in close(), those of
/// kOpenpose in each write(); a writer that is destroyed without close(), or that failed, leaves "<file>.part"
/// (kOpenpose: nothing) and never a final name with half of a file.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  /// `result.model` must not be null. kNdjson allocates nothing once warm.
  virtual Result<void> write(const FrameInfo& info, const FrameResult& result) = 0;
  /// Completes the output. A second call returns the outcome of the first.
  virtual Result<void> close() = 0;
};

/// Opens the output: kOutput if it cannot be written, kUsage for a location that the format cannot use. `stop` ends a
/// wait for the reader of a pipe: write() is kCancelled then.
Result<std::unique_ptr<ResultWriter>> make_result_writer(ResultFormat format, std::string location,
                                                         std::stop_token stop = {});

}  // namespace posecam
