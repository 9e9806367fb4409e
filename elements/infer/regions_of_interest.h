#pragma once
// What other elements marked on a frame, as regions to be analysed.

#include <string>
#include <vector>

#include <gst/gst.h>

#include "models/core/geometry.h"
#include "models/spec/model_spec.h"
#include "postprocess/draw/regions.h"

namespace posecam::gst {

/// The regions that `model` is to see of the buffer's GstVideoRegionOfInterestMetas of that class (roi_type; empty: all
/// of them). Ids of metas (0 and below: none) become those of the regions, `confidence` of their parameter `detection`,
/// where they have one, the score. Regions without pixels in the image are left out. They take the place of what is in
/// `regions`. `pixel_aspect` as in ImageView.
void regions_of_interest(GstBuffer* buffer, const std::string& object_class, const ModelSpec& model, Size image,
                         float pixel_aspect, std::vector<Region>& regions);

}  // namespace posecam::gst
