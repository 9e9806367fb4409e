#pragma once
// Pictures as a stream of BGR frames, decoded as they are asked for. Whoever handles the bus is told of trouble with
// them by element messages whose structure has a "text" for people.

#include <filesystem>
#include <vector>

#include <gst/gst.h>

namespace posecam {

/// Frame rate that the frames of a folder get, as in OpenPose: for the annotated video.
inline constexpr int kImageRate = 30;

inline constexpr const char* kPictureFailed = "picture-failed";    ///< name of a structure: an input is damaged
inline constexpr const char* kPictureWarning = "picture-warning";  ///< of another: something is left out

/// A new appsrc that pushes the pictures one after the other and then EOS, or `repeats` them for ever; nullptr if
/// GStreamer has no appsrc. The offset of each buffer is the place of its picture in `images`, whatever becomes of the
/// others on their way.
///
/// One that cannot be decoded is a black frame marked corrupted, of the size of the picture before it or, at the
/// beginning, of the first that can be decoded; if none can, there is no frame at all. Each is a kPictureFailed.
GstElement* make_image_source(std::vector<std::filesystem::path> images, bool repeats);

/// The same for the frames of one picture that moves (open_moving()), with its own times. Damage ends it and is a
/// kPictureFailed; the frames before it are pushed.
GstElement* make_moving_source(std::filesystem::path image, bool repeats);

}  // namespace posecam
