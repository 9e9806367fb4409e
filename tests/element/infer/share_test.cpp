// Several streams and one engine.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "elements/meta/result_meta.h"
#include "tests/element/harness.h"

namespace posecam::test {
namespace {

const GstVideoInfo kVideo = video_info(GST_VIDEO_FORMAT_BGR, 16, 16);

std::string shared_line(const std::string& id, const std::string& more = "") {
  return fake_line("model-instance-id=" + id + " " + more);
}

FakeOptions slow_device(std::uint32_t cores) {
  return {.cores = cores, .on_run = [](CoreId, std::uint64_t, std::uint32_t) -> Result<void> {
            std::this_thread::sleep_for(std::chrono::microseconds(500));
            return {};
          }};
}

/// All push as fast as they can until the first has `enough` frames. Returns how many the last one has of its share.
double smallest_share(const std::vector<HarnessPtr>& all, std::uint64_t enough) {
  std::vector<std::atomic<std::uint64_t>> pushed(all.size());
  std::atomic<bool> done = false;
  std::latch ready(static_cast<std::ptrdiff_t>(all.size()));
  {
    std::vector<std::jthread> pushers;
    for (std::size_t i = 0; i < all.size(); ++i) {
      pushers.emplace_back([&, i] {
        ready.arrive_and_wait();
        while (!done) {
          if (gst_harness_push(all[i].get(), frame_of(kVideo, 0, 1).release()) != GST_FLOW_OK) break;
          if (++pushed[i] >= enough) done = true;
        }
      });
    }
  }
  std::uint64_t total = 0;
  std::uint64_t least = enough;
  for (const auto& count : pushed) {
    total += count;
    least = std::min<std::uint64_t>(least, count);
  }
  return static_cast<double>(least * all.size()) / static_cast<double>(total);
}

class Fairness : public testing::TestWithParam<int> {};

/// Where the machine has other work, a stream whose thread gets no CPU looks like one that is treated badly, but not in
/// each of a few attempts.
TEST_P(Fairness, NoStreamGetsLessThanFourFifthsOfItsShareAndBatchesAreFull) {
  constexpr double kBatch = 4;
  const auto streams = static_cast<std::size_t>(GetParam());
  use_fake_device(slow_device(2));
  std::vector<HarnessPtr> all;
  for (std::size_t i = 0; i < streams; ++i) {
    all.push_back(harness(shared_line("fair" + std::to_string(streams), "batch-size=4 max-batch-delay=1000")));
    set_caps(all.back().get(), kVideo);
  }
  double share = 0;
  for (int attempt = 0; attempt < 3 && share < 0.8; ++attempt) share = smallest_share(all, 1000);
  EXPECT_GE(share, 0.8);
  EXPECT_GE(stat(find_infer(all.front().get()).get(), "batch-fill"), 0.95 * kBatch);
  for (const auto& h : all) gst_harness_push_event(h.get(), gst_event_new_eos());
}

INSTANTIATE_TEST_SUITE_P(Streams, Fairness, testing::Values(1, 4, 8));

/// "fake", with something to do or to count before a model is resolved and before its network is loaded.
class WatchedDevice final : public FakeDevice {
 public:
  explicit WatchedDevice(std::function<Result<void>()> on_open)
      : FakeDevice({.cores = 1}), on_open_(std::move(on_open)) {}

  Result<ModelSpec> resolve(const ModelSpec& original, const ModelWishes& wishes) const override {
    ++resolved_;
    return FakeDevice::resolve(original, wishes);
  }
  Result<std::unique_ptr<InferenceBackend>> open(const ModelSpec& model, const BackendOptions& options) const override {
    ++opened_;
    if (auto done = on_open_(); !done) return done.error();
    return FakeDevice::open(model, options);
  }
  int resolved() const { return resolved_; }
  int opened() const { return opened_; }

 private:
  const std::function<Result<void>()> on_open_;
  mutable std::atomic<int> resolved_ = 0;
  mutable std::atomic<int> opened_ = 0;
};

/// Elements of these lines to READY, each in a thread of its own. Returns how many got there.
int open_at_once(const std::vector<std::string>& lines) {
  std::atomic<int> open = 0;
  {
    std::vector<std::jthread> threads;
    for (const std::string& line : lines) {
      threads.emplace_back([&open, line] {
        const PipelinePtr element(gst_parse_launch(line.c_str(), nullptr));
        if (gst_element_set_state(element.get(), GST_STATE_READY) == GST_STATE_CHANGE_SUCCESS) ++open;
      });
    }
  }
  return open;
}

TEST(NeuronInferShared, NetworksOfDifferentIdsLoadAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable changed;
  int loading = 0;
  add_device(std::make_shared<WatchedDevice>([&]() -> Result<void> {
    std::unique_lock lock(mutex);
    ++loading;
    changed.notify_all();
    const bool met = changed.wait_for(lock, std::chrono::seconds(10), [&] { return loading == 2; });
    return met ? Result<void>{} : Error{Errc::kDevice, "the other network does not load meanwhile"};
  }));
  EXPECT_EQ(open_at_once({shared_line("one"), shared_line("two")}), 2);
}

TEST(NeuronInferShared, ANetworkOfOneIdIsLoadedOnceHoweverManyAskAtOnce) {
  constexpr int kElements = 4;
  std::mutex mutex;
  std::condition_variable changed;
  int held = 0;
  const auto device = std::make_shared<WatchedDevice>([] { return Result<void>{}; });
  add_device(device);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kElements; ++i) {
    threads.emplace_back([&] {
      const PipelinePtr element(gst_parse_launch(shared_line("once").c_str(), nullptr));
      EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
      std::unique_lock lock(mutex);  // none lets go before all have it
      ++held;
      changed.notify_all();
      EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(10), [&] { return held == kElements; }));
    });
  }
  threads.clear();
  EXPECT_EQ(device->opened(), 1);
}

TEST(NeuronInferShared, ANetworkThatCouldNotBeLoadedIsTriedAgain) {
  std::atomic<bool> there = false;
  add_device(std::make_shared<WatchedDevice>([&]() -> Result<void> {
    return there ? Result<void>{} : Error{Errc::kDevice, "not there yet"};
  }));
  EXPECT_EQ(open_at_once({shared_line("again"), shared_line("again")}), 0);
  there = true;
  EXPECT_EQ(open_at_once({shared_line("again")}), 1);
}

TEST(NeuronInferShared, AnElementResolvesItsModelOnce) {
  const auto device = std::make_shared<WatchedDevice>([] { return Result<void>{}; });
  add_device(device);
  EXPECT_EQ(open_at_once({shared_line("resolved", "inference-region=roi-list")}), 1);
  EXPECT_EQ(device->resolved(), 1);
}

TEST(NeuronInferShared, ALoneFrameWaitsNoLongerThanTheBatchDelay) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("batch-size=8 max-batch-delay=60"));
  set_caps(h.get(), kVideo);
  const AtOnce soon;
  push_frames(h.get(), kVideo, 1);
  expect_in_order(h.get(), 1);
}

TEST(NeuronInferShared, ALoneFrameWaitsForOthersAsLongAsTheBatchDelay) {
  use_fake_device({.cores = 1});
  auto h = harness(fake_line("batch-size=8 max-batch-delay=60"));
  set_caps(h.get(), kVideo);
  const auto started = std::chrono::steady_clock::now();
  push_frames(h.get(), kVideo, 1);
  expect_in_order(h.get(), 1);
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(60));
}

TEST(NeuronInferShared, AStreamWhoseSinkIsStuckHoldsUpNobody) {
  use_fake_device({.cores = 1});
  auto stuck = harness(shared_line("stuck", "batch-size=2 max-batch-delay=1"));
  auto other = harness(shared_line("stuck", "batch-size=2 max-batch-delay=1"));
  set_caps(stuck.get(), kVideo);
  set_caps(other.get(), kVideo);
  GstPad* src = gst_element_get_static_pad(find_infer(stuck.get()).get(), "src");
  std::latch blocked(1);
  const gulong probe = gst_pad_add_probe(
      src, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER),
      [](GstPad*, GstPadProbeInfo*, gpointer data) {
        static_cast<std::latch*>(data)->count_down();
        return GST_PAD_PROBE_OK;  // stays blocked
      },
      &blocked, nullptr);
  std::atomic<int> taken = 0;
  std::thread pusher([&] {
    while (taken < 1000 && gst_harness_push(stuck.get(), frame_of(kVideo, 0, 1).release()) == GST_FLOW_OK) ++taken;
  });
  blocked.wait();
  push_frames(other.get(), kVideo, 200);
  expect_in_order(other.get(), 200);
  EXPECT_LT(taken, 100) << "a stuck stream must not collect frames without end";
  gst_harness_push_event(stuck.get(), gst_event_new_flush_start());
  pusher.join();
  gst_pad_remove_probe(src, probe);
  gst_object_unref(src);
}

TEST(NeuronInferShared, AStreamThatPausesInABatchHoldsUpNobody) {
  use_fake_device({.cores = 1});
  auto silent = harness(shared_line("silent", "batch-size=4 " + kLongDelay));
  auto other = harness(shared_line("silent", "batch-size=4 " + kLongDelay));
  set_caps(silent.get(), kVideo);
  set_caps(other.get(), kVideo);
  const AtOnce at_once;
  push_frames(silent.get(), kVideo, 1);
  push_frames(other.get(), kVideo, 7);  // fills the batch of the silent one, and one more
  expect_in_order(silent.get(), 1);
  expect_in_order(other.get(), 7);
}

TEST(NeuronInferShared, AStreamThatDiesHoldsUpNobody) {
  use_fake_device({.cores = 1});
  auto other = harness(shared_line("dying", "batch-size=4 " + kLongDelay));
  set_caps(other.get(), kVideo);
  {
    auto dying = harness(shared_line("dying", "batch-size=4 " + kLongDelay));
    set_caps(dying.get(), kVideo);
    push_frames(dying.get(), kVideo, 2);
  }  // gone with two rows in an open batch
  const AtOnce at_once;
  push_frames(other.get(), kVideo, 10);
  gst_harness_push_event(other.get(), gst_event_new_eos());
  expect_in_order(other.get(), 10);
}

TEST(NeuronInferShared, ALostCoreIsAWarningAndTheOthersGoOn) {
  use_fake_device({.cores = 2, .on_run = [](CoreId core, std::uint64_t run, std::uint32_t) -> Result<void> {
                     if (core == 0 && run > 4) return Error{Errc::kCoreLost, "core 0: gone by order of this test"};
                     return {};
                   }});
  auto h = harness(fake_line());
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 200);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  for (int i = 0; i < 200; ++i) {
    gst::BufferPtr out(gst_harness_pull(h.get()));
    EXPECT_EQ(gst::get_result(out.get())->status, FrameStatus::kAnalysed);
  }
  const auto warning = messages.next(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(text_of(warning.get()), testing::HasSubstr("core 0: gone by order of this test; 1 core goes on"));
  const auto message = messages.next(GST_MESSAGE_ELEMENT);
  ASSERT_TRUE(message);
  EXPECT_TRUE(gst_message_has_name(message.get(), "core-failed"));
  guint core = 9;
  guint left = 9;
  const GstStructure* what = gst_message_get_structure(message.get());
  EXPECT_TRUE(gst_structure_get(what, "core", G_TYPE_UINT, &core, "cores-left", G_TYPE_UINT, &left, nullptr));
  EXPECT_EQ(core, 0U);
  EXPECT_EQ(left, 1U);
  EXPECT_STREQ(gst_structure_get_string(what, "text"), "core 0: gone by order of this test; 1 core goes on");
}

/// Frames leave in order, so those behind the slow core's wait; the other cores go on meanwhile.
TEST(NeuronInferShared, ASlowCoreDoesNotHoldUpTheOthers) {
  std::mutex mutex;
  std::condition_variable changed;
  int others = 0;
  constexpr int kOthers = 10;  // more than the two slots of the other core
  use_fake_device({.cores = 2, .on_run = [&](CoreId core, std::uint64_t, std::uint32_t) -> Result<void> {
                     std::unique_lock lock(mutex);
                     if (core != 0) {
                       ++others;
                       changed.notify_all();
                       return {};
                     }
                     const bool went_on =
                         changed.wait_for(lock, std::chrono::seconds(10), [&] { return others >= kOthers; });
                     return went_on ? Result<void>{} : Error{Errc::kBadInput, "the other core waits, too"};
                   }});
  auto h = harness(fake_line());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, kOthers + 2);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  expect_in_order(h.get(), kOthers + 2);
  EXPECT_EQ(stat(find_infer(h.get()).get(), "unanalysed"), 0);
}

/// It is told of all the same: `core-retry` may have brought the core back before anybody looked.
TEST(NeuronInferShared, ALostCoreThatIsBackIsAWarningAndCounted) {
  std::atomic<bool> lost = false;
  use_fake_device({.cores = 2, .on_run = [&](CoreId core, std::uint64_t run, std::uint32_t) -> Result<void> {
                     if (core != 0 || run < 5 || lost.exchange(true)) return {};
                     return Error{Errc::kCoreLost, "core 0: gone by order of this test"};
                   }});
  auto h = harness(fake_line("core-retry=1"));
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  const auto push_one = [&] {
    push_frames(h.get(), kVideo, 1);
    const gst::BufferPtr out(gst_harness_pull(h.get()));
  };
  while (!lost) push_one();
  while (stat(infer.get(), "cores-lost") < 1 || stat(infer.get(), "cores") < 2) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // no frame, nobody looks
  }
  gst_harness_push_event(h.get(), gst_event_new_eos());
  const auto message = messages.next(GST_MESSAGE_WARNING);
  ASSERT_TRUE(message);
  EXPECT_THAT(text_of(message.get()), testing::HasSubstr("core 0: gone by order of this test"));
  EXPECT_EQ(stat(infer.get(), "cores-lost"), 1);
}

TEST(NeuronInferShared, FramesThatTheDeviceRefusesComeUnanalysedWithAWarning) {
  use_fake_device({.cores = 1, .on_run = [](CoreId, std::uint64_t run, std::uint32_t) -> Result<void> {
                     if (run == 2) return Error{Errc::kBadInput, "the device of this test does not like it"};
                     return {};
                   }});
  auto h = harness(fake_line());
  const ElementRef infer = find_infer(h.get());
  Messages messages(infer.get());
  set_caps(h.get(), kVideo);
  push_frames(h.get(), kVideo, 4);
  gst_harness_push_event(h.get(), gst_event_new_eos());
  expect_in_order(h.get(), 4);
  const auto warning = messages.next(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_EQ(text_of(warning.get()), "frames stay unanalysed: the device of this test does not like it");
  EXPECT_EQ(stat(infer.get(), "unanalysed"), 1);
}

}  // namespace
}  // namespace posecam::test
