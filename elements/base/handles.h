#pragma once
// Owners of GStreamer's reference-counted things, and views of its frames.

#include <cstdint>
#include <memory>
#include <optional>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "models/core/geometry.h"
#include "models/core/image.h"
#include "models/core/result.h"

namespace posecam::gst {

/// Gives back one reference.
struct MiniObjectUnref {
  void operator()(GstBuffer* b) const noexcept { gst_buffer_unref(b); }
  void operator()(GstEvent* e) const noexcept { gst_event_unref(e); }
};
using BufferPtr = std::unique_ptr<GstBuffer, MiniObjectUnref>;  ///< one reference on a buffer
using EventPtr = std::unique_ptr<GstEvent, MiniObjectUnref>;    ///< one reference on an event

/// Whether every row of every plane lies in the memory that was mapped for it. GStreamer itself checks buffers without
/// a GstVideoMeta only: what a meta says of strides and offsets is believed.
bool rows_in_memory(const GstVideoFrame& frame);

/// What a MappedFrame that is false means for the stream: kMedia.
Error unusable_frame();

/// A mapped video frame; unmapped on destruction. False if the memory cannot be mapped, or is smaller than its
/// GstVideoMeta says, or if the picture does not lie in it. Not movable: GstVideoFrame points into itself.
class MappedFrame {
 public:
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags);
  ~MappedFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  explicit operator bool() const { return usable_; }
  /// The picture, valid while this lives: as large as the caps say, from where a GstVideoCropMeta says. The frame
  /// that a GstVideoMeta describes may be larger, by a decoder's padding.
  MutableImageView view();

 private:
  GstVideoFrame frame_{};
  Size size_;           ///< of the picture
  float pixel_aspect_;  ///< of the caps
  int x_ = 0;           ///< where it begins in the frame, even
  int y_ = 0;
  bool mapped_;
  bool usable_;
};

/// 0 at the start of the clip, whatever the container adds; nothing where the stream or the buffer has no times.
std::optional<std::int64_t> stream_time_ns(const GstSegment& segment, const GstBuffer* buffer);

/// Of pixels of these caps, as in ImageView; 1 where they say nothing of use.
float pixel_aspect(const GstVideoInfo& info);

/// The formats every element of this plugin takes, as in its pad templates.
#define POSECAM_VIDEO_CAPS GST_VIDEO_CAPS_MAKE("{ NV12, I420, BGR, RGB, BGRx, RGBx, BGRA, RGBA }")

/// Adds to an ALLOCATION query, answered or refused downstream, that `held` frames are kept for a while. Which metas
/// buffers may carry is for downstream to say, which gets them as they are: one that cannot read odd strides must not
/// be given them.
void ask_for_buffers(GstQuery* allocation, std::size_t held);

/// Takes GstVideoCropMeta from the metas that an answered ALLOCATION query allows: sinks that crop by themselves would
/// have videocrop hand on whole frames, in which regions of interest have another origin than in the cropped picture.
void refuse_crop_meta(GstQuery* allocation);

/// Nothing for formats outside POSECAM_VIDEO_CAPS.
std::optional<PixelFormat> pixel_format(GstVideoFormat format);

}  // namespace posecam::gst
