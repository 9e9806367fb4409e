// What the documents say of frames beside the people on them: lost by the source, not analysed, of which file.

#include <filesystem>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "models/core/names.h"
#include "tests/element/result_buffers.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const GstVideoInfo kInfo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);

std::vector<json> lines_of(const fs::path& file) {
  std::vector<json> all;
  std::istringstream text(read_file(file));
  for (std::string line; std::getline(text, line);) all.push_back(json::parse(line));
  return all;
}

GstEvent* dropped(guint64 frames) {
  return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                              gst_structure_new(kDroppedEvent, kDroppedFrames, G_TYPE_UINT64, frames, nullptr));
}

class JsonFrames : public testing::Test {
 protected:
  void start(const std::string& line) {
    h.reset(gst_harness_new_parse(line.c_str()));
    set_caps(h.get(), kInfo);
  }
  void push(const std::shared_ptr<FrameResult>& result) {
    ASSERT_EQ(gst_harness_push(h.get(), noise_frame(kInfo, result).release()), GST_FLOW_OK);
  }
  void end() { ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos())); }

  const TempDir dir;
  const fs::path place = dir.path() / "out";
  HarnessPtr h;
};

TEST_F(JsonFrames, TheLineBehindALossSaysHowManyFramesTheSourceLost) {
  use_fake_device({.cores = 1});
  start(fake_line("batch-size=4 " + kLongDelay) + " ! neuronjson location=" + place.string());
  const AtOnce at_once;
  push_frames(h.get(), kInfo, 2);
  gst_harness_push_event(h.get(), dropped(3));
  gst_harness_push_event(h.get(), dropped(4));
  push_frames(h.get(), kInfo, 1, 2);
  gst_harness_push_event(h.get(), gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("other")));
  push_frames(h.get(), kInfo, 1, 3);
  end();
  expect_in_order(h.get(), 4);
  while (GstEvent* event = gst_harness_pull_event(h.get())) {
    const bool last = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    if (last) break;
  }
  const auto lines = lines_of(place);
  ASSERT_EQ(lines.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(lines[i].value("dropped", 0), i == 2 ? 7 : 0) << i;
    EXPECT_EQ(lines[i].contains("dropped"), i == 2) << i;
    EXPECT_EQ(lines[i]["frame_id"], i) << "counts the frames that came";
  }
  GstElement* element = gst_harness_find_element(h.get(), "neuronjson");
  GstStructure* health = nullptr;
  g_object_get(element, "health", &health, nullptr);
  guint64 lost = 0;
  EXPECT_TRUE(gst_structure_get_uint64(health, "source-dropped", &lost));
  EXPECT_EQ(lost, 7U);
  gst_structure_free(health);
  gst_object_unref(element);
}

/// A camera that loses frames does so because the device is busy: half-empty batches would make that worse.
TEST_F(JsonFrames, ALossDoesNotCloseTheBatch) {
  use_fake_device({.cores = 1});
  start(fake_line("batch-size=4 " + kLongDelay));
  const AtOnce at_once;
  for (int i = 0; i < 4; ++i) {
    gst_harness_push_event(h.get(), dropped(1));
    push_frames(h.get(), kInfo, 1, i);
  }
  expect_in_order(h.get(), 4);
  EXPECT_EQ(stat(find_infer(h.get()).get(), "batches"), 1);
}

TEST_F(JsonFrames, AFrameThatWasNotAnalysedHasNoDocumentOfItsOwn) {
  start("neuronjson format=openpose clip-name=clip location=" + place.string());
  push(somebody(0.5F, 0.5F));
  push(nobody(FrameStatus::kSkipped));
  push(nobody(FrameStatus::kUnanalysed));
  push(nobody());
  end();
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(place)) files.insert(entry.path().filename());
  EXPECT_THAT(files, testing::ElementsAre("clip_000000000000_keypoints.json", "clip_000000000003_keypoints.json"));
}

TEST_F(JsonFrames, EachLineOfPicturesNamesTheFile) {
  start("neuronjson location=" + place.string());
  GstElement* element = gst_harness_find_element(h.get(), "neuronjson");
  gst_element_set_state(element, GST_STATE_NULL);
  g_object_set(element, "names", "a\na-2\n", "files", "a.jpg\na \"b\".PNG\n", nullptr);
  gst_element_set_state(element, GST_STATE_PLAYING);
  gst_object_unref(element);
  set_caps(h.get(), kInfo);
  for (int i = 0; i < 3; ++i) push(nobody());
  end();
  const auto lines = lines_of(place);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["file"], "a.jpg");
  EXPECT_EQ(lines[1]["file"], "a \"b\".PNG");
  EXPECT_FALSE(lines[2].contains("file"));
}

}  // namespace
}  // namespace posecam::test
