#include "elements/meta/result_meta.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

#include <gst/video/video.h>

namespace posecam::gst {
namespace {

GST_DEBUG_CATEGORY_STATIC(debug_category);

GstNeuronResultMeta* cast(GstMeta* meta) { return reinterpret_cast<GstNeuronResultMeta*>(meta); }

gboolean init(GstMeta* meta, gpointer, GstBuffer*) {
  std::construct_at(&cast(meta)->result);
  return TRUE;
}

void free_meta(GstMeta* meta, GstBuffer*) { std::destroy_at(&cast(meta)->result); }

double display_aspect(const GstVideoInfo& info) {
  return static_cast<double>(info.width) * info.par_n / (static_cast<double>(info.height) * info.par_d);
}

/// Where the display aspect changes, the scaler has either stretched the picture, and fractions of it are still right,
/// or put borders around it (videoscale's default). GStreamer tells a meta which sizes there were, not which of the
/// two.
void warn_of_borders(const GstVideoMetaTransform& scale) {
  static std::atomic<bool> warned = false;
  const GstVideoInfo& in = *scale.in_info;
  const GstVideoInfo& out = *scale.out_info;
  const double change = std::abs(display_aspect(out) / display_aspect(in) - 1);
  if (change * std::max(out.width, out.height) < 2 || warned.exchange(true)) return;  // sizes are whole pixels
  GST_CAT_WARNING(
      debug_category,
      "results on %dx%d (pixel aspect %d/%d) were scaled to %dx%d (%d/%d): they are right if the picture was "
      "stretched and wrong if borders were added; scale before neuroninfer, or set add-borders=false",
      in.width, in.height, in.par_n, in.par_d, out.width, out.height, out.par_n, out.par_d);
}

/// A copy of some bytes (GstMetaTransformCopy::region) keeps the result, as it keeps regions of interest: the bytes of
/// a buffer say nothing of the part of the picture. A frame without its padding or one slice of an encoded picture
/// still shows, or belongs to, the frame that was analysed.
gboolean transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark type, gpointer data) {
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE(type)) {
    warn_of_borders(*static_cast<const GstVideoMetaTransform*>(data));
  } else if (!GST_META_TRANSFORM_IS_COPY(type)) {
    return FALSE;
  }
  if (!get_result(to)) add_result(to, cast(meta)->result);
  return TRUE;
}

const GstMetaInfo* meta_info() {
  static const GstMetaInfo* info = [] {
    GST_DEBUG_CATEGORY_INIT(debug_category, "neuronmeta", 0, "results on buffers");
    return gst_meta_register(gst_neuron_result_meta_api_get_type(), "GstNeuronResultMeta", sizeof(GstNeuronResultMeta),
                             init, free_meta, transform);
  }();
  return info;
}

}  // namespace

void add_result(GstBuffer* buffer, std::shared_ptr<const FrameResult> result) {
  GstMeta* meta = gst_buffer_get_meta(buffer, gst_neuron_result_meta_api_get_type());
  if (!meta) meta = gst_buffer_add_meta(buffer, meta_info(), nullptr);
  if (meta) cast(meta)->result = std::move(result);
}

std::shared_ptr<const FrameResult> get_result(GstBuffer* buffer) {
  GstMeta* meta = gst_buffer_get_meta(buffer, gst_neuron_result_meta_api_get_type());
  return meta ? cast(meta)->result : nullptr;
}

}  // namespace posecam::gst

GType gst_neuron_result_meta_api_get_type() {
  static const GType type = [] {
    static const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                                  GST_META_TAG_VIDEO_SIZE_STR, nullptr};
    return gst_meta_api_type_register("GstNeuronResultMetaAPI", tags);
  }();
  return type;
}
