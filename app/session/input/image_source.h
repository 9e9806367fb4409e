#pragma once
// Still images as a stream of BGR frames of any sizes, decoded as they are asked for.

#include <filesystem>
#include <vector>

#include <gst/gst.h>

namespace posecam {

/// Frame rate that the frames of a folder get, as in OpenPose: for the annotated video.
inline constexpr int kImageRate = 30;

/// A new appsrc that pushes the images one after the other and then EOS, or `repeats` them for ever; nullptr if
/// GStreamer has no appsrc. An image that cannot be decoded is pushed as a black frame marked corrupted, so that the
/// results count on; the pipeline's bus gets an element message "image-unreadable" with its "path".
GstElement* make_image_source(std::vector<std::filesystem::path> images, bool repeats);

}  // namespace posecam
