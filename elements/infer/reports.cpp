#include "elements/infer/reports.h"

#include <string>
#include <vector>

#include "elements/base/element_error.h"

namespace posecam::gst {
namespace {

constexpr std::uint64_t kLookEvery = 32;  // frames
constexpr std::chrono::seconds kStatsEvery{5};

}  // namespace

void Reports::start() {
  const auto engine = parts_.setup.engine();
  told_refusal_ = false;
  if (const std::string note = engine ? engine->take_note() : ""; !note.empty()) {
    GST_ELEMENT_WARNING(parts_.self, LIBRARY, INIT, ("%s", note.c_str()), (nullptr));
  }
  stats_posted_ = Clock::now();
  if (engine) tell_notes(engine);
  told_latency_ = GST_CLOCK_TIME_NONE;
}

void Reports::see_frame() {
  if (++frames_ % kLookEvery == 0) look();
}

void Reports::end_stream() {
  stats_posted_ = Clock::now();  // once is enough
  look();
  post_stats();
}

void Reports::look() {
  const auto engine = parts_.setup.engine();
  if (!engine) return;
  tell_notes(engine);
  if (const std::string why = told_refusal_ ? "" : engine->first_refusal(); !why.empty()) {
    told_refusal_ = true;
    GST_ELEMENT_WARNING(parts_.self, STREAM, FAILED, ("frames stay unanalysed: %s", why.c_str()), (nullptr));
  }
  if (Clock::now() - stats_posted_ > kStatsEvery) post_stats();
  look_at_latency();
}

void Reports::tell_notes(const std::shared_ptr<Engine>& engine) {
  const bool same = !told_of_.owner_before(engine) && !engine.owner_before(told_of_);
  if (!same) {  // also what was before this element shared it
    told_of_ = engine;
    notes_ = 0;
  }
  if (engine->notes().count() == notes_) return;
  const std::vector<EngineNote> notes = engine->notes().from(notes_, notes_);
  for (const EngineNote& note : notes) post_note(parts_.self, engine->backend_name(), note);
}

void Reports::look_at_latency() {
  const GstClockTime told = told_latency_;
  if (!GST_CLOCK_TIME_IS_VALID(told)) return;
  const GstClockTime now = parts_.latency();
  if (now <= told + told / 4 && now >= told / 2) return;
  told_latency_ = now;
  gst_element_post_message(parts_.self, gst_message_new_latency(GST_OBJECT(parts_.self)));
}

void Reports::post_stats() {
  stats_posted_ = Clock::now();
  GstStructure* stats = parts_.stats.to_structure(parts_.setup.engine().get());
  gst_element_post_message(parts_.self, gst_message_new_element(GST_OBJECT(parts_.self), stats));
}

}  // namespace posecam::gst
