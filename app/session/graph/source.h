#pragma once
// Where frames come from: a clip or stream that GStreamer opens, pictures, or the test source.

#include <string>
#include <string_view>

#include <gst/gst.h>

#include "app/session/graph/builder.h"
#include "app/session/input/inputs.h"

namespace posecam {

/// The name of the element message that says: all streams of the input are known, and none is video. Its field says
/// why, if that is known.
inline constexpr const char* kNoVideo = "no-video";
inline constexpr const char* kNoVideoWhy = "why";  ///< also data of the source (GObject), once it is known
inline constexpr const char* kNoVideoInIt = "no video in it";

/// Whether an input is what a web server has: only that may be a playlist of segments (HLS, DASH).
bool is_of_web(const Input& input);
/// From now on this process opens nothing but what web servers have, whatever playlists name: no files, no devices.
/// After gst_init(), before the first source is made. Without it playlists are refused.
void read_from_web_only();

/// Makes everything up to the decoded frame; nullptr if it could not be made. What is known before the stream is opened
/// becomes `build.last`; the pads of clips come later, see connect_source().
GstElement* add_source(Builder& build, const Input& input);

/// The frames that another process decodes (apart/source_process.h): a bin that becomes `build.last`.
/// read_frames_from() says from which descriptor, before it plays.
GstElement* add_apart_source(Builder& build);
void read_frames_from(GstElement* apart, int descriptor);

/// Opens a pipe for reading without waiting for a writer; the first read waits. -1 with errno.
int open_pipe(const std::string& path);

/// Whether all that a stream of that media type ("video/quicktime") consists of is in it. Of the types that are neither
/// pictures nor sound, those that are known to be so: others, such as playlists, scripts of libav and descriptions of
/// sessions, name files of this machine or servers that it reaches, and those who made the file would have them read.
bool is_self_contained(std::string_view type);

/// A playlist of servers: read where the address that was given is one.
bool is_adaptive(std::string_view type);

/// Of a clip or stream: its first video stream will be linked to `inlet`. Others are neither decoded nor waited for.
void connect_source(GstElement* source, GstElement* inlet);

}  // namespace posecam
