#include "elements/meta/neuronmeta.h"

#include <algorithm>
#include <vector>

#include "elements/meta/result_meta.h"

namespace {

using posecam::Box;
using posecam::FrameResult;
using posecam::ModelSpec;
using posecam::Skeleton;

const FrameResult& result_of(const GstNeuronResultMeta* meta) {
  static const FrameResult none{.status = posecam::FrameStatus::kUnanalysed};
  return meta && meta->result ? *meta->result : none;
}

const ModelSpec* model_of(const GstNeuronResultMeta* meta) { return result_of(meta).model.get(); }

const Skeleton* skeleton_of(const GstNeuronResultMeta* meta) {
  const ModelSpec* model = model_of(meta);
  return model ? model->skeleton.get() : nullptr;
}

template <class Range>
auto* element(Range& range, guint number) {
  return number < range.size() ? &range[number] : nullptr;
}

const posecam::Pose* person_of(const GstNeuronResultMeta* meta, guint person) {
  return element(result_of(meta).poses, person);
}

const posecam::Detection* object_of(const GstNeuronResultMeta* meta, guint object) {
  return element(result_of(meta).detections, object);
}

const posecam::Classification* class_of(const GstNeuronResultMeta* meta, guint number) {
  return element(result_of(meta).classes, number);
}

/// All of a std::string of the ModelSpec, so it ends with a NUL.
const gchar* text_of(std::string_view label) { return label.empty() ? nullptr : label.data(); }

template <class T, class U>
void give(T* out, U value) {
  if (out) *out = value;
}

gboolean give_box(const Box& box, gfloat* x, gfloat* y, gfloat* width, gfloat* height) {
  give(x, box.x);
  give(y, box.y);
  give(width, box.width);
  give(height, box.height);
  return TRUE;
}

template <class Found>
gboolean give_id(const Found* found, gint64* id) {
  if (!found || !found->id) return FALSE;
  give(id, *found->id);
  return TRUE;
}

}  // namespace

GstNeuronResultMeta* gst_buffer_get_neuron_result_meta(GstBuffer* buffer) {
  auto* meta =
      reinterpret_cast<GstNeuronResultMeta*>(gst_buffer_get_meta(buffer, gst_neuron_result_meta_api_get_type()));
  return meta && meta->result ? meta : nullptr;
}

GstNeuronStatus gst_neuron_result_meta_get_status(const GstNeuronResultMeta* meta) {
  switch (result_of(meta).status) {
    case posecam::FrameStatus::kAnalysed: return GST_NEURON_STATUS_ANALYSED;
    case posecam::FrameStatus::kSkipped: return GST_NEURON_STATUS_SKIPPED;
    case posecam::FrameStatus::kUnanalysed: break;
  }
  return GST_NEURON_STATUS_UNANALYSED;
}

const gchar* gst_neuron_result_meta_get_model_name(const GstNeuronResultMeta* meta) {
  const ModelSpec* model = model_of(meta);
  return model ? model->name.c_str() : nullptr;
}

const gchar* gst_neuron_result_meta_get_detector_name(const GstNeuronResultMeta* meta) {
  const auto detector = result_of(meta).model_for(posecam::Task::kDetection);
  return detector ? detector->name.c_str() : nullptr;
}

const gchar* gst_neuron_result_meta_get_classifier_name(const GstNeuronResultMeta* meta) {
  const auto classifier = result_of(meta).model_for(posecam::Task::kClassification);
  return classifier ? classifier->name.c_str() : nullptr;
}

const gchar* gst_neuron_result_meta_get_keypoint_format(const GstNeuronResultMeta* meta) {
  const Skeleton* skeleton = skeleton_of(meta);
  return skeleton ? skeleton->tag.c_str() : nullptr;
}

guint gst_neuron_result_meta_get_n_keypoints(const GstNeuronResultMeta* meta) {
  const Skeleton* skeleton = skeleton_of(meta);
  return skeleton ? static_cast<guint>(skeleton->parts.size()) : 0;
}

const gchar* gst_neuron_result_meta_get_keypoint_name(const GstNeuronResultMeta* meta, guint keypoint) {
  const Skeleton* skeleton = skeleton_of(meta);
  return skeleton && keypoint < skeleton->parts.size() ? skeleton->parts[keypoint].c_str() : nullptr;
}

guint gst_neuron_result_meta_get_n_limbs(const GstNeuronResultMeta* meta) {
  const Skeleton* skeleton = skeleton_of(meta);
  return skeleton ? static_cast<guint>(std::ranges::count(skeleton->limbs, true, &posecam::Limb::drawn)) : 0;
}

gboolean gst_neuron_result_meta_get_limb(const GstNeuronResultMeta* meta, guint limb, guint* from_keypoint,
                                         guint* to_keypoint) {
  const Skeleton* skeleton = skeleton_of(meta);
  if (!skeleton) return FALSE;
  for (const posecam::Limb& candidate : skeleton->limbs) {
    if (!candidate.drawn || limb-- != 0) continue;
    give(from_keypoint, candidate.from);
    give(to_keypoint, candidate.to);
    return TRUE;
  }
  return FALSE;
}

guint gst_neuron_result_meta_get_n_people(const GstNeuronResultMeta* meta) {
  return static_cast<guint>(result_of(meta).poses.size());
}

gboolean gst_neuron_result_meta_get_keypoint(const GstNeuronResultMeta* meta, guint person, guint keypoint, gfloat* x,
                                             gfloat* y, gfloat* score) {
  const auto* pose = person_of(meta, person);
  const auto* found = pose ? element(pose->keypoints, keypoint) : nullptr;
  if (!found || !*found) return FALSE;
  give(x, (*found)->x);
  give(y, (*found)->y);
  give(score, (*found)->score);
  return TRUE;
}

gfloat gst_neuron_result_meta_get_person_score(const GstNeuronResultMeta* meta, guint person) {
  const auto* pose = person_of(meta, person);
  return pose ? pose->score : 0;
}

gboolean gst_neuron_result_meta_get_person_id(const GstNeuronResultMeta* meta, guint person, gint64* id) {
  return give_id(person_of(meta, person), id);
}

gboolean gst_neuron_result_meta_get_person_box(const GstNeuronResultMeta* meta, guint person, gfloat* x, gfloat* y,
                                               gfloat* width, gfloat* height) {
  const auto* pose = person_of(meta, person);
  return pose ? give_box(pose->box(), x, y, width, height) : FALSE;
}

guint gst_neuron_result_meta_get_n_objects(const GstNeuronResultMeta* meta) {
  return static_cast<guint>(result_of(meta).detections.size());
}

const gchar* gst_neuron_result_meta_get_object_label(const GstNeuronResultMeta* meta, guint object) {
  const auto* detection = object_of(meta, object);
  return detection ? text_of(result_of(meta).label_of(*detection)) : nullptr;
}

gfloat gst_neuron_result_meta_get_object_score(const GstNeuronResultMeta* meta, guint object) {
  const auto* detection = object_of(meta, object);
  return detection ? detection->score : 0;
}

gboolean gst_neuron_result_meta_get_object_id(const GstNeuronResultMeta* meta, guint object, gint64* id) {
  return give_id(object_of(meta, object), id);
}

gboolean gst_neuron_result_meta_get_object_box(const GstNeuronResultMeta* meta, guint object, gfloat* x, gfloat* y,
                                               gfloat* width, gfloat* height) {
  const auto* detection = object_of(meta, object);
  return detection ? give_box(detection->box, x, y, width, height) : FALSE;
}

guint gst_neuron_result_meta_get_n_classes(const GstNeuronResultMeta* meta) {
  return static_cast<guint>(result_of(meta).classes.size());
}

const gchar* gst_neuron_result_meta_get_class_label(const GstNeuronResultMeta* meta, guint number) {
  const auto* found = class_of(meta, number);
  return found ? text_of(result_of(meta).label_of(*found)) : nullptr;
}

gfloat gst_neuron_result_meta_get_class_score(const GstNeuronResultMeta* meta, guint number) {
  const auto* found = class_of(meta, number);
  return found ? found->score : 0;
}
