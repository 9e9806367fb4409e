#pragma once
// A clip that starts again where it ends, for measurements that take longer.

#include <gst/gst.h>

namespace posecam {

inline constexpr const char* kClipEnded = "clip-ended";  ///< name of the message's structure

/// From now on the ends of what this uridecodebin decodes go no further; instead the bus gets an element message
/// kClipEnded, and whoever handles it calls restart_clip(). Only an end behind which no frame came goes its way: such a
/// clip would end for ever. After the handlers that link its pads, before it plays.
void catch_clip_end(GstElement* source);

/// Opens the clip anew. On the thread of the main loop.
void restart_clip(GstElement* source);

}  // namespace posecam
