#pragma once
// The other side of source_process.h: what runs in the process of a decoder.

#include <gst/gst.h>
#include <gst/video/video.h>

#include "models/core/result.h"

namespace posecam {

/// The hidden command of posecam that runs it.
inline constexpr const char* kSourceHostCommand = "--decode-apart";

/// Descriptors of the process: it reads its input's fields from one, and writes frames and words to the others.
inline constexpr int kFieldsFd = 3;
inline constexpr int kFramesFd = 4;
inline constexpr int kWordsFd = 5;

/// Names of words. The others are messages of the source.
inline constexpr const char* kWordLive = "live";          ///< frames come at their own pace
inline constexpr const char* kWordDuration = "duration";  ///< "ns": uint64, of the whole input
inline constexpr const char* kWordError = "error";        ///< "domain", "text", "debug": strings; "code": int
inline constexpr const char* kWordWarning = "warning";    ///< likewise
inline constexpr const char* kWordEnd = "end";            ///< the last frame has been written

/// Flags of frames that GDP does not carry, in their offset_end: damage, and how fields are interlaced.
inline constexpr guint kCarriedFlags = guint{GST_BUFFER_FLAG_CORRUPTED} | guint{GST_VIDEO_BUFFER_FLAG_INTERLACED} |
                                       guint{GST_VIDEO_BUFFER_FLAG_TFF} | guint{GST_VIDEO_BUFFER_FLAG_RFF} |
                                       guint{GST_VIDEO_BUFFER_FLAG_ONEFIELD};

/// Decodes until the input ends, fails, or nobody reads any more; then the process is over. Returns only kUsage, where
/// the process was not started by a SourceProcess.
Error run_source_host();

}  // namespace posecam
