#include "pipeline/output/queued_sink.h"

#include <condition_variable>
#include <functional>
#include <future>
#include <stdexcept>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posecam {
namespace {

using namespace std::chrono_literals;

/// Notes what is written. While it is shut a write waits, until it is opened or stopped.
class FakeSink final : public ResultSink {
 public:
  explicit FakeSink(std::stop_token stop) : stop_(std::move(stop)) {}

  Result<void> write(const FrameInfo& info, std::shared_ptr<const FrameResult> result) override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    if (!changed_.wait(lock, stop_, [&] { return open_; })) return book_.wrote(Error{Errc::kCancelled, "stopped"});
    EXPECT_TRUE(result);
    EXPECT_EQ(info.file, "x.jpg");
    names_.push_back(std::string(info.stream_id) + ":" + std::to_string(info.frame_id) + std::string(info.name));
    changed_.notify_all();
    return book_.wrote(on_write ? on_write(names_.size()) : Result<void>{});
  }
  Result<void> close() override {
    std::unique_lock lock(mutex_);
    closed_ = true;
    return book_.closed(on_close);
  }
  SinkHealth health() const override { return book_.health(); }

  void open(bool open) {
    std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  void wait_begun(int writes) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, 30s, [&] { return begun_ >= writes; }));
  }
  std::vector<std::string> names() const {
    std::lock_guard lock(mutex_);
    return names_;
  }
  bool closed() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }

  std::function<Result<void>(std::size_t)> on_write;
  Result<void> on_close;

 private:
  const std::stop_token stop_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  SinkBook book_;
  std::vector<std::string> names_;
  int begun_ = 0;
  bool open_ = true;
  bool closed_ = false;
};

class QueuedSinkTest : public testing::Test {
 protected:
  QueuedSink& make(QueueLimits limits) {
    auto inner = std::make_unique<FakeSink>(stop_.get_token());
    inner_ = inner.get();
    prepare(*inner);
    sink_.emplace(std::move(inner), stop_, limits);
    return *sink_;
  }
  /// One at a time; the texts are gone when it returns.
  Result<void> write(std::uint64_t frame) {
    std::string stream = "cam";
    std::string name = "x";
    std::string file = "x.jpg";
    FrameInfo info;
    info.stream_id = stream;
    info.name = name;
    info.file = file;
    info.frame_id = frame;
    auto done = sink_->write(info, result_);
    stream.assign("???");
    name.assign("?");
    file.assign("?");
    return done;
  }
  /// The first is with the inner sink, which is shut; those that follow wait or drop others.
  void fill(std::uint64_t frames) {
    inner_->open(false);
    ASSERT_TRUE(write(0));
    inner_->wait_begun(1);
    for (std::uint64_t f = 1; f < frames; ++f) ASSERT_TRUE(write(f));
  }

  std::function<void(FakeSink&)> prepare = [](FakeSink&) {};
  std::stop_source stop_;
  FakeSink* inner_ = nullptr;
  std::optional<QueuedSink> sink_;
  std::shared_ptr<const FrameResult> result_ = std::make_shared<FrameResult>();
};

TEST_F(QueuedSinkTest, WritesEverythingInOrderAndClosesTheInnerSink) {
  auto& sink = make({.capacity = 1000});
  std::vector<std::string> expected;
  for (std::uint64_t f = 0; f < 500; ++f) {
    ASSERT_TRUE(write(f));
    expected.push_back("cam:" + std::to_string(f) + "x");
  }
  EXPECT_TRUE(sink.close());
  EXPECT_EQ(inner_->names(), expected);
  EXPECT_TRUE(inner_->closed());
  const SinkHealth health = sink.health();
  EXPECT_EQ(health.state, SinkHealth::State::kClosed);
  EXPECT_EQ(health.written, 500U);
  EXPECT_EQ(health.dropped, 0U);
  EXPECT_EQ(health.last_error, "");
}

TEST_F(QueuedSinkTest, DropsTheOldestAndCountsThem) {
  auto& sink = make({.capacity = 3});
  fill(10);
  EXPECT_EQ(sink.health().dropped, 6U);
  EXPECT_EQ(sink.health().state, SinkHealth::State::kOpen);
  inner_->open(true);
  EXPECT_TRUE(sink.close());
  EXPECT_THAT(inner_->names(), testing::ElementsAre("cam:0x", "cam:7x", "cam:8x", "cam:9x"));
  EXPECT_EQ(sink.health().written, 4U);
  EXPECT_EQ(sink.health().dropped, 6U);
}

/// Else this test would never end: nobody opens the inner sink before all is taken.
TEST_F(QueuedSinkTest, AWriteDoesNotWaitForASinkThatIsStuck) {
  auto& sink = make({.capacity = 2});
  fill(1000);
  EXPECT_EQ(sink.health().dropped, 997U);
  inner_->open(true);
  EXPECT_TRUE(sink.close());
}

TEST_F(QueuedSinkTest, LetsGoOfWhatItDrops) {
  auto& sink = make({.capacity = 2});
  std::weak_ptr<const FrameResult> second;
  fill(1);
  {
    const auto result = std::make_shared<FrameResult>();
    second = result;
    ASSERT_TRUE(sink.write({}, result));
  }
  ASSERT_TRUE(write(2));
  EXPECT_FALSE(second.expired());
  ASSERT_TRUE(write(3));
  EXPECT_TRUE(second.expired());
  inner_->open(true);
}

TEST_F(QueuedSinkTest, AnErrorOfTheInnerSinkIsToldByWriteByCloseAndInItsHealth) {
  prepare = [](FakeSink& inner) {
    inner.on_write = [](std::size_t count) {
      return count == 3 ? Result<void>(Error{Errc::kNoSpace, "disk full"}) : Result<void>{};
    };
  };
  auto& sink = make({.capacity = 10});
  Result<void> done;
  while ((done = write(0))) std::this_thread::yield();
  EXPECT_EQ(done.error().code, Errc::kNoSpace);
  EXPECT_EQ(sink.close().error().message, "disk full");
  EXPECT_EQ(sink.close().error().message, "disk full") << "again";
  const SinkHealth health = sink.health();
  EXPECT_EQ(health.state, SinkHealth::State::kFailed);
  EXPECT_EQ(health.last_error, "disk full");
  EXPECT_EQ(health.written, 2U);
  EXPECT_GE(health.dropped, 1U);
  EXPECT_FALSE(inner_->closed());
}

TEST_F(QueuedSinkTest, AnErrorOfTheInnerCloseIsThatOfClose) {
  prepare = [](FakeSink& inner) { inner.on_close = Error{Errc::kOutput, "cannot name it"}; };
  auto& sink = make({});
  ASSERT_TRUE(write(0));
  EXPECT_EQ(sink.close().error().message, "cannot name it");
  EXPECT_EQ(sink.health().state, SinkHealth::State::kFailed);
}

TEST_F(QueuedSinkTest, AnExceptionOfTheInnerSinkIsAnError) {
  prepare = [](FakeSink& inner) {
    inner.on_write = [](std::size_t) -> Result<void> { throw std::runtime_error("boom"); };
  };
  auto& sink = make({});
  ASSERT_TRUE(write(0));
  EXPECT_THAT(sink.close().error().message, testing::HasSubstr("boom"));
  EXPECT_EQ(sink.health().dropped, 1U) << "nothing is lost uncounted";
}

TEST_F(QueuedSinkTest, CloseGivesUpOnASinkThatIsStuck) {
  auto& sink = make({.capacity = 4, .drain = 20ms});
  fill(5);
  const auto closed = sink.close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, Errc::kOutput);
  EXPECT_THAT(closed.error().message, testing::StartsWith("5 results were not written within 20 ms"));
  EXPECT_EQ(sink.health().dropped, 5U);
  EXPECT_FALSE(inner_->closed());
}

TEST_F(QueuedSinkTest, AStopEndsTheWaitOfClose) {
  auto& sink = make({.capacity = 4, .drain = 24h});
  fill(3);
  auto closed = std::async(std::launch::async, [&] { return sink.close(); });
  stop_.request_stop();
  ASSERT_EQ(closed.wait_for(30s), std::future_status::ready);
  EXPECT_EQ(closed.get().error().code, Errc::kCancelled);
}

TEST_F(QueuedSinkTest, GoesWithoutCloseWhateverItWaitsFor) {
  make({.capacity = 4});
  fill(3);
  sink_.reset();
}

TEST_F(QueuedSinkTest, ItsHealthCanBeReadWhileItWrites) {
  auto& sink = make({.capacity = 4});
  std::jthread reader([&](std::stop_token stop) {
    while (!stop.stop_requested()) EXPECT_LE(sink.health().written, 2000U);
  });
  for (std::uint64_t f = 0; f < 2000; ++f) ASSERT_TRUE(write(f));
  reader.request_stop();
  reader.join();
  ASSERT_TRUE(sink.close());
  EXPECT_EQ(sink.health().written + sink.health().dropped, 2000U);
}

}  // namespace
}  // namespace posecam
