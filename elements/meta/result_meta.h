#pragma once
// The result of a frame, riding on its buffer: the C++ side of elements/meta/neuronmeta.h, for the plugin that comes
// with the library. Coordinates are normalised, so scaling leaves them right, unless it adds borders, of which a
// GstMeta is not told; elements that crop or rotate drop the meta rather than carry it wrong (docs/elements.md has the
// table).

#include <memory>

#include <gst/gst.h>

#include "elements/meta/neuronmeta.h"
#include "models/spec/frame_result.h"

/// Null `result`: a meta that was added through its GstMetaInfo alone. It reads as no result.
struct GstNeuronResultMeta {
  GstMeta meta;  ///< first, as GStreamer wants it
  std::shared_ptr<const posecam::FrameResult> result;
};

// These are exported to the plugin of the same version only; see elements/meta/neuronmeta.map.in.
#pragma GCC visibility push(default)

namespace posecam::gst {

/// Puts `result` on a buffer, in place of the one that it has. `buffer` must be writable. The meta shares ownership.
void add_result(GstBuffer* buffer, std::shared_ptr<const FrameResult> result);

/// Null when no element has analysed this buffer.
std::shared_ptr<const FrameResult> get_result(GstBuffer* buffer);

/// Beside our meta, for elements that know only GStreamer's own: a region of interest in pixels for each person
/// ("person") and object (its label, "object" where it has none). To be called before add_result(): the regions of the
/// result that the buffer still carries are replaced, those of other elements are left alone.
///
/// The id of a region is the tracker's, or else negative and unique in the frame. Nobody is marked twice: a person in a
/// "person" that a detector saw, or with the identity of one that is marked, has no region more. A person in an object
/// of another name has that object as parent.
void add_regions(GstBuffer* buffer, const FrameResult& result, int width, int height);

}  // namespace posecam::gst

#pragma GCC visibility pop
