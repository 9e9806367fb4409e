// Stages see the results of a stream in their order, in the source pad's task.

#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "elements/infer/gstneuroninfer.h"
#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"
#include "tests/element/results.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);
constexpr std::int64_t kMillisecond = 1'000'000;

/// Notes what it sees, and gives the objects of the n-th frame since a reset the identity n.
class Witness final : public ResultStage {
 public:
  struct Notes {
    std::mutex mutex;
    std::vector<std::string> seen;  ///< "reset", or time in ms, status, value and size of a frame
  };
  explicit Witness(std::shared_ptr<Notes> notes) : notes_(std::move(notes)) {}

  void process(const StageFrame& frame, FrameResult& result) override {
    ++since_reset_;
    for (Detection& object : result.detections) object.id = since_reset_;
    std::string note = frame.time_ns ? std::to_string(*frame.time_ns / kMillisecond) : "-";
    note += result.status == FrameStatus::kAnalysed  ? " " + std::to_string(fake_value(result))
            : result.status == FrameStatus::kSkipped ? " skipped"
                                                     : " unanalysed";
    if (frame.size != Size{16, 16}) note += " " + std::to_string(frame.size.width);
    std::lock_guard lock(notes_->mutex);
    notes_->seen.push_back(note);
  }
  void reset() override {
    since_reset_ = 0;
    std::lock_guard lock(notes_->mutex);
    notes_->seen.emplace_back("reset");
  }

 private:
  std::shared_ptr<Notes> notes_;
  std::int64_t since_reset_ = 0;
};

/// The element below PAUSED with the stage in it; a harness would play it at once.
class StageTest : public testing::Test {
 protected:
  void start(const std::string& more, std::unique_ptr<ResultStage> stage) {
    infer_.reset(gst_parse_launch_full(fake_line(more).c_str(), nullptr, GST_PARSE_FLAG_NONE, nullptr));
    ASSERT_TRUE(infer_);
    gst_object_ref_sink(infer_.get());
    GST_NEURON_INFER(infer_.get())->impl->add_stage(std::move(stage));
    h.reset(gst_harness_new_with_element(infer_.get(), "sink", "src"));
    set_caps(h.get(), kVideo);
  }
  void start(const std::string& more) { start(more, std::make_unique<Witness>(notes_)); }

  void push(int ms, std::uint8_t value, GstBufferFlags flag = {}) {
    gst::BufferPtr frame = frame_of(kVideo, static_cast<GstClockTime>(ms) * GST_MSECOND, value);
    if (flag) GST_BUFFER_FLAG_SET(frame.get(), flag);
    ASSERT_EQ(gst_harness_push(h.get(), frame.release()), GST_FLOW_OK);
  }
  std::shared_ptr<const FrameResult> pull() {
    const gst::BufferPtr out(gst_harness_pull(h.get()));
    return out ? gst::get_result(out.get()) : nullptr;
  }
  std::vector<std::string> seen() const {
    std::lock_guard lock(notes_->mutex);
    return notes_->seen;
  }
  void push_segment(GstClockTime start = 0) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = start;
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_segment(&segment)));
  }

  std::shared_ptr<Witness::Notes> notes_ = std::make_shared<Witness::Notes>();
  ElementRef infer_;
  HarnessPtr h;
};

TEST_F(StageTest, SeesEveryFrameInOrderHoweverCoresFinishAndWhatItChangesRidesOnTheBuffer) {
  constexpr int kFrames = 200;
  use_fake_device({.cores = 4, .on_run = [](CoreId core, std::uint64_t run, std::uint32_t) -> Result<void> {
                     if ((run + core) % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1 + core));
                     return {};
                   }});
  start("batch-size=2");
  std::vector<std::string> expected{"reset"};
  for (int i = 0; i < kFrames; ++i) {
    push(i, static_cast<std::uint8_t>(i + 1));
    expected.push_back(std::to_string(i) + " " + std::to_string(i + 1));
  }
  gst_harness_push_event(h.get(), gst_event_new_eos());
  for (int i = 0; i < kFrames; ++i) {
    const auto result = pull();
    ASSERT_TRUE(result);
    ASSERT_EQ(result->detections.size(), 1U);
    EXPECT_EQ(result->detections[0].id, i + 1);
  }
  EXPECT_EQ(seen(), expected);
}

TEST_F(StageTest, WhatItChangesIsInTheRegionsOfInterestToo) {
  use_fake_device({.cores = 1});
  start("max-batch-delay=0");
  push(0, 200);
  const gst::BufferPtr out(gst_harness_pull(h.get()));
  const auto rois = rois_of(out.get());
  ASSERT_EQ(rois.size(), 1U);
  EXPECT_EQ(rois[0].id, 1);
}

TEST_F(StageTest, SeesFramesThatWereNotAnalysedWithTheirTimes) {
  use_fake_device({.cores = 2});
  start("inference-interval=2 max-batch-delay=0");
  push(0, 5);
  push(1, 6);
  push(2, 7, GST_BUFFER_FLAG_CORRUPTED);
  push(3, 8);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(pull());
  EXPECT_THAT(seen(), testing::ElementsAre("reset", "0 5", "1 skipped", "2 unanalysed", "3 8"));
}

TEST_F(StageTest, SeesAFlushAsReset) {
  use_fake_device({.cores = 1});
  start("max-batch-delay=0");
  push(0, 5);
  ASSERT_TRUE(pull());
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  push_segment();
  push(7, 6);
  EXPECT_EQ(pull()->detections[0].id, 1) << "the first since";
  EXPECT_THAT(seen(), testing::ElementsAre("reset", "0 5", "reset", "7 6"));
}

TEST_F(StageTest, SeesDiscontAnotherSegmentAndCapsAsReset) {
  use_fake_device({.cores = 1});
  start("max-batch-delay=0");
  push(0, 5);
  push(1, 6, GST_BUFFER_FLAG_DISCONT);
  push_segment(40 * GST_MSECOND);  // a seek without a flush; times are those of the clip
  push(41, 7);
  const auto large = video_info(GST_VIDEO_FORMAT_BGR, 32, 16);
  GstCaps* caps = gst_video_info_to_caps(const_cast<GstVideoInfo*>(&large));
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_caps(caps)));
  gst_caps_unref(caps);
  ASSERT_EQ(gst_harness_push(h.get(), frame_of(large, 42 * GST_MSECOND, 8).release()), GST_FLOW_OK);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(pull());
  EXPECT_THAT(seen(), testing::ElementsAre("reset", "0 5", "reset", "1 6", "reset", "1 7", "reset", "2 8 32"));
}

TEST_F(StageTest, SeesOneResetWhereNothingChanges) {
  use_fake_device({.cores = 1});
  start("max-batch-delay=0");
  push(0, 5);
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "a", nullptr))));
  push_segment();  // the one that there was
  push(1, 6);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(pull());
  EXPECT_THAT(seen(), testing::ElementsAre("reset", "0 5", "1 6"));
}

/// What an element before has seen is there already.
TEST_F(StageTest, SeesWhatRidesOnTheBufferInTheEnd) {
  use_fake_device({.cores = 1});
  start("max-batch-delay=0");
  gst::BufferPtr frame = frame_of(kVideo, 0, 9);
  auto earlier = std::make_shared<FrameResult>();
  earlier->model = pose_model(coco18());
  earlier->poses = {person_in({0, 0, 1, 1})};
  gst::add_result(frame.get(), earlier);
  class Mover final : public ResultStage {
   public:
    void process(const StageFrame&, FrameResult& result) override { result.poses.at(0).id = 77; }
    void reset() override {}
  };
  GST_NEURON_INFER(infer_.get())->impl->add_stage(std::make_unique<Mover>());
  ASSERT_EQ(gst_harness_push(h.get(), frame.release()), GST_FLOW_OK);
  const auto both = pull();
  ASSERT_EQ(both->poses.size(), 1U);
  EXPECT_EQ(both->poses[0].id, 77);
  EXPECT_EQ(both->detections.at(0).id, 1);
  EXPECT_FALSE(earlier->poses[0].id) << "what is published does not change";
}

class Thrower final : public ResultStage {
 public:
  void process(const StageFrame&, FrameResult&) override {
    if (++frames_ == 3) throw std::runtime_error("a stage that throws");
  }
  void reset() override {}

 private:
  int frames_ = 0;
};

TEST_F(StageTest, AnExceptionIsOneErrorAndStopsTheStream) {
  use_fake_device({.cores = 1});
  start("max-batch-delay=0", std::make_unique<Thrower>());
  Messages messages(infer_.get());
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; i < 100000 && flow == GST_FLOW_OK; ++i) {
    flow = gst_harness_push(h.get(), frame_of(kVideo, 0, 1).release());
  }
  EXPECT_EQ(flow, GST_FLOW_ERROR);
  const auto error = messages.next(GST_MESSAGE_ERROR);
  ASSERT_TRUE(error);
  EXPECT_EQ(text_of(error.get()), "a stage that throws");
  gst_harness_push_event(h.get(), gst_event_new_eos());
  EXPECT_FALSE(messages.seen(GST_MESSAGE_ERROR)) << "once is enough";
  EXPECT_EQ(gst_harness_buffers_received(h.get()), 2U);
}

TEST_F(StageTest, GoesOnAfterAFlushThatFollowsAnException) {
  use_fake_device({.cores = 1});
  start("max-batch-delay=0", std::make_unique<Thrower>());
  Messages messages(infer_.get());
  while (gst_harness_push(h.get(), frame_of(kVideo, 0, 1).release()) == GST_FLOW_OK) {
  }
  gst_harness_push_event(h.get(), gst_event_new_flush_start());
  gst_harness_push_event(h.get(), gst_event_new_flush_stop(TRUE));
  while (GstBuffer* old = gst_harness_try_pull(h.get())) gst_buffer_unref(old);
  push_segment();
  push(0, 5);
  EXPECT_TRUE(pull());
}

}  // namespace
}  // namespace posecam::test
