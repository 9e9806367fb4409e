#pragma once
// What other elements marked on a frame, as regions to be analysed.

#include <string>
#include <vector>

#include <gst/gst.h>

#include "models/core/geometry.h"
#include "postprocess/draw/regions.h"

namespace posecam::gst {

/// The regions about the buffer's GstVideoRegionOfInterestMetas of that class (roi_type); an empty class: all of them.
/// Ids of metas (0 and below: none) become those of the regions. Regions without pixels in the image are left out. They
/// take the place of what is in `regions`.
void regions_of_interest(GstBuffer* buffer, const std::string& object_class, Size image, std::vector<Region>& regions);

}  // namespace posecam::gst
