#include <algorithm>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "pipeline/output/result_file.h"
#include "tests/element/infer/counted_memory.h"
#include "tests/element/result_buffers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/watchdog.h"

namespace posecam::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const GstVideoInfo kInfo = video_info(GST_VIDEO_FORMAT_BGR, 64, 48);

HarnessPtr json_harness(const std::string& more) {
  HarnessPtr h(gst_harness_new_parse(("neuronjson " + more).c_str()));
  set_caps(h.get(), kInfo);
  return h;
}

GstFlowReturn push(GstHarness* h) { return gst_harness_push(h, noise_frame(kInfo, somebody(0.5F, 0.5F)).release()); }

/// The frame ids of NDJSON text, which must consist of whole, valid lines.
std::vector<int> frames_of(const std::string& text) {
  EXPECT_TRUE(text.empty() || text.back() == '\n');
  std::vector<int> frames;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) frames.push_back(nlohmann::json::parse(line)["frame_id"]);
  return frames;
}

/// Frames through a fake device, to the element and on, without an end.
PipelinePtr endless(const std::string& json) {
  use_fake_device({});
  return launch("videotestsrc name=source ! video/x-raw,format=BGR,width=16,height=16 ! " + fake_line() +
                " ! neuronjson " + json + " ! fakesink sync=false");
}

/// The first error on the pipeline's bus; it plays until then.
std::string play_until_error(GstElement* pipeline) {
  std::string text = play(pipeline);
  EXPECT_EQ(gst_element_set_state(pipeline, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  return text;
}

TEST(NeuronJson, PassesTheVeryFrameOnAndNeverLooksAtItsPixels) {
  CountedMemory memory;
  auto h = json_harness("location=/dev/null");
  const gst::BufferPtr held = memory.new_buffer(GST_VIDEO_INFO_SIZE(&kInfo));
  gst::add_result(held.get(), somebody(0.5F, 0.5F));
  CountedMemory::reset();
  ASSERT_EQ(gst_harness_push(h.get(), gst_buffer_ref(held.get())), GST_FLOW_OK);
  EXPECT_EQ(gst::BufferPtr(gst_harness_pull(h.get())).get(), held.get());
  EXPECT_EQ(CountedMemory::use().mapped, 0);
  EXPECT_EQ(CountedMemory::use().copied, 0);
}

// --- when lines can be read --------------------------------------------------------------------------------------

TEST(NeuronJson, EachLineIsReadableAtOnce) {
  const TempDir dir;
  const std::string fifo = (dir.path() / "fifo").string();
  const std::string file = (dir.path() / "a.ndjson").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  {
    const HarnessPtr h(
        gst_harness_new_parse(("neuronjson location=" + fifo + " ! neuronjson location=" + file).c_str()));
    set_caps(h.get(), kInfo);
    for (int i = 0; i < 5; ++i) {
      ASSERT_EQ(push(h.get()), GST_FLOW_OK);
      std::string line(1 << 16, '\0');
      line.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(reader, line.data(), line.size()), 0)));
      EXPECT_THAT(frames_of(line), ElementsAre(i));
      EXPECT_EQ(frames_of(read_file(file + ".part")).size(), static_cast<std::size_t>(i + 1));
    }
  }
  ::close(reader);
}

TEST(NeuronJson, NumbersTheFramesOfEachStreamFromZero) {
  const TempDir dir;
  const fs::path file = dir.path() / "a.ndjson";
  use_fake_device({});
  auto pipeline = launch("videotestsrc num-buffers=3 ! video/x-raw,format=BGR,width=16,height=16 ! " + fake_line() +
                         " ! neuronjson location=" + file.string() + " ! fakesink");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(play(pipeline.get()), "");
    gst_element_set_state(pipeline.get(), GST_STATE_READY);
    EXPECT_THAT(frames_of(read_file(file)), ElementsAre(0, 1, 2));
  }
}

TEST(NeuronJson, AStopInMidStreamLeavesWholeLines) {
  const TempDir dir;
  const fs::path file = dir.path() / "a.ndjson";
  {
    auto h = json_harness("location=" + file.string());
    for (int i = 0; i < 3; ++i) ASSERT_EQ(push(h.get()), GST_FLOW_OK);
  }
  EXPECT_THAT(frames_of(read_file(file.string() + ".part")), ElementsAre(0, 1, 2));
  EXPECT_FALSE(fs::exists(file));
}

TEST(NeuronJson, AStopInMidStreamLeavesNoHalfDocumentUnderItsName) {
  const TempDir dir;
  for (const std::string format : {"coco", "motion", "openpose"}) {
    const fs::path place = dir.path() / format;
    {
      auto h = json_harness("format=" + format + " location=" + place.string());
      for (int i = 0; i < 3; ++i) ASSERT_EQ(push(h.get()), GST_FLOW_OK);
    }
    if (format != "openpose") {
      EXPECT_FALSE(fs::exists(place));
      continue;
    }
    int documents = 0;
    for (const auto& entry : fs::directory_iterator(place)) {
      EXPECT_EQ(nlohmann::json::parse(read_file(entry.path()))["people"].size(), 1U);
      ++documents;
    }
    EXPECT_EQ(documents, 3);
  }
}

TEST(NeuronJson, EveryFormatIsCompleteAtTheEndOfTheStream) {
  const TempDir dir;
  for (const std::string format : {"ndjson", "coco", "motion"}) {
    const fs::path file = dir.path() / format;
    auto h = json_harness("format=" + format + " location=" + file.string());
    for (int i = 0; i < 3; ++i) ASSERT_EQ(push(h.get()), GST_FLOW_OK);
    ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
    const std::string text = read_file(file);
    if (format == "ndjson") {
      EXPECT_THAT(frames_of(text), ElementsAre(0, 1, 2));
    } else {
      EXPECT_EQ(nlohmann::json::parse(text).size(), 3U) << format;
    }
  }
}

// --- outputs that fail -------------------------------------------------------------------------------------------

TEST(NeuronJson, WritesToTheDescriptorOfAnApplicationThatNamesTheFile) {
  const TempDir dir;
  const std::string file = (dir.path() / "a").string();
  for (const std::string format : {"ndjson", "coco", "motion"}) {
    const int fd = open_part(file);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::ftruncate(fd, 0), 0);
    {
      auto h = json_harness(fmt::format("format={} location={} fd={}", format, file, fd));
      for (int i = 0; i < 3; ++i) ASSERT_EQ(push(h.get()), GST_FLOW_OK);
      ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
    }
    EXPECT_FALSE(fs::exists(file));
    EXPECT_FALSE(read_file(file + ".part").empty()) << format;
    EXPECT_EQ(open_part(file), -1) << "the lock went with the element";
    ::close(fd);
  }
}

TEST(NeuronJson, AFullDiskIsOneErrorAndTheStreamStops) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not here";
  for (const std::string format : {"ndjson", "coco"}) {
    auto pipeline = endless("name=json location=/dev/full format=" + format);
    const BusCounter bus(pipeline.get());
    EXPECT_THAT(play_until_error(pipeline.get()), HasSubstr("/dev/full: cannot write: No space left on device"));
    EXPECT_THAT(bus.codes_of("neuronjson"), ElementsAre(GST_RESOURCE_ERROR_NO_SPACE_LEFT));
    EXPECT_THAT(bus.of(GST_MESSAGE_ERROR, "neuronjson"), ElementsAre(HasSubstr("free some space")));
    // The source and neuroninfer may add that the stream stopped, as every source and queue does.
    EXPECT_THAT(bus.of(GST_MESSAGE_ERROR, "neuroninfer"), testing::Each(HasSubstr("Internal data stream error")));
    // Another output, and the same pipeline goes on.
    GstElement* json = gst_bin_get_by_name(GST_BIN(pipeline.get()), "json");
    GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline.get()), "source");
    g_object_set(json, "location", "/dev/null", nullptr);
    g_object_set(source, "num-buffers", 3, nullptr);
    gst_object_unref(json);
    gst_object_unref(source);
    EXPECT_EQ(play(pipeline.get()), "");
  }
}

TEST(NeuronJson, AnErrorIsToldOnceHoweverManyFramesFollowAndAtTheEnd) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not here";
  for (const std::string format : {"ndjson", "coco", "motion"}) {
    auto h = json_harness("location=/dev/full format=" + format);
    const BusCounter bus(h->element);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(push(h.get()), format == "motion" ? GST_FLOW_OK : GST_FLOW_ERROR);
    gst_harness_push_event(h.get(), gst_event_new_eos());
    EXPECT_NE(push(h.get()), GST_FLOW_OK);
    EXPECT_EQ(bus.of(GST_MESSAGE_ERROR, "neuronjson").size(), 1U) << format;
  }
}

TEST(NeuronJson, ADiskThatFillsUpKeepsWholeLinesAndWholeDocuments) {
  const TempDir dir;
  if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "cannot mount a small tmpfs";
  for (const std::string format : {"ndjson", "openpose"}) {
    const fs::path place = dir.path() / format;
    auto pipeline = endless("location=" + place.string() + " format=" + format);
    const BusCounter bus(pipeline.get());
    EXPECT_THAT(play_until_error(pipeline.get()), HasSubstr("No space left on device")) << format;
    EXPECT_EQ(bus.of(GST_MESSAGE_ERROR, "neuronjson").size(), 1U);
    if (format == "openpose") {
      for (const auto& entry : fs::directory_iterator(place)) {
        EXPECT_TRUE(nlohmann::json::accept(read_file(entry.path()))) << entry.path();
      }
    } else {
      EXPECT_FALSE(fs::exists(place));
      EXPECT_THAT(frames_of(read_file(place.string() + ".part")), testing::Not(IsEmpty()));
    }
    fs::remove_all(place);
    fs::remove(place.string() + ".part");
  }
  EXPECT_EQ(::umount(dir.path().c_str()), 0);
}

TEST(NeuronJson, AReaderThatWentAwayIsOneErrorAndNoSignal) {
  ASSERT_EQ(std::signal(SIGPIPE, SIG_DFL), SIG_DFL);
  const TempDir dir;
  const std::string fifo = (dir.path() / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  auto h = json_harness("location=" + fifo);
  const BusCounter bus(h->element);
  ASSERT_EQ(push(h.get()), GST_FLOW_OK);
  ::close(reader);
  EXPECT_EQ(push(h.get()), GST_FLOW_ERROR);
  EXPECT_EQ(push(h.get()), GST_FLOW_ERROR);
  EXPECT_THAT(bus.of(GST_MESSAGE_ERROR, "neuronjson"), ElementsAre(HasSubstr("its reader has gone")));
}

TEST(NeuronJson, AReaderThatTakesNothingDoesNotHoldUpTheEnd) {
  const TempDir dir;
  const std::string fifo = (dir.path() / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  auto pipeline = endless("location=" + fifo);
  const BusCounter bus(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const int writer = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK);
  pollfd room{writer, POLLOUT, 0};
  const Watchdog watchdog(30);
  while (::poll(&room, 1, 0) == 1) std::this_thread::yield();  // until the pipe is full
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_THAT(bus.of(GST_MESSAGE_ERROR, "neuronjson"), testing::IsEmpty());
  ::close(writer);
  ::close(reader);
}

TEST(NeuronJson, TwoOnOneFileAreOneError) {
  const TempDir dir;
  const std::string file = (dir.path() / "a.ndjson").string();
  use_fake_device({});
  auto pipeline = launch("videotestsrc num-buffers=5 ! video/x-raw,format=BGR,width=16,height=16 ! " + fake_line() +
                         " ! neuronjson location=" + file + " ! neuronjson location=" + file + " ! fakesink");
  const BusCounter bus(pipeline.get());
  EXPECT_THAT(play_until_error(pipeline.get()), HasSubstr("give each a file of its own"));
  EXPECT_EQ(bus.of(GST_MESSAGE_ERROR, "neuronjson").size(), 1U);
}

// --- properties --------------------------------------------------------------------------------------------------

/// Its state, what it wrote and dropped, and its last error.
std::string health_of(GstHarness* h) {
  GstElement* json = gst_harness_find_element(h, "neuronjson");
  GstStructure* health = nullptr;
  g_object_get(json, "health", &health, nullptr);
  gst_object_unref(json);
  guint64 written = 0;
  guint64 dropped = 0;
  EXPECT_TRUE(
      gst_structure_get(health, "written", G_TYPE_UINT64, &written, "dropped", G_TYPE_UINT64, &dropped, nullptr));
  std::string text = std::string(gst_structure_get_string(health, "state")) + " " + std::to_string(written) + " " +
                     std::to_string(dropped) + " " + gst_structure_get_string(health, "last-error");
  gst_structure_free(health);
  return text;
}

TEST(NeuronJson, SaysHowItsOutputIs) {
  const TempDir dir;
  auto h = json_harness("location=" + (dir.path() / "a.ndjson").string());
  EXPECT_EQ(health_of(h.get()), "open 0 0 ");
  for (int i = 0; i < 3; ++i) ASSERT_EQ(push(h.get()), GST_FLOW_OK);
  EXPECT_EQ(health_of(h.get()), "open 3 0 ");
  ASSERT_TRUE(gst_harness_push_event(h.get(), gst_event_new_eos()));
  EXPECT_EQ(health_of(h.get()), "closed 3 0 ");
  GstElement* json = gst_harness_find_element(h.get(), "neuronjson");
  gst_element_set_state(json, GST_STATE_NULL);
  EXPECT_EQ(health_of(h.get()), "closed 3 0 ") << "of the last one";
  gst_object_unref(json);
}

TEST(NeuronJson, SaysWhyItsOutputFailed) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not here";
  auto h = json_harness("location=/dev/full");
  EXPECT_EQ(push(h.get()), GST_FLOW_ERROR);
  EXPECT_THAT(health_of(h.get()), testing::StartsWith("failed 0 0 /dev/full: cannot write: No space left on device"));
}

TEST(NeuronJson, PropertiesSetWhileItRunsWarnAndChangeNothing) {
  auto h = json_harness("location=/dev/null stream-id=cam1");
  const BusCounter bus(h->element);
  GstElement* json = gst_harness_find_element(h.get(), "neuronjson");
  g_object_set(json, "location", "/nonexistent/a", "stream-id", "cam2", "clip-name", "x", "names", "x", "fd", 7,
               nullptr);
  gst_util_set_object_arg(G_OBJECT(json), "format", "coco");
  EXPECT_EQ(push(h.get()), GST_FLOW_OK);
  gchar* location = nullptr;
  gchar* stream = nullptr;
  gint format = -1;
  g_object_get(json, "location", &location, "stream-id", &stream, "format", &format, nullptr);
  EXPECT_STREQ(location, "/dev/null");
  EXPECT_STREQ(stream, "cam1");
  EXPECT_EQ(format, 0);
  g_free(location);
  g_free(stream);
  EXPECT_EQ(bus.of(GST_MESSAGE_WARNING, "neuronjson").size(), 6U);
  EXPECT_THAT(bus.of(GST_MESSAGE_WARNING, "neuronjson")[0], HasSubstr("location cannot change"));
  EXPECT_THAT(bus.of(GST_MESSAGE_ERROR, "neuronjson"), IsEmpty());
  gst_object_unref(json);
}

TEST(NeuronJson, FormatIsOneOfFourWords) {
  auto* json = GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("neuronjson", nullptr)));
  gint value = -1;
  for (const char* word : {"motion", "coco", "openpose", "ndjson"}) {
    gst_util_set_object_arg(G_OBJECT(json), "format", word);
    g_object_get(json, "format", &value, nullptr);
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(json), "format");
    EXPECT_THAT(g_enum_get_value(G_PARAM_SPEC_ENUM(spec)->enum_class, value)->value_nick, testing::StrEq(word));
    GstPluginAPIFlags flags{};
    EXPECT_TRUE(gst_type_is_plugin_api(spec->value_type, &flags));
  }
  gst_object_unref(json);
}

TEST(NeuronJson, EveryPropertySaysWhenItMayChange) {
  auto* json = GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("neuronjson", nullptr)));
  for (const char* name : {"format", "location", "fd", "stream-id", "clip-name", "names", "files"}) {
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(json), name);
    ASSERT_NE(spec, nullptr) << name;
    EXPECT_TRUE(spec->flags & GST_PARAM_MUTABLE_READY) << name;
    EXPECT_THAT(g_param_spec_get_blurb(spec), HasSubstr("May change in NULL and READY")) << name;
  }
  gst_object_unref(json);
}

}  // namespace
}  // namespace posecam::test
