// What may be set when.

#include <gmock/gmock.h>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);

TEST(NeuronInferProperties, AreAllDocumented) {
  const ElementRef infer(gst_element_factory_make("neuroninfer", nullptr));
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(infer.get()), &count);
  std::vector<std::string> own;
  for (guint i = 0; i < count; ++i) {
    if (specs[i]->owner_type != G_OBJECT_TYPE(infer.get())) continue;
    own.emplace_back(specs[i]->name);
    EXPECT_GT(std::string(g_param_spec_get_blurb(specs[i])).size(), 20U) << specs[i]->name;
    const bool writable = (specs[i]->flags & G_PARAM_WRITABLE) != 0;
    const bool says_when = (specs[i]->flags & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PLAYING)) != 0;
    EXPECT_EQ(writable, says_when) << specs[i]->name;
  }
  g_free(specs);
  EXPECT_THAT(own, testing::IsSupersetOf({"model",
                                          "model-instance-id",
                                          "device",
                                          "cores",
                                          "batch-size",
                                          "max-batch-delay",
                                          "max-in-flight",
                                          "inference-interval",
                                          "threshold",
                                          "paf-threshold",
                                          "nms-threshold",
                                          "max-people",
                                          "net-resolution",
                                          "inference-region",
                                          "object-class",
                                          "labels-file",
                                          "classes",
                                          "qos",
                                          "scheduling-policy",
                                          "stats",
                                          "latency"}));
}

TEST(NeuronInferProperties, WithoutAModelTheBuiltInOneRunsAndThePipelineIsTold) {
  const TempDir empty;
  const char* before = std::getenv("XDG_DATA_HOME");
  const std::string kept = before ? before : "";
  setenv("XDG_DATA_HOME", empty.path().c_str(), 1);
  const ElementRef infer(gst_element_factory_make("neuroninfer", nullptr));
  g_object_set(infer.get(), "device", "opencv", nullptr);
  Messages messages(infer.get());
  ASSERT_EQ(gst_element_set_state(infer.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  const auto info = messages.seen(GST_MESSAGE_INFO);
  ASSERT_TRUE(info);
  EXPECT_THAT(text_of(info.get()), testing::AllOf(testing::HasSubstr("running openpose-lite"),
                                                  testing::HasSubstr("posecam models pull openpose")));
  gst_element_set_state(infer.get(), GST_STATE_NULL);
  if (before) {
    setenv("XDG_DATA_HOME", kept.c_str(), 1);
  } else {
    unsetenv("XDG_DATA_HOME");
  }
}

TEST(NeuronInferProperties, ThoseOfTheModelCannotChangeWhilePlaying) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("batch-size=2 max-batch-delay=1"));
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1);
  g_object_set(infer.get(), "batch-size", 4U, nullptr);
  const auto warning = messages.next(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(text_of(warning.get()), testing::HasSubstr("batch-size cannot change"));
  guint kept = 0;
  g_object_get(infer.get(), "batch-size", &kept, nullptr);
  EXPECT_EQ(kept, 2U);
}

TEST(NeuronInferProperties, TheIntervalChangesWithTheNextFrame) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line());
  const ElementRef infer = find_infer(h.get());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 4);
  g_object_set(infer.get(), "inference-interval", 4U, nullptr);
  push_frames(h.get(), kVideo, 8, 4);
  expect_in_order(h.get(), 12);
  EXPECT_EQ(stat(infer.get(), "analysed"), 6);
  EXPECT_EQ(stat(infer.get(), "skipped"), 6);
}

TEST(NeuronInferProperties, WhatIsSetInReadyHoldsFromPausedOn) {
  use_fake_device({.cores = 1});
  auto pipeline = launch("videotestsrc num-buffers=8 ! video/x-raw,width=16,height=16,format=BGR ! " +
                         fake_line("batch-size=1") + " ! fakesink");
  const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
  ASSERT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_set(infer.get(), "batch-size", 8U, "max-batch-delay", 10000U, nullptr);
  ASSERT_EQ(play(pipeline.get()), "");
  EXPECT_EQ(stat(infer.get(), "batch-fill"), 8);
}

TEST(NeuronInferProperties, ABadValueSetInReadyFailsOnTheWayToPaused) {
  use_fake_device({.cores = 1});
  auto pipeline = launch("videotestsrc num-buffers=1 ! " + fake_line() + " ! fakesink");
  const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
  ASSERT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_set(infer.get(), "net-resolution", "9x9", nullptr);
  EXPECT_THAT(play(pipeline.get()), testing::HasSubstr("9x9"));
}

TEST(NeuronInferProperties, ASecondAttemptAfterAFailedOneFailsAsWell) {
  use_fake_device({.cores = 1});
  auto pipeline = launch("videotestsrc num-buffers=3 ! " + fake_line() + " ! fakesink");
  const ElementRef infer(gst_bin_get_by_name(GST_BIN(pipeline.get()), "infer"));
  ASSERT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_set(infer.get(), "model", "nonsense", nullptr);
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_THAT(play(pipeline.get()), testing::HasSubstr("nonsense"));
    gst_element_set_state(pipeline.get(), GST_STATE_READY);
  }
}

TEST(NeuronInferProperties, LabelsComeFromAFile) {
  use_fake_device({.cores = 1});
  const TempDir dir;
  write_file(dir.path() / "labels.txt", "person\r\n");
  auto h = harness(fake_line("labels-file=" + (dir.path() / "labels.txt").string()));
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 1);
  gst::BufferPtr out(gst_harness_pull(h.get()));
  const auto result = gst::get_result(out.get());
  ASSERT_EQ(result->detections.size(), 1U);
  EXPECT_EQ(result->label_of(result->detections.front()), "person");
}

TEST(NeuronInferProperties, ALabelsFileThatDoesNotFitIsNamed) {
  use_fake_device({.cores = 1});
  const TempDir dir;
  const std::string file = (dir.path() / "labels.txt").string();
  write_file(file, "person\ncar\n");
  auto two = launch("videotestsrc num-buffers=1 ! " + fake_line("labels-file=" + file) + " ! fakesink");
  EXPECT_THAT(play(two.get()), testing::HasSubstr(file + ": 2 labels, but model one-object has 1 class"));
  auto pipeline = launch("videotestsrc num-buffers=1 ! " + fake_line("labels-file=/nonexistent.txt") + " ! fakesink");
  EXPECT_THAT(play(pipeline.get()), testing::HasSubstr("labels-file=/nonexistent.txt: cannot be read"));
}

}  // namespace
}  // namespace posecam::test
