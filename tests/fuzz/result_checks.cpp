#include "tests/fuzz/result_checks.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include "postprocess/decode/boxes/nms.h"
#include "postprocess/documents/json_writer.h"
#include "postprocess/documents/motion_document.h"
#include "postprocess/draw/draw.h"

namespace posecam::fuzz {
namespace {

using nlohmann::json;

constexpr std::uint8_t kCanary = 0xA5;

bool in_unit(float v) { return v >= 0 && v <= 1; }

json parsed(const std::string& text, std::string_view what) {
  json document = json::parse(text, nullptr, false);
  expect(!document.is_discarded(), what, text);
  return document;
}

void check_numbers(const json& list, std::size_t count) {
  expect(list.is_array() && list.size() == count, "wrong number of keypoint values:", list.dump());
  for (const json& value : list) expect(value.is_number(), "a value is no number:", list.dump());
}

void check_ndjson(const FrameInfo& info, const FrameResult& result) {
  std::string line;
  append_ndjson_line(info, result, line);
  expect(!line.empty() && line.find('\n') == line.size() - 1, "one line a frame:", line);
  const json frame = parsed(line, "NDJSON does not parse:");
  for (const char* key :
       {"version", "stream_id", "frame_id", "source", "model", "status", "latency_ms", "people", "objects"}) {
    expect(frame.contains(key), "NDJSON lacks", key);
  }
  const Skeleton* skeleton = result.model->skeleton.get();
  expect(frame["people"].size() == (skeleton ? result.poses.size() : 0), "NDJSON: people");
  expect(frame["objects"].size() == result.detections.size(), "NDJSON: objects");
  expect(frame.contains("classes") == (result.model->task == Task::kClassification), "NDJSON: classes or none");
  for (const json& person : frame["people"]) {
    check_numbers(person.at("pose_keypoints_2d"), skeleton->parts.size() * 3);
    check_numbers(person.at("bbox"), 4);
    expect(person.at("score").is_number() && person.at("person_id").size() == 1, "NDJSON: person");
  }
  for (const json& object : frame["objects"]) {
    check_numbers(object.at("bbox"), 4);
    expect(object.at("label").is_string() && object.at("confidence").is_number(), "NDJSON: object");
  }
}

void check_openpose(const FrameInfo& info, const FrameResult& result) {
  std::string text;
  append_openpose_document(info, result, text);
  const json document = parsed(text, "OpenPose document does not parse:");
  for (const json& person : document.at("people")) {
    check_numbers(person.at("pose_keypoints_2d"), result.model->skeleton->parts.size() * 3);
  }
  const std::string name = openpose_file_name(info);
  expect(name.find('/') == std::string::npos && name.find('\0') == std::string::npos, "not a file name:", name);
}

void check_coco(const FrameInfo& info, const FrameResult& result) {
  std::string text = "[";
  bool first = true;
  append_coco_results(info, result, first, text);
  append_coco_results(info, result, first, text);
  const json list = parsed(text + "]", "COCO results do not parse:");
  expect(list.size() == (result.model->skeleton ? 2 * result.poses.size() : 0), "COCO: people");
  for (const json& person : list) check_numbers(person.at("keypoints"), 51);
}

void check_motion(const FrameInfo& info, const FrameResult& result) {
  MotionDocument motion;
  for (int i = 0; i < 3; ++i) motion.add(info.size, result);
  std::string text;
  motion.append_to(text);
  const json list = parsed(text, "the motion document does not parse:");
  expect(list.is_array() && list.size() == 3, "an object a frame:", text);
  for (const json& frame : list) {
    for (const auto& [part, place] : frame.items()) {
      check_numbers(place, 2);
      expect(place[0].get<int>() >= 0 && place[0].get<int>() <= info.size.width && place[1].get<int>() >= 0 &&
                 place[1].get<int>() <= info.size.height,
             "motion: outside the frame:", text);
    }
  }
}

/// Planes of exactly the bytes that their strides make, each in its own allocation, so that a sanitizer sees every
/// step beyond one.
class Frame {
 public:
  explicit Frame(Input& input) {
    view_.format = static_cast<PixelFormat>(input.below(0, 5));
    view_.width = input.below(1, 96);
    view_.height = input.below(1, 64);
    if (input.byte() == 0) view_.width = 640;
    view_.colorimetry = {input.flag() ? YuvColorimetry::Matrix::kBt709 : YuvColorimetry::Matrix::kBt601, input.flag()};
    for (int p = 0; p < plane_count(view_.format); ++p) {
      const auto i = static_cast<std::size_t>(p);
      view_.strides[i] = row_bytes(p) + input.below(0, 9);
      planes_[i] = std::make_unique<std::uint8_t[]>(bytes(p));
      std::memset(planes_[i].get(), kCanary, bytes(p));
      view_.planes[i] = planes_[i].get();
    }
  }

  const MutableImageView& view() const { return view_; }

  void check_gaps() const {
    for (int p = 0; p < plane_count(view_.format); ++p) {
      for (int y = 0; y + 1 < rows(p); ++y) {
        const std::uint8_t* row = view_.row(p, y);
        for (std::ptrdiff_t x = row_bytes(p); x < view_.strides[static_cast<std::size_t>(p)]; ++x) {
          expect(row[x] == kCanary, "drawing wrote between two rows");
        }
      }
    }
  }

 private:
  std::ptrdiff_t row_bytes(int plane) const {
    if (!is_yuv(view_.format)) return std::ptrdiff_t{view_.width} * pixel_bytes(view_.format);
    if (plane == 0) return view_.width;
    return (view_.width + 1) / 2 * (view_.format == PixelFormat::kNv12 ? 2 : 1);
  }
  int rows(int plane) const { return plane == 0 ? view_.height : (view_.height + 1) / 2; }
  std::size_t bytes(int plane) const {
    const std::ptrdiff_t stride = view_.strides[static_cast<std::size_t>(plane)];
    return static_cast<std::size_t>(stride * (rows(plane) - 1) + row_bytes(plane));
  }

  MutableImageView view_;
  std::array<std::unique_ptr<std::uint8_t[]>, 3> planes_;
};

}  // namespace

void check_poses(const FrameResult& result, std::size_t most) {
  expect(result.poses.size() <= most, "more people than asked for");
  float last = 1;
  for (const Pose& pose : result.poses) {
    expect(in_unit(pose.score) && pose.score <= last, "people: best score first, in [0,1]");
    last = pose.score;
    bool anywhere = false;
    for (const auto& k : pose.keypoints) {
      if (!k) continue;
      anywhere = true;
      expect(in_unit(k->x) && in_unit(k->y), "a keypoint is outside the image");
      expect(k->score > 0 && k->score <= 1, "a keypoint's score is outside (0,1]");
    }
    expect(anywhere, "a person without keypoints");
  }
}

void check_detections(const FrameResult& result, std::size_t most, float nms_threshold) {
  expect(result.detections.size() <= most, "more objects than asked for");
  const auto& found = result.detections;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Box& box = found[i].box;
    expect(in_unit(box.x) && in_unit(box.y) && box.width > 0 && box.height > 0, "a box is empty or outside the image");
    expect(box.x + box.width <= 1 + 1e-6F && box.y + box.height <= 1 + 1e-6F, "a box ends outside the image");
    expect(found[i].score > 0 && found[i].score <= 1, "a score is outside (0,1]");
    expect(!result.label_of(found[i]).empty(), "an object's label is none of the model's");
    expect(i == 0 || !ranks_before(found[i], found[i - 1]), "objects: best score first");
    for (std::size_t j = 0; j < std::min<std::size_t>(i, 32); ++j) {
      expect(found[i].label_id != found[j].label_id || iou(found[i].box, found[j].box) <= nms_threshold,
             "two boxes of a class overlap by more than the threshold");
    }
  }
  auto again = found;
  nms(again, nms_threshold, most);
  expect(again.size() == found.size(), "suppressing twice is not suppressing once");
}

bool same(const Keypoint& p, const Keypoint& q) { return p.x == q.x && p.y == q.y && p.score == q.score; }

bool same(const Box& p, const Box& q) { return p.x == q.x && p.y == q.y && p.width == q.width && p.height == q.height; }

void check_classes(const FrameResult& result, std::size_t most) {
  expect(result.classes.size() <= most, "more classes than asked for");
  for (std::size_t i = 0; i < result.classes.size(); ++i) {
    const Classification& found = result.classes[i];
    expect(found.score > 0 && found.score <= 1, "a score is outside (0,1]");
    expect(!result.label_of(found).empty(), "a class is none of the model's");
    expect(i == 0 || result.classes[i - 1].score >= found.score, "classes: best score first");
  }
}

bool same_result(const FrameResult& a, const FrameResult& b) {
  const auto same_pose = [](const Pose& p, const Pose& q) {
    for (std::size_t k = 0; k < kMaxKeypoints; ++k) {
      if (p.keypoints[k].has_value() != q.keypoints[k].has_value()) return false;
      if (p.keypoints[k] && !same(*p.keypoints[k], *q.keypoints[k])) return false;
    }
    return p.score == q.score;
  };
  const auto same_detection = [](const Detection& p, const Detection& q) {
    return same(p.box, q.box) && p.score == q.score && p.label_id == q.label_id;
  };
  const auto same_class = [](const Classification& p, const Classification& q) {
    return p.score == q.score && p.label_id == q.label_id;
  };
  return std::ranges::equal(a.poses, b.poses, same_pose) && std::ranges::equal(a.classes, b.classes, same_class) &&
         std::ranges::equal(a.detections, b.detections, same_detection);
}

void check_writers(const FrameResult& result, Input& input) {
  const std::string stream = input.text(24);
  const std::string name = input.text(24);
  FrameInfo info;
  info.stream_id = stream;
  info.name = name;
  info.still = input.flag();
  info.frame_id = std::uint64_t{input.word()} << 32U | input.word();
  if (input.flag()) info.pts_ns = static_cast<std::int64_t>(std::uint64_t{input.word()} << 32U | input.word());
  if (input.flag()) info.start_ns = static_cast<std::int32_t>(input.word());
  if (input.flag()) {
    const auto ns = static_cast<std::int64_t>(std::uint64_t{input.word()} << 32U | input.word());
    info.wallclock = std::chrono::system_clock::time_point(std::chrono::nanoseconds(ns));
  }
  info.size = {1 + static_cast<int>(input.word() % 16384), 1 + static_cast<int>(input.word() % 16384)};
  check_ndjson(info, result);
  check_openpose(info, result);
  check_coco(info, result);
  check_motion(info, result);
}

void check_drawing(const FrameResult& result, Input& input) {
  DrawOptions options;
  options.min_score = input.fraction();
  options.skeletons = !input.flag();
  options.boxes = !input.flag();
  options.labels = !input.flag();
  const Frame frame(input);
  const auto drawn = draw(result, options, frame.view());
  expect(static_cast<bool>(drawn), "drawing failed");
  frame.check_gaps();
}

}  // namespace posecam::fuzz
