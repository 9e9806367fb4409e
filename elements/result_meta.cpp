#include "elements/result_meta.h"

#include <algorithm>
#include <memory>
#include <string>

#include <gst/video/gstvideometa.h>

namespace posecam::gst {
namespace {

gboolean init(GstMeta* meta, gpointer, GstBuffer*) {
  std::construct_at(&reinterpret_cast<ResultMeta*>(meta)->result);
  return TRUE;
}

void free_meta(GstMeta* meta, GstBuffer*) { std::destroy_at(&reinterpret_cast<ResultMeta*>(meta)->result); }

gboolean transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark type, gpointer data) {
  const bool copy = GST_META_TRANSFORM_IS_COPY(type) && !static_cast<GstMetaTransformCopy*>(data)->region;
  if (!copy && !GST_VIDEO_META_TRANSFORM_IS_SCALE(type)) return FALSE;
  if (get_result(to) == nullptr) add_result(to, reinterpret_cast<ResultMeta*>(meta)->result);
  return TRUE;
}

const GstMetaInfo* meta_info() {
  static const GstMetaInfo* info =
      gst_meta_register(result_meta_api(), "GstNeuronResultMeta", sizeof(ResultMeta), init, free_meta, transform);
  return info;
}

void add_region(GstBuffer* buffer, const char* type, const Box& box, int width, int height,
                std::optional<std::int64_t> id) {
  const auto clip = [](float v, int size) {
    return static_cast<guint>(std::clamp(v, 0.0F, 1.0F) * static_cast<float>(size));
  };
  const guint x = clip(box.x, width);
  const guint y = clip(box.y, height);
  auto* roi = gst_buffer_add_video_region_of_interest_meta(buffer, type, x, y, clip(box.x + box.width, width) - x,
                                                           clip(box.y + box.height, height) - y);
  if (id) roi->id = static_cast<gint>(*id);
}

}  // namespace

GType result_meta_api() {
  static const GType type = [] {
    static const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                                  GST_META_TAG_VIDEO_SIZE_STR, nullptr};
    return gst_meta_api_type_register("GstNeuronResultMetaAPI", tags);
  }();
  return type;
}

void add_result(GstBuffer* buffer, std::shared_ptr<const FrameResult> result) {
  auto* meta = reinterpret_cast<ResultMeta*>(gst_buffer_get_meta(buffer, result_meta_api()));
  if (!meta) meta = reinterpret_cast<ResultMeta*>(gst_buffer_add_meta(buffer, meta_info(), nullptr));
  if (meta) meta->result = std::move(result);
}

std::shared_ptr<const FrameResult> get_result(GstBuffer* buffer) {
  auto* meta = reinterpret_cast<ResultMeta*>(gst_buffer_get_meta(buffer, result_meta_api()));
  return meta ? meta->result : nullptr;
}

void add_regions(GstBuffer* buffer, const FrameResult& result, int width, int height) {
  for (const Pose& pose : result.poses) add_region(buffer, "person", pose.box(), width, height, pose.id);
  for (const Detection& d : result.detections) {
    const std::string label(result.label_of(d));
    add_region(buffer, label.empty() ? "object" : label.c_str(), d.box, width, height, d.id);
  }
}

}  // namespace posecam::gst
