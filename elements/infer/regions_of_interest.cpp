#include "elements/infer/regions_of_interest.h"

#include <gst/video/gstvideometa.h>

namespace posecam::gst {

void regions_of_interest(GstBuffer* buffer, const std::string& object_class, Size image, std::vector<Region>& regions) {
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
    auto region = region_about(box, image);
    if (!region) continue;
    if (roi.id > 0) region->id = roi.id;
    regions.push_back(*region);
  }
}

}  // namespace posecam::gst
