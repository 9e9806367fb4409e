#pragma once
// Results made by hand, and buffers to put them on.

#include <memory>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "elements/meta/result_meta.h"
#include "models/spec/frame_result.h"

namespace posecam::test {

struct BufferUnref {
  void operator()(GstBuffer* b) const noexcept { gst_buffer_unref(b); }
};
using TestBuffer = std::unique_ptr<GstBuffer, BufferUnref>;

inline TestBuffer new_buffer(gsize bytes = 16) { return TestBuffer(gst_buffer_new_allocate(nullptr, bytes, nullptr)); }

inline std::shared_ptr<const ModelSpec> pose_model(const Skeleton& skeleton) {
  auto model = std::make_shared<ModelSpec>();
  model->name = "poser";
  model->task = Task::kPose;
  model->skeleton = find_skeleton(skeleton.name);
  return model;
}

inline std::shared_ptr<const ModelSpec> detector_model(std::vector<std::string> labels) {
  auto model = std::make_shared<ModelSpec>();
  model->name = "detector";
  model->task = Task::kDetection;
  model->labels = std::move(labels);
  return model;
}

/// A person whose first two keypoints span the box.
inline Pose person_in(const Box& box, float score = 0.5F) {
  Pose pose;
  pose.score = score;
  pose.keypoints[0] = Keypoint{box.x, box.y, 0.25F};
  pose.keypoints[1] = Keypoint{box.x + box.width, box.y + box.height, 0.75F};
  return pose;
}

struct Roi {
  std::string type;
  int id = 0;
  int parent = 0;
  guint x = 0;
  guint y = 0;
  guint w = 0;
  guint h = 0;
  friend bool operator==(const Roi&, const Roi&) = default;
};

inline std::vector<Roi> rois_of(GstBuffer* buffer) {
  std::vector<Roi> all;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto& r = *reinterpret_cast<const GstVideoRegionOfInterestMeta*>(meta);
    all.push_back({g_quark_to_string(r.roi_type), r.id, r.parent_id, r.x, r.y, r.w, r.h});
  }
  return all;
}

}  // namespace posecam::test
