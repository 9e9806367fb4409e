// Regions of interest beside our own meta (elements/meta/result_meta.h).

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include <gst/video/gstvideometa.h>

#include "elements/meta/result_meta.h"

namespace posecam::gst {
namespace {

constexpr const char* kPerson = "person";
/// Least share of a person's keypoint box inside an object's for the two to be related.
constexpr float kLeastInside = 0.5F;

struct Roi {
  const char* type;
  Box box;
  gint id;
  gint parent;  ///< 0: none, as GStreamer has it
  double score;
};

/// The tracker's id, else a negative number of its own: gst_buffer_get_video_region_of_interest_meta_id() finds it, no
/// tracker gives it, and 0 is what other elements leave there.
gint region_id(const std::optional<std::int64_t>& id, std::size_t number) {
  return id && *id > 0 ? static_cast<gint>(*id) : -1 - static_cast<gint>(number);
}

/// Of the labels of a ModelSpec, which end with a NUL.
const char* type_of(const FrameResult& result, const Detection& object) {
  const std::string_view label = result.label_of(object);
  return label.empty() ? "object" : label.data();
}

/// Share of an interval, of keypoints, inside another. One of no length (a single keypoint) is in or out.
float share_inside(float start, float length, float other, float other_length) {
  const float common = std::min(start + length, other + other_length) - std::max(start, other);
  return length > 0 ? std::max(common, 0.0F) / length : static_cast<float>(common >= 0);
}

/// How well a person fits an object, for comparisons; negative if they have nothing to do with each other.
float fit(const Box& person, const Box& object) {
  const float inside = share_inside(person.x, person.width, object.x, object.width) *
                       share_inside(person.y, person.height, object.y, object.height);
  return inside < kLeastInside ? -1 : iou(person, object);
}

/// Index of the element that `fit_of` likes best, if any fits.
template <class Range, class Fit>
std::optional<std::size_t> best_fit(const Range& range, Fit&& fit_of) {
  std::optional<std::size_t> best;
  float best_value = -1;
  for (std::size_t i = 0; i < range.size(); ++i) {
    const float value = fit_of(range[i]);
    if (value > best_value) {
      best = i;
      best_value = value;
    }
  }
  return best;
}

/// Empty where the detector has given the region of this person already: each is the other's best fit.
std::optional<Roi> region_of_person(const FrameResult& result, std::size_t person) {
  Roi region{kPerson, result.poses[person].box(), region_id(result.poses[person].id, result.detections.size() + person),
             0, double{result.poses[person].score}};
  const auto object = best_fit(result.detections, [&](const Detection& d) { return fit(region.box, d.box); });
  if (!object) return region;
  const Detection& found = result.detections[*object];
  if (std::strcmp(type_of(result, found), kPerson) != 0) {
    region.parent = region_id(found.id, *object);
    return region;
  }
  const auto its_person = best_fit(result.poses, [&](const Pose& p) { return fit(p.box(), found.box); });
  return its_person == person ? std::nullopt : std::optional(region);
}

/// Objects first, so that a parent comes before its children.
template <class Visit>
void for_each_region(const FrameResult& result, Visit&& visit) {
  for (std::size_t i = 0; i < result.detections.size(); ++i) {
    const Detection& object = result.detections[i];
    visit(Roi{type_of(result, object), object.box, region_id(object.id, i), 0, double{object.score}});
  }
  for (std::size_t i = 0; i < result.poses.size(); ++i) {
    if (const auto region = region_of_person(result, i)) visit(*region);
  }
}

const GstVideoRegionOfInterestMeta* as_roi(const GstMeta* meta) {
  const bool is_roi = meta->info->api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE;
  return is_roi ? reinterpret_cast<const GstVideoRegionOfInterestMeta*>(meta) : nullptr;
}

bool has_type(const GstVideoRegionOfInterestMeta& roi, const char* type) {
  return g_quark_try_string(type) == roi.roi_type;
}

/// Told by number and type: the box may have been scaled, and rounded, on the way.
gboolean remove_if_ours(GstBuffer*, GstMeta** meta, gpointer before) {
  const auto* roi = as_roi(*meta);
  if (!roi || roi->id >= 0) return TRUE;
  const auto& result = *static_cast<const FrameResult*>(before);
  const std::size_t objects = result.detections.size();
  const auto number = static_cast<std::size_t>(-1 - static_cast<gint64>(roi->id));  // see region_id()
  if (number < objects ? has_type(*roi, type_of(result, result.detections[number]))
                       : number < objects + result.poses.size() && has_type(*roi, kPerson)) {
    *meta = nullptr;
  }
  return TRUE;
}

/// Whether somebody has marked this very thing, known by its identity, already: with inference-region=roi-list people
/// have the identities of the regions in which they were found.
bool is_marked(GstBuffer* buffer, const Roi& region) {
  if (region.id < 0) return false;
  gpointer state = nullptr;
  while (const GstMeta* meta = gst_buffer_iterate_meta(buffer, &state)) {
    if (const auto* roi = as_roi(meta); roi && roi->id == region.id && has_type(*roi, region.type)) return true;
  }
  return false;
}

}  // namespace

void add_regions(GstBuffer* buffer, const FrameResult& result, int width, int height) {
  if (const auto before = get_result(buffer)) {
    gst_buffer_foreach_meta(buffer, remove_if_ours, const_cast<FrameResult*>(before.get()));
  }
  const auto pixel = [](float v, int size) {
    return static_cast<guint>(std::lround(std::clamp(v, 0.0F, 1.0F) * static_cast<float>(size)));
  };
  for_each_region(result, [&](const Roi& region) {
    if (is_marked(buffer, region)) return;
    const Box& box = region.box;
    const guint x = pixel(box.x, width);
    const guint y = pixel(box.y, height);
    auto* roi = gst_buffer_add_video_region_of_interest_meta(
        buffer, region.type, x, y, pixel(box.x + box.width, width) - x, pixel(box.y + box.height, height) - y);
    roi->id = region.id;
    roi->parent_id = region.parent;
    gst_video_region_of_interest_meta_add_param(
        roi, gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, region.score, nullptr));
  });
}

}  // namespace posecam::gst
