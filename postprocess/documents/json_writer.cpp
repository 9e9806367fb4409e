#include "postprocess/documents/json_writer.h"

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "postprocess/documents/json_text.h"

namespace posecam {
namespace {

constexpr int kPixelDecimals = 3;
constexpr int kScoreDecimals = 6;
constexpr int kTimeDecimals = 3;
constexpr std::string_view kVersion = "{\"version\":1.3,";  // of the OpenPose format that both kinds of document follow

std::string_view to_string(FrameStatus status) {
  switch (status) {
    case FrameStatus::kAnalysed: return "analysed";
    case FrameStatus::kSkipped: return "skipped";
    case FrameStatus::kUnanalysed: break;
  }
  return "unanalysed";
}

void append_wallclock(std::string& out, std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(time);
  const auto day = floor<days>(ms);
  const year_month_day date(day);
  const hh_mm_ss clock(ms - day);
  fmt::format_to(std::back_inserter(out), "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\"",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                 clock.hours().count(), clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

void append_bbox(std::string& out, const Box& box, Size size) {
  out += "\"bbox\":[";
  json::append_number(out, double{box.x} * size.width, kPixelDecimals);
  out += ',';
  json::append_number(out, double{box.y} * size.height, kPixelDecimals);
  out += ',';
  json::append_number(out, double{box.width} * size.width, kPixelDecimals);
  out += ',';
  json::append_number(out, double{box.height} * size.height, kPixelDecimals);
  out += ']';
}

// `shift` is added to the coordinates of a keypoint that was found.
void append_keypoint(std::string& out, const std::optional<Keypoint>& keypoint, Size size, double shift) {
  if (!keypoint) {
    out += "0,0,0";
    return;
  }
  json::append_number(out, double{keypoint->x} * size.width + shift, kPixelDecimals);
  out += ',';
  json::append_number(out, double{keypoint->y} * size.height + shift, kPixelDecimals);
  out += ',';
  json::append_number(out, double{keypoint->score}, kScoreDecimals);
}

void append_person_id(std::string& out, const Pose& pose) {
  out += "\"person_id\":[";
  json::append_integer(out, pose.id.value_or(-1));
  out += ']';
}

void append_pose_keypoints(std::string& out, const Pose& pose, const Skeleton& skeleton, Size size) {
  out += "\"pose_keypoints_2d\":[";
  for (std::size_t i = 0; i < skeleton.parts.size(); ++i) {
    if (i > 0) out += ',';
    append_keypoint(out, pose.keypoints[i], size, 0);
  }
  out += ']';
}

void append_stream(std::string& out, const FrameInfo& info) {
  out += "\"stream_id\":";
  json::append_string(out, info.stream_id);
  out += ",\"frame_id\":";
  json::append_integer(out, info.frame_id);
  if (!info.file.empty()) {
    out += ",\"file\":";
    json::append_string(out, info.file);
  }
  if (info.dropped > 0) {
    out += ",\"dropped\":";
    json::append_integer(out, info.dropped);
  }
  if (info.pts_ns) {
    out += ",\"pts_ns\":";
    json::append_integer(out, *info.pts_ns);
  }
  if (info.pts_ns && info.start_ns != 0) {
    out += ",\"start_ns\":";
    json::append_integer(out, info.start_ns);
  }
  if (info.wallclock) {
    out += ",\"wallclock\":";
    append_wallclock(out, *info.wallclock);
  }
  out += ",\"source\":{\"width\":";
  json::append_integer(out, std::int64_t{info.size.width});
  out += ",\"height\":";
  json::append_integer(out, std::int64_t{info.size.height});
  out += '}';
}

void append_times(std::string& out, const FrameTimes& times) {
  out += ",\"latency_ms\":{\"preprocess\":";
  json::append_number(out, double{times.preprocess}, kTimeDecimals);
  out += ",\"queue\":";
  json::append_number(out, double{times.queue}, kTimeDecimals);
  out += ",\"infer\":";
  json::append_number(out, double{times.infer}, kTimeDecimals);
  out += ",\"post\":";
  json::append_number(out, double{times.post}, kTimeDecimals);
  out += '}';
}

void append_people(std::string& out, const FrameInfo& info, const FrameResult& result) {
  const Skeleton* skeleton = result.model->skeleton.get();
  out += ",\"people\":[";
  for (std::size_t i = 0; skeleton && i < result.poses.size(); ++i) {
    const Pose& pose = result.poses[i];
    out += i > 0 ? ",{" : "{";
    append_person_id(out, pose);
    out += ",\"score\":";
    json::append_number(out, double{pose.score}, kScoreDecimals);
    out += ',';
    append_bbox(out, pose.box(), info.size);
    out += ',';
    append_pose_keypoints(out, pose, *skeleton, info.size);
    out += '}';
  }
  out += ']';
}

/// Nothing where there is none.
void append_model(std::string& out, std::string_view key, const std::shared_ptr<const ModelSpec>& model) {
  if (!model) return;
  out += key;
  json::append_string(out, model->name);
}

void append_label(std::string& out, std::string_view label, int label_id, float score) {
  out += "\"label\":";
  json::append_string(out, label);
  out += ",\"label_id\":";
  json::append_integer(out, std::int64_t{label_id});
  out += ",\"confidence\":";
  json::append_number(out, double{score}, kScoreDecimals);
}

void append_objects(std::string& out, const FrameInfo& info, const FrameResult& result) {
  out += ",\"objects\":[";
  for (std::size_t i = 0; i < result.detections.size(); ++i) {
    const Detection& object = result.detections[i];
    out += i > 0 ? ",{" : "{";
    append_label(out, result.label_of(object), object.label_id, object.score);
    out += ',';
    append_bbox(out, object.box, info.size);
    if (object.id) {
      out += ",\"track_id\":";
      json::append_integer(out, *object.id);
    }
    out += '}';
  }
  out += ']';
}

void append_classes(std::string& out, const FrameResult& result) {
  out += ",\"classes\":[";
  for (std::size_t i = 0; i < result.classes.size(); ++i) {
    const Classification& found = result.classes[i];
    out += i > 0 ? ",{" : "{";
    append_label(out, result.label_of(found), found.label_id, found.score);
    out += '}';
  }
  out += ']';
}

/// Elements of the array of COCO results of one frame.
class CocoWriter {
 public:
  CocoWriter(const FrameInfo& info, bool& first, std::string& out) : info_(info), first_(first), out_(out) {}

  /// `order`: the part, or none, of each keypoint that is written.
  template <class Order>
  void person(const Pose& pose, std::int64_t category, const Order& order) const {
    begin(category);
    out_ += ",\"keypoints\":[";
    bool first = true;
    for (const std::optional<std::uint8_t> part : order) {
      if (!first) out_ += ',';
      first = false;
      append_keypoint(out_, part ? pose.keypoints[*part] : std::nullopt, info_.size, -0.5);
    }
    out_ += ']';
    end(pose.score);
  }

  void object(const Detection& object, std::int64_t category) const {
    begin(category);
    out_ += ',';
    append_bbox(out_, object.box, info_.size);
    end(object.score);
  }

 private:
  void begin(std::int64_t category) const {
    if (!first_) out_ += ",\n";
    first_ = false;
    out_ += "{\"image_id\":";
    json::append_integer(out_, info_.image_id.value_or(static_cast<std::int64_t>(info_.frame_id)));
    out_ += ",\"category_id\":";
    json::append_integer(out_, category);
  }
  void end(float score) const {
    out_ += ",\"score\":";
    json::append_number(out_, double{score}, kScoreDecimals);
    out_ += '}';
  }

  const FrameInfo& info_;
  bool& first_;
  std::string& out_;
};

}  // namespace

void append_ndjson_line(const FrameInfo& info, const FrameResult& result, std::string& out) {
  out += kVersion;
  append_stream(out, info);
  append_model(out, ",\"model\":", result.model);
  append_model(out, ",\"detector\":", result.detector);
  append_model(out, ",\"classifier\":", result.classifier);
  if (const auto& skeleton = result.model->skeleton) {
    out += ",\"keypoint_format\":";
    json::append_string(out, skeleton->tag);
  }
  out += ",\"status\":";
  json::append_string(out, to_string(result.status));
  append_times(out, result.times);
  append_people(out, info, result);
  if (result.left_out > 0) {
    out += ",\"people_left_out\":";
    json::append_integer(out, std::uint64_t{result.left_out});
  }
  append_objects(out, info, result);
  if (result.repeated) out += ",\"objects_repeated\":true";
  if (result.model_for(Task::kClassification)) append_classes(out, result);
  out += "}\n";
}

void append_openpose_document(const FrameInfo& info, const FrameResult& result, std::string& out) {
  const Skeleton* skeleton = result.model->skeleton.get();
  out += kVersion;
  out += "\"people\":[";
  for (std::size_t i = 0; skeleton && i < result.poses.size(); ++i) {
    out += i > 0 ? ",{" : "{";
    append_person_id(out, result.poses[i]);
    out += ',';
    append_pose_keypoints(out, result.poses[i], *skeleton, info.size);
    out +=
        ",\"face_keypoints_2d\":[],\"hand_left_keypoints_2d\":[],\"hand_right_keypoints_2d\":[],"
        "\"pose_keypoints_3d\":[],\"face_keypoints_3d\":[],\"hand_left_keypoints_3d\":[],"
        "\"hand_right_keypoints_3d\":[]}";
  }
  out += "]}";
}

std::string openpose_file_name(const FrameInfo& info) {
  std::string name(info.name);
  for (char& c : name) {
    if (c == '/' || c == '\0') c = '_';
  }
  if (!info.still || name.empty())
    fmt::format_to(std::back_inserter(name), "{}{:012}", name.empty() ? "" : "_", info.frame_id);
  return name + "_keypoints.json";
}

void append_coco_results(const FrameInfo& info, const FrameResult& result, bool& first, std::string& out) {
  const CocoWriter writer(info, first, out);
  if (const auto& skeleton = result.model->skeleton) {
    for (const Pose& pose : result.poses) {
      writer.person(pose, 1, skeleton->to_coco17);
    }
    return;
  }
  const ModelSpec& detector = result.detector ? *result.detector : *result.model;
  for (const Detection& object : result.detections) {
    writer.object(object, category_id_of(object.label_id, detector.labels));
  }
}

void append_coco_results(const FrameInfo& info, const FrameResult& result, const CocoNumbers& numbers, bool& first,
                         std::string& out) {
  const CocoWriter writer(info, first, out);
  if (result.model->skeleton) {
    for (const Pose& pose : result.poses) writer.person(pose, numbers.person, numbers.keypoints);
    return;
  }
  for (const Detection& object : result.detections) {
    const auto label = static_cast<std::size_t>(object.label_id);  // a negative one is beyond every list
    if (label >= numbers.categories.size() || !numbers.categories[label]) continue;
    writer.object(object, *numbers.categories[label]);
  }
}

}  // namespace posecam
