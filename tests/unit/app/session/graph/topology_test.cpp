#include "app/session/graph/topology.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/own_plugin.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

using ::testing::HasSubstr;

std::string text_of(GstElement* element, const char* property) {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(element), property, &value);
  gchar* text = gst_value_serialize(&value);
  std::string result = G_VALUE_HOLDS_STRING(&value) ? g_value_get_string(&value) : text;
  g_free(text);
  g_value_unset(&value);
  return result;
}

class TopologyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::start_gstreamer_with_our_plugin(); }

  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  void build(const SessionSpec& spec) {
    built_ = {};
    auto outputs = OutputSet::lock(spec);
    ASSERT_TRUE(outputs) << outputs.error().message;
    outputs_.emplace(*std::move(outputs));
    auto topology = build_topology(spec, *outputs_);
    ASSERT_TRUE(topology) << topology.error().message;
    built_ = *std::move(topology);
    elements_.clear();
    GstIterator* all = gst_bin_iterate_elements(GST_BIN(built_.pipeline.get()));
    const auto add = [](const GValue* item, gpointer self) {
      auto* element = GST_ELEMENT(g_value_get_object(item));
      const char* factory = GST_OBJECT_NAME(gst_element_get_factory(element));
      static_cast<TopologyTest*>(self)->elements_.emplace(factory, element);
    };
    gst_iterator_foreach(all, add, this);
    gst_iterator_free(all);
  }
  std::size_t count(const char* factory) const { return elements_.count(factory); }
  GstElement* one(const char* factory) const {
    const auto found = elements_.find(factory);
    EXPECT_NE(found, elements_.end()) << factory;
    return found == elements_.end() ? built_.infer : found->second;
  }

  TempDir folder_;
  std::optional<OutputSet> outputs_;
  Topology built_;
  std::multimap<std::string, GstElement*> elements_;
};

const Input kTest{.kind = InputKind::kTestSource, .given = "synthetic", .name = "test"};

TEST_F(TopologyTest, AnalysesAndDrawsNothingUnlessAsked) {
  build({.input = kTest});
  EXPECT_EQ(count("neuroninfer"), 1U);
  EXPECT_EQ(count("fakesink"), 1U);
  for (const char* unasked : {"neuronjson", "neuronoverlay", "fdsink", "filesink"}) EXPECT_EQ(count(unasked), 0U);
  EXPECT_EQ(built_.gate->limit, 0U);
  EXPECT_EQ(built_.video_sink, nullptr);
}

TEST_F(TopologyTest, TellsTheNetworkWhatTheSessionWants) {
  SessionSpec spec{.engine = {.model = "m", .cores = "0,2", .batch_size = 3},
                   .inference_interval = 4,
                   .shared_model = "shared",
                   .input = kTest,
                   .max_frames = 7};
  build(spec);
  EXPECT_EQ(text_of(built_.infer, "model"), "m");
  EXPECT_EQ(text_of(built_.infer, "cores"), "0,2");
  EXPECT_EQ(text_of(built_.infer, "batch-size"), "3");
  EXPECT_EQ(text_of(built_.infer, "inference-interval"), "4");
  EXPECT_EQ(text_of(built_.infer, "model-instance-id"), "shared");
  EXPECT_EQ(built_.gate->limit, 7U);
}

TEST_F(TopologyTest, HasAWriterForEachSinkOnTheDescriptorOfItsFile) {
  SessionSpec spec{.input = kTest};
  spec.input.kind = InputKind::kImages;
  spec.input.images = {"/1/x.png", "/1/x.jpg"};
  spec.input.image_names = {"x", "x-2"};
  for (const auto& [format, word] : {std::pair{ResultFormat::kNdjson, "ndjson"},
                                     {ResultFormat::kOpenpose, "openpose"},
                                     {ResultFormat::kCoco, "coco"},
                                     {ResultFormat::kMotion, "motion"}}) {
    spec.sinks = {{format, at(word), ""}};
    build(spec);
    GstElement* json = one("neuronjson");
    EXPECT_EQ(text_of(json, "format"), word);
    EXPECT_EQ(text_of(json, "location"), at(word));
    EXPECT_EQ(text_of(json, "fd"), std::to_string(outputs_->descriptor(at(word))));
    EXPECT_EQ(text_of(json, "stream-id"), "test");
    EXPECT_EQ(text_of(json, "clip-name"), "test");
    EXPECT_EQ(text_of(json, "names"), format == ResultFormat::kCoco ? "x\nx\n" : "x\nx-2\n");
  }
  spec.sinks = {{ResultFormat::kNdjson, "-", ""}, {ResultFormat::kCoco, at("c"), ""}};
  build(spec);
  EXPECT_EQ(count("neuronjson"), 2U);
}

TEST_F(TopologyTest, DropsFramesOfNoSourceThatHasNotSaidThatItIsLive) {
  build({.input = {.kind = InputKind::kAddress, .given = "x", .name = "x", .uri = "http://127.0.0.1/x.mp4"},
         .sinks = {{ResultFormat::kNdjson, "-", ""}}});
  EXPECT_EQ(text_of(built_.inlet, "leaky"), "no");
  EXPECT_EQ(count("videoflip"), 1U);
  make_live(built_.inlet, *built_.gate);
  EXPECT_EQ(text_of(built_.inlet, "leaky"), "downstream");
  EXPECT_TRUE(built_.gate->live);
}

TEST_F(TopologyTest, WritesVideosInTheContainerOfTheirNameOnTheirDescriptor) {
  for (const auto& [name, muxer] :
       {std::pair{"v.mp4", "mp4mux"}, {"v.mov", "qtmux"}, {"v.mkv", "matroskamux"}, {"v.avi", "avimux"}}) {
    build({.input = kTest, .video = {.file = at(name)}});
    EXPECT_EQ(count(muxer), 1U) << name;
    EXPECT_EQ(count("neuronoverlay"), 1U);
    ASSERT_EQ(built_.video_sink, one("fdsink"));
    EXPECT_EQ(text_of(built_.video_sink, "fd"), std::to_string(outputs_->descriptor(at(name))));
  }
}

TEST_F(TopologyTest, SaysThatThereIsNoScreen) {
  g_unsetenv("DISPLAY");
  g_unsetenv("WAYLAND_DISPLAY");
  const SessionSpec spec{.input = kTest, .video = {.window = true}};
  auto outputs = OutputSet::lock(spec);
  ASSERT_TRUE(outputs);
  const auto built = build_topology(spec, *outputs);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, Errc::kMedia);
  EXPECT_THAT(built.error().message, HasSubstr("the screen cannot be opened"));
}

}  // namespace
}  // namespace posecam::test
