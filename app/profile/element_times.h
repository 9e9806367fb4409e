#pragma once
// The time of GStreamer's own elements: decoding, converting, drawing, encoding, writing.

namespace posecam {

/// From now on, for the life of the process, the StageLog (while it is on) gets a span for each buffer that an element
/// takes on a streaming thread: from its push into the element until the element comes back. What it pushed on into
/// elements of other stages meanwhile has spans within that one, and is no time of its own. Threads of an element's own
/// (of decoders and encoders) are not seen; whoever waits for them is. After gst_init(), before pipelines play; a
/// second call does nothing.
void log_element_times();

}  // namespace posecam
