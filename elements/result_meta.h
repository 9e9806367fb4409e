#pragma once
// The result of a frame, riding on its buffer. Coordinates are normalised, so scaling leaves them right, unless it adds
// borders, which are not accounted for; elements that crop or rotate drop the meta rather than carry it wrong.

#include <memory>

#include <gst/gst.h>

#include "models/frame_result.h"

namespace posecam::gst {

struct ResultMeta {
  GstMeta meta;
  std::shared_ptr<const FrameResult> result;
};

/// API type "GstNeuronResultMetaAPI", tags video, orientation, size.
GType result_meta_api();

/// `buffer` must be writable. The meta shares ownership of `result`.
void add_result(GstBuffer* buffer, std::shared_ptr<const FrameResult> result);

/// Null when no element has analysed this buffer.
std::shared_ptr<const FrameResult> get_result(GstBuffer* buffer);

/// Beside our meta, for elements that know only GStreamer's own: a region of interest for each person ("person") and
/// object (its label), in pixels.
void add_regions(GstBuffer* buffer, const FrameResult& result, int width, int height);

}  // namespace posecam::gst
