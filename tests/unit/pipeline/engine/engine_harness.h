#pragma once
// An engine on a fake device, and somebody who keeps what comes out of it.

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <gtest/gtest.h>

#include "pipeline/engine/engine.h"
#include "tests/support/fake_backend.h"

namespace posecam::test {

/// Keeps what it is given, by ticket.
class Collector final : public RowClient {
 public:
  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    {
      std::lock_guard lock(mutex_);
      EXPECT_TRUE(results_.emplace(ticket, std::move(result)).second) << "ticket " << ticket << " came twice";
    }
    changed_.notify_all();
  }

  std::map<Ticket, std::shared_ptr<const FrameResult>> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return results_.size() >= count; }))
        << results_.size();
    return results_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Ticket, std::shared_ptr<const FrameResult>> results_;
};

inline std::shared_ptr<Engine> make_engine(int batch, FakeOptions fake, const EngineOptions& options = {}) {
  auto engine = Engine::create(std::make_unique<FakeBackend>(std::move(fake)),
                               std::make_shared<const ModelSpec>(fake_model(batch)), options);
  EXPECT_TRUE(engine) << engine.error().message;
  return *engine;
}

inline Result<void> submit(Engine& engine, const std::shared_ptr<RowClient>& client, Ticket ticket, int value) {
  auto row = engine.reserve({});
  if (!row) return row.error();
  row->input().as<float>()[0] = static_cast<float>(value);
  row->commit(client, ticket, {{8, 8}, {8, 8}, {0, 0}, {8, 8}}, 0);
  return {};
}

}  // namespace posecam::test
