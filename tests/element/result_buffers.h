#pragma once
// Frames with a result that a test made up, for the elements that read results.

#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"

namespace posecam::test {

/// COCO-17, one label: "person".
inline std::shared_ptr<const ModelSpec> people_model() {
  auto model = std::make_shared<ModelSpec>();
  model->name = "people";
  model->skeleton = find_skeleton("coco-17");
  model->labels = {"person"};
  return model;
}

inline std::shared_ptr<FrameResult> nobody(FrameStatus status = FrameStatus::kAnalysed) {
  auto result = std::make_shared<FrameResult>();
  result->status = status;
  result->model = people_model();
  return result;
}

/// A person whose eyes and nose are around (x, y), in the frame's units, with all keypoints of that score.
inline std::shared_ptr<FrameResult> somebody(float x, float y, float score = 0.9F) {
  auto result = nobody();
  Pose pose;
  pose.keypoints[0] = Keypoint{x, y + 0.01F, score};
  pose.keypoints[1] = Keypoint{x + 0.02F, y, score};
  pose.keypoints[2] = Keypoint{x - 0.02F, y, score};
  result->poses.push_back(pose);
  return result;
}

/// Noise, the same each time.
inline gst::BufferPtr noise_frame(const GstVideoInfo& info, std::shared_ptr<const FrameResult> result = nullptr) {
  std::vector<std::uint8_t> bytes(GST_VIDEO_INFO_SIZE(&info));
  std::mt19937 random(7);
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
  gst::BufferPtr buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  if (result) gst::add_result(buffer.get(), std::move(result));
  return buffer;
}

inline std::vector<std::uint8_t> bytes_of(GstBuffer* buffer) {
  std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

/// What a bus has had, counted when it is posted: also what a later flush of the bus would drop.
class BusCounter {
 public:
  /// Of an element without a pipeline, which gets a bus for it; of a pipeline, its own.
  explicit BusCounter(GstElement* element) : bus_(gst_element_get_bus(element)) {
    if (!bus_) {
      own_ = true;
      bus_ = gst_bus_new();
      gst_element_set_bus(element, bus_);
    }
    gst_bus_set_sync_handler(bus_, handle, this, nullptr);
  }
  BusCounter(const BusCounter&) = delete;
  BusCounter& operator=(const BusCounter&) = delete;
  ~BusCounter() {
    gst_bus_set_sync_handler(bus_, nullptr, nullptr, nullptr);
    if (own_) gst_bus_set_flushing(bus_, TRUE);  // its messages hold the element, which holds the bus
    gst_object_unref(bus_);
  }

  struct Posted {
    GstMessageType type;
    std::string source;  ///< its factory
    std::string text;
    GQuark domain;
    int code;
  };
  /// Of the errors of elements of that factory: of the resource domain their codes, of others -1.
  std::vector<int> codes_of(const std::string& factory) const {
    std::lock_guard lock(mutex_);
    std::vector<int> codes;
    for (const Posted& p : posted_) {
      if (p.type != GST_MESSAGE_ERROR || p.source != factory) continue;
      codes.push_back(p.domain == GST_RESOURCE_ERROR ? p.code : -1);
    }
    return codes;
  }
  /// The errors or warnings of elements of that factory.
  std::vector<std::string> of(GstMessageType type, const std::string& factory) const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> texts;
    for (const Posted& p : posted_) {
      if (p.type == type && p.source == factory) texts.push_back(p.text);
    }
    return texts;
  }

 private:
  static GstBusSyncReply handle(GstBus*, GstMessage* message, gpointer self) {
    auto* parse = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR     ? gst_message_parse_error
                  : GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING ? gst_message_parse_warning
                                                                     : nullptr;
    if (!parse || !GST_IS_ELEMENT(GST_MESSAGE_SRC(message))) return GST_BUS_PASS;
    GError* error = nullptr;
    parse(message, &error, nullptr);
    GstElementFactory* factory = gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message)));
    auto* counter = static_cast<BusCounter*>(self);
    std::lock_guard lock(counter->mutex_);
    counter->posted_.push_back({GST_MESSAGE_TYPE(message), factory ? GST_OBJECT_NAME(factory) : std::string(),
                                error->message, error->domain, error->code});
    g_error_free(error);
    return GST_BUS_PASS;
  }

  GstBus* bus_;
  bool own_ = false;
  mutable std::mutex mutex_;
  std::vector<Posted> posted_;
};

}  // namespace posecam::test
