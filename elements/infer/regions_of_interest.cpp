#include "elements/infer/regions_of_interest.h"

#include <gst/video/gstvideometa.h>

namespace posecam::gst {

namespace {

float score_of(const GstVideoRegionOfInterestMeta& roi) {
  double confidence = 1;
  const GstStructure* detection =
      gst_video_region_of_interest_meta_get_param(const_cast<GstVideoRegionOfInterestMeta*>(&roi), "detection");
  if (detection) gst_structure_get_double(detection, "confidence", &confidence);
  return confidence > 0 && confidence <= 1 ? static_cast<float>(confidence) : 1;  // NaN is neither
}

}  // namespace

void regions_of_interest(GstBuffer* buffer, const std::string& object_class, const ModelSpec& model, Size image,
                         float pixel_aspect, std::vector<Region>& regions) {
  regions.clear();
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto& roi = *reinterpret_cast<const GstVideoRegionOfInterestMeta*>(meta);
    const gchar* const type = g_quark_to_string(roi.roi_type);
    if (!object_class.empty() && (!type || object_class != type)) continue;
    const auto width = static_cast<float>(image.width);
    const auto height = static_cast<float>(image.height);
    const Box box{static_cast<float>(roi.x) / width, static_cast<float>(roi.y) / height,
                  static_cast<float>(roi.w) / width, static_cast<float>(roi.h) / height};
    auto region = region_for(model, box, image, pixel_aspect);
    if (!region) continue;
    region->score = score_of(roi);
    if (roi.id > 0) region->id = roi.id;
    regions.push_back(*region);
  }
}

}  // namespace posecam::gst
