#pragma once
// Errors that GStreamer loses. decodebin keeps to itself what an element reports while it is started, and forgets it
// if the start succeeds (gstdecodebin2.c, connect_pad: remove_error_filter() without a place for the message); the
// thread of a demuxer of a file runs from that moment on, and may have failed by then. Nothing comes of such an input
// any more, and nobody says so.

#include <chrono>

#include <gst/gst.h>

namespace posecam {

/// Between two looks, until the first frame has come.
inline constexpr std::chrono::milliseconds kLostErrorPeriod{1000};

/// Has an element in `source`, however deep, report an error of its own if it ended its thread before it had anything
/// to give: a demuxer without an output whose reading has stopped. Does nothing otherwise. Any thread.
void report_lost_error(GstElement* source);

}  // namespace posecam
