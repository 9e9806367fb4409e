#include "elements/infer/stream/query_relay.h"

#include <chrono>
#include <future>
#include <memory>
#include <stop_token>

#include <gtest/gtest.h>

namespace posecam::gst {
namespace {

struct QueryUnref {
  void operator()(GstQuery* query) const { gst_query_unref(query); }
};

/// A streaming thread that asks; the test is the task.
class QueryRelayTest : public testing::Test {
 protected:
  std::future<bool> ask() {
    asked_ = {};
    auto answer = std::async(std::launch::async, [this, token = stop_.get_token()] {
      return relay_.ask(query_.get(), token, [this](const QueryPlace& place) { asked_.set_value(place); });
    });
    place_ = asked_.get_future().get();
    return answer;
  }

  const std::unique_ptr<GstQuery, QueryUnref> query_{gst_query_new_drain()};
  std::stop_source stop_;
  QueryRelay relay_;
  std::promise<QueryPlace> asked_;
  QueryPlace place_{};
};

TEST_F(QueryRelayTest, PassesOnWhatDownstreamAnswers) {
  for (const bool yes : {true, false, true}) {
    auto answer = ask();
    relay_.answer(place_, [&](GstQuery* query) {
      EXPECT_EQ(query, query_.get());
      return yes;
    });
    EXPECT_EQ(answer.get(), yes);
  }
}

TEST_F(QueryRelayTest, TouchesNoQueryThatWasWithdrawn) {
  auto answer = ask();
  const QueryPlace withdrawn = place_;
  stop_.request_stop();
  EXPECT_FALSE(answer.get());
  const auto touch = [](GstQuery*) {
    ADD_FAILURE() << "its thread may have let go of it";
    return true;
  };
  relay_.answer(withdrawn, touch);
  stop_ = {};
  auto next = ask();
  relay_.answer(withdrawn, touch);
  relay_.answer(place_, [](GstQuery*) { return true; });
  EXPECT_TRUE(next.get());
}

/// Whoever asked owns the query: downstream must have let go of it before that thread goes on.
TEST_F(QueryRelayTest, AStopWaitsForAnAnswerThatIsUnderWay) {
  auto answer = ask();
  relay_.answer(place_, [&](GstQuery*) {
    stop_.request_stop();
    EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout) << "the query is in use";
    return true;
  });
  EXPECT_TRUE(answer.get());
}

TEST_F(QueryRelayTest, AnExceptionDownstreamIsANo) {
  auto answer = ask();
  EXPECT_THROW(relay_.answer(place_, [](GstQuery*) -> bool { throw 1; }), int);
  EXPECT_FALSE(answer.get());
}

}  // namespace
}  // namespace posecam::gst
