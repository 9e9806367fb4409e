#include "elements/infer/stream/sink_side.h"

#include <utility>

#include "elements/infer/regions_of_interest.h"
#include "elements/meta/result_meta.h"
#include "models/core/stage_log.h"

namespace posecam::gst {
namespace {

constexpr double kFullQuality = 1e6;  // as GStreamer scales the quality of QOS messages

}  // namespace

SinkSide::SinkSide(InferParts& parts)
    : parts_(parts), gathers_(parts.stream), follower_(std::make_shared<PersonFollower>(parts.stream)) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void SinkSide::start() {
  arrived_ = 0;
  follower_->forget();
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
  if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT)) follower_->forget();
  const std::string& region = parts_.setup.active().inference_region;
  const auto done = region == "full-frame" ? analyse(std::move(buffer), stop)
                    : region == "follow"   ? follow(std::move(buffer), stop)
                                           : analyse_regions(std::move(buffer), stop);
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

Result<void> SinkSide::follow(BufferPtr buffer, std::stop_token stop) {
  const auto arrived = InferFrame::Clock::now();
  Engine& engine = parts_.setup.current();
  const auto region = follower_->next(engine.model(), frame_size(), pixel_aspect(info_), stop);
  if (!region) return region.error();
  auto row = engine.reserve(std::move(stop));
  if (!row) return row.error();
  Letterbox letterbox;
  float spent_ms = 0;
  {
    MappedFrame frame(info_, buffer.get(), GST_MAP_READ);
    if (!frame) return unusable_frame();
    const ImageView image = as_const(frame.view());
    spent_ms = *region ? write_row(*row, image, **region, letterbox) : write_row(*row, image, letterbox);
  }
  const Ticket ticket = parts_.stream->items.reserve(InferFrame{std::move(buffer), frame_size(), arrived, {}, nullptr});
  follower_->start();
  row->commit(follower_, ticket, letterbox, spent_ms);
  return {};
}

/// Every region of interest is a row of its own. One is committed before the next is reserved: so a frame may have more
/// of them than the engine has rows.
Result<void> SinkSide::analyse_regions(BufferPtr buffer, std::stop_token stop) {
  const auto arrived = InferFrame::Clock::now();
  const InferSettings& settings = parts_.setup.active();
  regions_of_interest(buffer.get(), settings.object_class, parts_.setup.current().model(), frame_size(),
                      pixel_aspect(info_), regions_);
  const auto left_out =
      keep_surest(regions_, static_cast<std::size_t>(settings.max_people));  // -1: more than there are
  if (regions_.empty()) {  // nobody is there, if who looked for them did look, in this frame or before
    const auto before = get_result(buffer.get());
    pass_through(std::move(buffer), before && !before->repeated ? before->status : FrameStatus::kAnalysed);
    return {};
  }
  const auto gather = gathers_.take();
  auto whole = parts_.setup.current().empty_result(FrameStatus::kUnanalysed);
  whole->left_out = left_out;
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
  StageTimer timer(Stage::kPreprocess);
  letterbox = write_region(*preprocessor_, frame, region, row.input());
  return timer.stop();
}

}  // namespace posecam::gst
