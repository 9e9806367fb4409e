// neuronjson on pictures that have names.

#include <filesystem>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/element/result_buffers.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const GstVideoInfo kInfo = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);

HarnessPtr json_harness(const std::string& more) {
  HarnessPtr h(gst_harness_new_parse(("neuronjson " + more).c_str()));
  set_caps(h.get(), kInfo);
  return h;
}

/// A frame with somebody at that share of its width, which says which picture it is.
void push_at(GstHarness* h, guint64 place, float x) {
  GstBuffer* frame = noise_frame(kInfo, somebody(x, 0.5F)).release();
  GST_BUFFER_OFFSET(frame) = place;
  EXPECT_EQ(gst_harness_push(h, frame), GST_FLOW_OK);
}

TEST(NeuronJsonStills, GiveAPictureItsOwnNameHoweverManyAreLostBeforeIt) {
  const TempDir dir;
  {
    const std::string names = "names=\"a\nb\nc\" ";
    auto h = json_harness(names + "format=openpose location=" + (dir.path() / "o").string() + " ! neuronjson " + names +
                          "location=" + (dir.path() / "l").string());
    push_at(h.get(), 0, 0.25F);
    push_at(h.get(), 2, 0.75F);
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  }
  const auto nose = [&](const char* name) {
    const auto document = nlohmann::json::parse(read_file(dir.path() / "o" / name));
    return document["people"][0]["pose_keypoints_2d"][0].get<double>();
  };
  EXPECT_EQ(nose("a_keypoints.json"), 16);
  EXPECT_EQ(nose("c_keypoints.json"), 48);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / "o/b_keypoints.json"));
  const std::string lines = read_file(dir.path() / "l");
  EXPECT_EQ(nlohmann::json::parse(lines.substr(lines.find('\n')))["frame_id"], 2);
}

TEST(NeuronJsonStills, AreCountedWhereOffsetsAreNoPlaces) {
  const TempDir dir;
  {
    auto h = json_harness("names=\"a\nb\" location=" + (dir.path() / "l").string());
    push_at(h.get(), 921600, 0.25F);  // bytes, as file sources count
    push_at(h.get(), 1843200, 0.25F);
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  }
  const std::string lines = read_file(dir.path() / "l");
  EXPECT_EQ(nlohmann::json::parse(lines.substr(0, lines.find('\n')))["frame_id"], 0);
  EXPECT_EQ(nlohmann::json::parse(lines.substr(lines.find('\n')))["frame_id"], 1);
}

TEST(NeuronJsonStills, GiveCocosResultsTheLastNumberOfEachName) {
  const TempDir dir;
  const std::string file = (dir.path() / "c.json").string();
  {
    auto h =
        json_harness("names=\"COCO_val2014_000000000785\nCOCO_val2014_000000001000\n1\" format=coco location=" + file);
    for (int i = 0; i < 3; ++i) push_at(h.get(), GST_BUFFER_OFFSET_NONE, 0.5F);
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  }
  std::vector<int> ids;
  for (const auto& person : nlohmann::json::parse(read_file(file))) ids.push_back(person["image_id"]);
  EXPECT_THAT(ids, ElementsAre(785, 1000, 1));
}

TEST(NeuronJsonStills, RefuseNamesThatWouldShareAnImageId) {
  const auto json = launch("neuronjson name=json format=coco location=/dev/null names=\"a1\nb1\"");
  const BusCounter bus(json.get());
  EXPECT_EQ(gst_element_set_state(json.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  EXPECT_THAT(bus.of(GST_MESSAGE_ERROR, "neuronjson"), ElementsAre(HasSubstr("a1 and b1 would both be image 1")));
}

}  // namespace
}  // namespace posecam::test
