#pragma once
// Owners of GStreamer's reference-counted things, and views of its frames.

#include <memory>
#include <optional>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "models/image.h"

namespace posecam::gst {

struct MiniObjectUnref {
  void operator()(GstBuffer* b) const noexcept { gst_buffer_unref(b); }
  void operator()(GstEvent* e) const noexcept { gst_event_unref(e); }
};
using BufferPtr = std::unique_ptr<GstBuffer, MiniObjectUnref>;
using EventPtr = std::unique_ptr<GstEvent, MiniObjectUnref>;

/// Whether every row of every plane lies in the memory that was mapped for it. GStreamer itself checks buffers without
/// a GstVideoMeta only: what a meta says of strides and offsets is believed.
bool rows_in_memory(const GstVideoFrame& frame);

/// A mapped video frame; unmapped on destruction. False if the memory cannot be mapped, or is smaller than its
/// GstVideoMeta says. Not movable: GstVideoFrame points into itself.
class MappedFrame {
 public:
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags);
  ~MappedFrame() {
    if (mapped_) gst_video_frame_unmap(&frame_);
  }
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  explicit operator bool() const { return usable_; }
  GstVideoFrame* get() { return &frame_; }

 private:
  GstVideoFrame frame_{};
  bool mapped_;
  bool usable_;
};

/// The formats every element of this plugin takes, as in its pad templates.
#define POSECAM_VIDEO_CAPS GST_VIDEO_CAPS_MAKE("{ NV12, I420, BGR, RGB, BGRx, RGBx, BGRA, RGBA }")

/// Adds to an ALLOCATION query, answered or refused downstream, that `held` frames are kept for a while. Which metas
/// buffers may carry is for downstream to say, which gets them as they are: one that cannot read odd strides must not
/// be given them.
void ask_for_buffers(GstQuery* allocation, std::size_t held);

/// Nothing for formats outside POSECAM_VIDEO_CAPS.
std::optional<PixelFormat> pixel_format(GstVideoFormat format);
/// The planes of a mapped frame; valid while it is mapped.
MutableImageView view_of(GstVideoFrame* frame);

}  // namespace posecam::gst
