#include "elements/infer/stream/sink_side.h"

#include <utility>

#include "elements/infer/regions_of_interest.h"
#include "elements/meta/result_meta.h"
#include "models/core/stage_log.h"

namespace posecam::gst {
namespace {

constexpr double kFullQuality = 1e6;  // as GStreamer scales the quality of QOS messages

}  // namespace

SinkSide::SinkSide(InferParts& parts) : parts_(parts), gathers_(parts.stream) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void SinkSide::start() {
  arrived_ = 0;
  regions_.clear();
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

GstFlowReturn SinkSide::push(BufferPtr buffer) {
  const std::stop_token stop = parts_.flow.token();
  if (parts_.flow.ended()) return GST_FLOW_EOS;
  if (const GstFlowReturn flow = parts_.flow.now(); flow != GST_FLOW_OK) return flow;
  if (GST_VIDEO_INFO_FORMAT(&info_) == GST_VIDEO_FORMAT_UNKNOWN) return GST_FLOW_NOT_NEGOTIATED;
  if (!parts_.stream->items.wait_room(stop)) return parts_.flow.now();

  if (const auto status = reason_to_pass(buffer.get())) {
    pass_through(std::move(buffer), *status);
    return GST_FLOW_OK;
  }
  const bool whole = parts_.setup.active().inference_region == "full-frame";
  const auto done = whole ? analyse(std::move(buffer), stop) : analyse_regions(std::move(buffer), stop);
  if (done) return GST_FLOW_OK;
  return done.error().code == Errc::kCancelled ? parts_.flow.now() : report(done.error());
}

/// The status of a frame that is not to be analysed.
std::optional<FrameStatus> SinkSide::reason_to_pass(GstBuffer* buffer) {
  const auto [interval, qos] = parts_.setup.per_frame();
  if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED)) return FrameStatus::kUnanalysed;
  if (arrived_++ % interval != 0 || GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) return FrameStatus::kSkipped;
  if (qos && too_late(buffer)) return FrameStatus::kSkipped;
  return {};
}

bool SinkSide::too_late(GstBuffer* buffer) {
  if (segment_.format != GST_FORMAT_TIME) return false;
  const GstClockTime running = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  const auto late = parts_.lateness.judge(running);
  if (!late) return false;
  parts_.stats.count_late();
  const GstClockTime stream = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  GstMessage* message = gst_message_new_qos(GST_OBJECT(parts_.self), FALSE, running, stream, GST_BUFFER_PTS(buffer),
                                            GST_BUFFER_DURATION(buffer));
  gst_message_set_qos_values(message, late->jitter, late->proportion, static_cast<gint>(kFullQuality));
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, late->done, late->dropped);
  gst_element_post_message(parts_.self, message);
  return true;
}

void SinkSide::pass_through(BufferPtr buffer, FrameStatus status) {
  const auto now = InferFrame::Clock::now();
  auto result = parts_.setup.current().empty_result(status);
  parts_.stream->items.reserve(InferFrame{std::move(buffer), frame_size(), now, now, std::move(result)}, true);
}

Result<void> SinkSide::analyse(BufferPtr buffer, std::stop_token stop) {
  const auto arrived = InferFrame::Clock::now();
  auto row = parts_.setup.current().reserve(std::move(stop));
  if (!row) return row.error();
  Letterbox letterbox;
  float spent_ms = 0;
  {
    MappedFrame frame(info_, buffer.get(), GST_MAP_READ);
    if (!frame) return unusable_frame();
    spent_ms = write_row(*row, as_const(frame.view()), letterbox);
  }
  const Ticket ticket = parts_.stream->items.reserve(InferFrame{std::move(buffer), frame_size(), arrived, {}, nullptr});
  row->commit(parts_.stream, ticket, letterbox, spent_ms);
  return {};
}

/// The surest regions of the frame, at most max-people. Where who looks for them left the frame out on purpose, those
/// of the frame before still hold.
void SinkSide::find_regions(GstBuffer* buffer) {
  const InferSettings& settings = parts_.setup.active();
  regions_of_interest(buffer, settings.object_class, parts_.setup.current().model(), frame_size(), pixel_aspect(info_),
                      found_);
  const auto before = get_result(buffer);
  if (found_.empty() && before && before->status == FrameStatus::kSkipped) return;
  regions_.swap(found_);
  left_out_ = keep_surest(regions_, static_cast<std::size_t>(settings.max_people));  // -1: more than there can be
}

/// Every region of interest is a row of its own. One is committed before the next is reserved: so a frame may have more
/// of them than the engine has rows.
Result<void> SinkSide::analyse_regions(BufferPtr buffer, std::stop_token stop) {
  const auto arrived = InferFrame::Clock::now();
  find_regions(buffer.get());
  if (regions_.empty()) {  // nobody is there, if who looked for them did look
    const auto before = get_result(buffer.get());
    pass_through(std::move(buffer), before ? before->status : FrameStatus::kAnalysed);
    return {};
  }
  const auto gather = gathers_.take();
  auto whole = parts_.setup.current().empty_result(FrameStatus::kUnanalysed);
  whole->left_out = left_out_;
  gather->start(regions_, frame_size(), std::move(whole));
  for (Ticket i = 0; i < gather->regions().size(); ++i) {
    auto row = parts_.setup.current().reserve(stop);  // waits: the frame is not mapped meanwhile
    if (!row) return row.error();
    MappedFrame frame(info_, buffer.get(), GST_MAP_READ);
    if (!frame) return unusable_frame();
    Letterbox letterbox;
    const float spent_ms = write_row(*row, as_const(frame.view()), gather->regions()[i], letterbox);
    row->commit(gather, i, letterbox, spent_ms);
  }
  gather->finish(parts_.stream->items.reserve(InferFrame{std::move(buffer), frame_size(), arrived, {}, nullptr}));
  return {};
}

/// Returns how long it took, in ms.
float SinkSide::write_row(const Engine::Row& row, const ImageView& image, Letterbox& letterbox) {
  StageTimer timer(Stage::kPreprocess);
  letterbox = preprocessor_->write(image, row.input());
  return timer.stop();
}

float SinkSide::write_row(const Engine::Row& row, const ImageView& frame, const Region& region, Letterbox& letterbox) {
  const ImageView image = crop(frame, region.crop);
  if (!region.place) return write_row(row, image, letterbox);
  StageTimer timer(Stage::kPreprocess);
  letterbox = *region.place;
  preprocessor_->write(image, letterbox, row.input());
  return timer.stop();
}

}  // namespace posecam::gst
