// Caps, buffers, events and queries of any kind through neuroninfer ! neuronoverlay ! neuronjson on a device that costs
// nothing: frames come out as they went in, in order, each with its result and its line of JSON; what cannot be
// handled is an error on the bus.

#include <cmath>
#include <memory>
#include <vector>

#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <nlohmann/json.hpp>

#include "elements/base/handles.h"
#include "elements/meta/result_meta.h"
#include "elements/register_elements.h"
#include "pipeline/devices/devices.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/fake_backend.h"
#include "tests/support/temp_dir.h"

namespace posecam::fuzz {
namespace {

using gst::BufferPtr;

struct HarnessDelete {
  void operator()(GstHarness* h) const { gst_harness_teardown(h); }
};

/// As many objects as cells of 8x8 pixels, their sizes those of the pixels: something is drawn everywhere.
test::FakeNetwork objects_everywhere() {
  return {[](const ModelSpec& spec) {
            const Size size = spec.input.size;
            return std::vector<Shape>{{spec.input.batch, size.width / 8 * (size.height / 8), 6}};
          },
          [](TensorView input, std::span<const MutableTensorView> outputs) {
            const auto pixels = input.as<float>();
            const auto cells = outputs[0].as<float>();
            for (std::size_t c = 0; c * 6 < cells.size(); ++c) {
              const float value = pixels[c % pixels.size()] / 255;
              const float cell[] = {value, 0.5F, 2 * value - 1, 1 - value, 0.5F + value / 2, 1};
              std::ranges::copy(cell, cells.begin() + static_cast<std::ptrdiff_t>(c * 6));
            }
          }};
}

/// GStreamer, the elements and the device, once a process.
void set_up() {
  static const bool done = [] {
    gst_init(nullptr, nullptr);
    gst_plugin_register_static(GST_VERSION_MAJOR, GST_VERSION_MINOR, "neuron", "elements under test",
                               gst::register_elements, "0", "Apache 2.0", "posecam", "posecam", "posecam");
    add_device(std::make_shared<test::FakeDevice>(
        test::FakeOptions{.cores = 2, .on_run = {}, .network = objects_everywhere()}));
    // Warnings of GStreamer's core say that an element broke a rule.
    g_log_set_fatal_mask("GStreamer", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL));
    g_log_set_fatal_mask("GLib-GObject", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL));
    return true;
  }();
  (void)done;
}

/// What went in: its number rides in the buffer's offset.
struct Sent {
  GstClockTime pts;
  gsize size;
  bool gap;
  bool corrupted;
};

class Session {
 public:
  explicit Session(Input& input) : input_(input) {
    const std::string line =
        "neuroninfer device=fake model=" POSECAM_SOURCE_DIR "/tests/data/one_object.json batch-size=" +
        std::to_string(input.below(1, 4)) + " inference-interval=" + std::to_string(input.below(1, 3)) +
        " max-batch-delay=" + std::to_string(input.below(0, 2)) + (input.flag() ? " inference-region=roi-list" : "") +
        (input.flag() ? " net-resolution=-1x16" : "") + (input.flag() ? " qos=true" : " qos=false") +
        " ! neuronoverlay qos=false ! neuronjson location=" + lines_path().string();
    harness_.reset(gst_harness_new_parse(line.c_str()));
    gst_element_set_bus(harness_->element, bus_);
    push_event(gst_event_new_stream_start("fuzz"));
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    gst_element_set_bus(harness_->element, nullptr);
    harness_.reset();
    gst_object_unref(bus_);
  }

  void run() {
    change_caps();
    new_segment(GST_FORMAT_TIME);
    for (int step = 0; step < 48 && !input_.empty() && going_; ++step) {
      switch (input_.below(0, 15)) {
        case 0: change_caps(); break;
        case 1: flush(); break;
        case 2: send_event(); break;
        case 3: send_query(); break;
        case 4: send_upstream(); break;
        default: send_buffer(); break;
      }
    }
    finish();
  }

 private:
  std::filesystem::path lines_path() const { return dir_.path() / "lines.ndjson"; }

  // A refused event is an answer too; the next buffer says whether the stream goes on.
  void push_event(GstEvent* event) { gst_harness_push_event(harness_.get(), event); }

  void new_segment(GstFormat format) {
    GstSegment segment;
    gst_segment_init(&segment, format);
    if (input_.byte() % 8 == 7) {
      segment.start = input_.word();
      segment.time = input_.word();
      segment.rate = input_.flag() ? 2 : -1;
      segment.stop = segment.start + input_.word();
    }
    push_event(gst_event_new_segment(&segment));
  }

  void change_caps() {
    static constexpr GstVideoFormat kFormats[] = {
        GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_BGR,  GST_VIDEO_FORMAT_RGB,
        GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_RGBx, GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_RGBA,
        GST_VIDEO_FORMAT_NV12, GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_GRAY16_LE};
    const std::uint8_t kind = input_.byte();
    const auto side = [&] { return kind >= 240 ? 1 + input_.word() % 1200 : 1U + input_.byte() % 72; };
    const guint width = side();
    const guint height = side();
    gst_video_info_set_format(&info_, kFormats[kind % (kind < 192 ? 8 : 12)], width, height);
    GstCaps* caps = gst_video_info_to_caps(&info_);
    if (kind % 32 == 31) {
      const std::string text = input_.text(12);
      gst_caps_set_simple(caps, input_.flag() ? "width" : "height", G_TYPE_INT, static_cast<int>(input_.word()),
                          "framerate", GST_TYPE_FRACTION, input_.below(0, 60), 1, nullptr);
      if (input_.flag() && g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr)) {
        gst_caps_set_simple(caps, input_.flag() ? "format" : "colorimetry", G_TYPE_STRING, text.c_str(), nullptr);
      }
      GstVideoInfo stated;
      if (gst_video_info_from_caps(&stated, caps) && GST_VIDEO_INFO_SIZE(&stated) < 1U << 22U) info_ = stated;
    }
    push_event(gst_event_new_caps(caps));
    gst_caps_unref(caps);
  }

  void flush() {
    push_event(gst_event_new_flush_start());
    push_event(gst_event_new_flush_stop(TRUE));
    new_segment(GST_FORMAT_TIME);
    expected_from_ = sent_.size();
    flushed_ = true;
  }

  void send_event() {
    switch (input_.below(0, 5)) {
      case 0: push_event(gst_event_new_gap(input_.word(), input_.word())); break;
      case 1: push_event(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "a", nullptr))); break;
      case 2:
        push_event(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("application/x-fuzz")));
        break;
      case 3:
        push_event(
            gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_OOB, gst_structure_new_empty("application/x-fuzz")));
        break;
      case 4: new_segment(input_.flag() ? GST_FORMAT_TIME : GST_FORMAT_BYTES); break;
      default: push_event(gst_event_new_segment_done(GST_FORMAT_TIME, 0)); break;
    }
  }

  void send_query() {
    GstCaps* caps = gst_video_info_to_caps(&info_);
    GstQuery* query = nullptr;
    switch (input_.below(0, 5)) {
      case 0: query = gst_query_new_allocation(caps, TRUE); break;
      case 1: query = gst_query_new_drain(); break;
      case 2: query = gst_query_new_caps(input_.flag() ? caps : nullptr); break;
      case 3: query = gst_query_new_accept_caps(caps); break;
      case 4: query = gst_query_new_position(GST_FORMAT_TIME); break;
      default: query = gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty("application/x-fuzz")); break;
    }
    gst_pad_peer_query(harness_->srcpad, query);
    gst_query_unref(query);
    gst_caps_unref(caps);
  }

  void send_upstream() {
    switch (input_.below(0, 3)) {
      case 0: {
        const double proportion = input_.byte() / 16.0;
        const auto jitter = static_cast<GstClockTimeDiff>(static_cast<std::int32_t>(input_.word()));
        const GstClockTime earliest = input_.word();
        // An event of a time before 0 cannot be made.
        const GstClockTimeDiff allowed = std::max(jitter, -static_cast<GstClockTimeDiff>(earliest));
        gst_harness_push_upstream_event(harness_.get(),
                                        gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, proportion, allowed, earliest));
        break;
      }
      case 1: gst_harness_push_upstream_event(harness_.get(), gst_event_new_reconfigure()); break;
      case 2: gst_harness_push_upstream_event(harness_.get(), gst_event_new_latency(input_.word())); break;
      default: gst_harness_query_latency(harness_.get()); break;
    }
  }

  BufferPtr memory_of(gsize size) {
    const std::uint8_t value = input_.byte();
    BufferPtr buffer(gst_buffer_new());
    std::vector<gsize> parts{size};
    if (value % 4 == 3 && size > 1) {
      const gsize first = input_.word() % size;
      parts = {first, size - first};
    }
    for (const gsize part : parts) {
      // g_malloc of exactly this size, so that a sanitizer sees the first byte beyond it.
      auto* bytes = static_cast<std::uint8_t*>(g_malloc(std::max<gsize>(part, 1)));
      Noise noise(value);
      for (gsize i = 0; i < part; ++i) bytes[i] = static_cast<std::uint8_t>(value + noise.next() % 32);
      const auto flags = value % 8 == 5 ? GST_MEMORY_FLAG_READONLY : static_cast<GstMemoryFlags>(0);
      gst_buffer_append_memory(buffer.get(), gst_memory_new_wrapped(flags, bytes, part, 0, part, bytes, g_free));
    }
    return buffer;
  }

  /// Planes apart from each other, rows padded: what decoders and cameras hand out.
  BufferPtr padded_buffer() {
    gsize offsets[GST_VIDEO_MAX_PLANES] = {};
    gint strides[GST_VIDEO_MAX_PLANES] = {};
    gsize end = 0;
    for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info_); ++p) {
      gint components[GST_VIDEO_MAX_COMPONENTS];
      gst_video_format_info_component(info_.finfo, p, components);
      const int rows = GST_VIDEO_INFO_COMP_HEIGHT(&info_, components[0]);
      const int row =
          GST_VIDEO_INFO_COMP_WIDTH(&info_, components[0]) * GST_VIDEO_INFO_COMP_PSTRIDE(&info_, components[0]);
      offsets[p] = end + static_cast<gsize>(input_.below(0, 40));
      strides[p] = row + input_.below(0, 20);
      end = offsets[p] + static_cast<gsize>(strides[p]) * static_cast<gsize>(rows - 1) + static_cast<gsize>(row);
    }
    const std::uint8_t kind = input_.byte();
    if (kind >= 224) spoil(offsets, strides);
    BufferPtr buffer = memory_of(kind >= 192 && kind < 224 ? input_.word() % (end + 1) : end);
    const guint more = kind >= 248 ? static_cast<guint>(input_.below(1, 20)) : 0;
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info_),
                                   static_cast<guint>(GST_VIDEO_INFO_WIDTH(&info_)) + more,
                                   static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&info_)) + more / 2,
                                   kind >= 252 ? 1 : GST_VIDEO_INFO_N_PLANES(&info_), offsets, strides);
    return buffer;
  }

  void spoil(gsize* offsets, gint* strides) {
    const auto plane = static_cast<std::size_t>(input_.below(0, 2));
    if (input_.flag()) {
      strides[plane] = static_cast<gint>(input_.word());
    } else {
      strides[plane] += input_.below(-100, 100);
    }
    if (input_.flag()) offsets[plane] = input_.word();
  }

  void send_buffer() {
    const std::uint8_t kind = input_.byte();
    const gsize size = GST_VIDEO_INFO_SIZE(&info_);
    BufferPtr buffer = kind < 128   ? memory_of(size)
                       : kind < 224 ? padded_buffer()
                                    : memory_of(input_.word() % (size * 2 + 1));
    const std::uint8_t flags = input_.byte();
    if (flags < 16) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_GAP);
    if (flags % 16 == 1) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_CORRUPTED);
    if (flags % 16 == 2) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
    if (flags % 16 == 3) gst_buffer_remove_all_memory(buffer.get());
    if (flags % 16 != 4) GST_BUFFER_PTS(buffer.get()) = flags % 16 == 5 ? input_.word() : sent_.size() * GST_MSECOND;
    if (flags % 16 == 6) GST_BUFFER_DURATION(buffer.get()) = input_.word();
    for (int i = flags / 16 % 4; i > 0; --i) {
      const auto place = [&] { return input_.byte() < 250 ? input_.byte() : input_.word(); };
      gst_buffer_add_video_region_of_interest_meta(buffer.get(), "person", place(), place(), place(), place());
    }
    push(std::move(buffer), flags % 16 == 7);
  }

  void push(BufferPtr buffer, bool keep) {
    GST_BUFFER_OFFSET(buffer.get()) = sent_.size();
    sent_.push_back({GST_BUFFER_PTS(buffer.get()), gst_buffer_get_size(buffer.get()),
                     GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_GAP) != 0,
                     GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_CORRUPTED) != 0});
    if (keep) kept_.emplace_back(gst_buffer_ref(buffer.get()));  // no longer writable for those downstream
    const GstFlowReturn flow = gst_harness_push(harness_.get(), buffer.release());
    if (flow == GST_FLOW_OK) return;
    going_ = false;
    sent_.pop_back();
    if (flow == GST_FLOW_ERROR) expect(has_error(), "an error that nobody hears of");
  }

  bool has_error() {
    GstMessage* message = gst_bus_pop_filtered(bus_, GST_MESSAGE_ERROR);
    if (message) gst_message_unref(message);
    failed_ |= message != nullptr;
    return failed_;
  }

  void finish() {
    if (!going_) return check_frames(false);
    push_event(gst_event_new_eos());
    for (;;) {
      GstEvent* event = gst_harness_pull_event(harness_.get());
      expect(event != nullptr, "the end of the stream did not come out");
      const GstEventType type = GST_EVENT_TYPE(event);
      gst_event_unref(event);
      if (type == GST_EVENT_EOS) break;
    }
    check_frames(!has_error());
  }

  /// `complete`: nothing failed, so that every frame since the last flush has come out.
  void check_frames(bool complete) {
    std::size_t next = 0;
    std::size_t count = 0;
    std::size_t since_flush = 0;
    while (GstBuffer* raw = gst_harness_try_pull(harness_.get())) {
      const BufferPtr buffer(raw);
      const std::size_t number = GST_BUFFER_OFFSET(raw);
      expect(number >= next && number < sent_.size(), "frames out of order");
      next = number + 1;
      ++count;
      if (number >= expected_from_) ++since_flush;
      check_frame(raw, sent_[number]);
    }
    if (!complete) return;
    expect(since_flush == sent_.size() - expected_from_, "a frame was lost");
    check_lines(count);
  }

  void check_frame(GstBuffer* buffer, const Sent& sent) const {
    expect(GST_BUFFER_PTS(buffer) == sent.pts, "another time than it came with");
    expect(gst_buffer_get_size(buffer) == sent.size, "another size than it came with");
    const auto result = gst::get_result(buffer);
    expect(result && result->model, "a frame without a result");
    if (sent.corrupted) expect(result->status == FrameStatus::kUnanalysed, "a corrupted frame was analysed");
    if (sent.gap && !sent.corrupted) expect(result->status == FrameStatus::kSkipped, "a gap was analysed");
    for (const Detection& found : result->detections) {
      const Box& box = found.box;
      expect(std::isfinite(box.x) && std::isfinite(box.y) && box.width > 0 && box.height > 0, "an empty box");
      expect(box.x >= -1e-5F && box.y >= -1e-5F && box.x + box.width <= 1 + 1e-5F && box.y + box.height <= 1 + 1e-5F,
             "a box outside the image");
    }
  }

  void check_lines(std::size_t frames) const {
    const std::string text = test::read_file(lines_path());
    std::size_t lines = 0;
    for (std::size_t from = 0; from < text.size(); ++lines) {
      const std::size_t to = text.find('\n', from);
      expect(to != std::string::npos, "a last line without its end");
      const auto line = nlohmann::json::parse(text.substr(from, to - from), nullptr, false);
      expect(!line.is_discarded() && line.contains("people") && line.contains("objects") && line.contains("status"),
             "no line of ours:", text.substr(from, to - from));
      expect(line["frame_id"] == lines, "frames are counted from 0");
      from = to + 1;
    }
    // A flush may meet a frame behind neuronjson, whose line is written and which the harness then drops, or not.
    expect(flushed_ ? lines >= frames : lines == frames, "a line a frame");
  }

  Input& input_;
  test::TempDir dir_;
  std::unique_ptr<GstHarness, HarnessDelete> harness_;
  GstBus* bus_ = gst_bus_new();
  GstVideoInfo info_{};
  std::vector<Sent> sent_;
  std::vector<BufferPtr> kept_;
  std::size_t expected_from_ = 0;  ///< first frame after the last flush
  bool flushed_ = false;
  bool going_ = true;
  bool failed_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  set_up();
  Input input(data, size);
  Session(input).run();
  return 0;
}

}  // namespace posecam::fuzz
