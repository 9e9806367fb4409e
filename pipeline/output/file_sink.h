#pragma once
// The results of a stream as files.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "models/core/result.h"
#include "pipeline/output/result_sink.h"

namespace posecam {

/// What is written, and where to.
enum class ResultFormat : std::uint8_t {
  kNdjson,    ///< file, "-" or device: one line a frame (postprocess/schema/ndjson-frame.schema.json), written at once
  kOpenpose,  ///< folder, made if missing: one OpenPose 1.3 document for each frame that was analysed
  kCoco,      ///< file or "-": one array of COCO results, of keypoints or of boxes
  kMotion,    ///< file or "-": the keypoint list of motion-analysis services, one person a clip; written in close()
};

/// Opens the output: kOutput if it cannot be written, kUsage for a location that the format cannot use. `stop` ends a
/// wait for the reader of a pipe: write() is kCancelled then.
///
/// The sink's errors are kOutput or kNoSpace. It drops nothing. kNdjson allocates nothing once warm. Files get their
/// names in close(), those of kOpenpose in each write(); a sink that is destroyed without close(), or that failed,
/// leaves "<file>.part" (kOpenpose: nothing) and never a final name with half of a file.
Result<std::unique_ptr<ResultSink>> make_file_sink(ResultFormat format, std::string location,
                                                   std::stop_token stop = {});
/// The same on ResultFile::on(fd, name). kUsage for kOpenpose, which takes a folder.
Result<std::unique_ptr<ResultSink>> make_file_sink(ResultFormat format, int fd, std::string name);

}  // namespace posecam
