#pragma once
// What the libraries of this process have to say: GLib, GStreamer, OpenCV, and our own log.

namespace posecam {

/// From now on their lines go where ours go, each text once among the last thousand. OpenCV's are left out: what went
/// wrong in it is an exception as well, and becomes an error of ours. GST_DEBUG and G_MESSAGES_DEBUG do what they
/// always do. Call it once, before any of them is used.
void take_library_log();

/// For --quiet: from now on libraries say nothing, and our own log errors only.
void quiet_library_log();

/// gst_init(). Plugins that are new are tried out by a process of GStreamer's, which no handler reaches: after
/// quiet_library_log() it has no standard error.
void start_gstreamer();

}  // namespace posecam
