#include "pipeline/engine/sequencer.h"

#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace posecam {
namespace {

void nothing(int&) {}

TEST(Sequencer, PopsInOrderOfReservationWhateverTheOrderOfCompletion) {
  Sequencer<int> items(100);
  std::vector<Ticket> tickets;
  for (int i = 0; i < 50; ++i) tickets.push_back(items.reserve(i));
  std::shuffle(tickets.begin(), tickets.end(), std::mt19937(7));
  std::jthread completer([&] {
    for (const Ticket t : tickets) items.complete(t, [](int& item) { item += 1000; });
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(items.pop({}), i + 1000);
  EXPECT_EQ(items.pending(), 0U);
}

TEST(Sequencer, HoldsReadyItemsBehindOneThatIsNot) {
  Sequencer<int> items(10);
  const Ticket first = items.reserve(1);
  items.reserve(2, true);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(items.pop(stop.get_token()), std::nullopt);
  items.complete(first, nothing);
  EXPECT_EQ(items.pop({}), 1);
  EXPECT_EQ(items.pop({}), 2);
}

TEST(Sequencer, WaitsForRoomUntilAnItemLeaves) {
  Sequencer<int> items(2);
  items.reserve(1, true);
  items.reserve(2, true);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(items.wait_room(stop.get_token()));
  std::jthread popper([&] { EXPECT_EQ(items.pop({}), 1); });
  EXPECT_TRUE(items.wait_room({}));
}

TEST(Sequencer, WaitsUntilAllThatIsPendingIsReady) {
  Sequencer<int> items(4);
  const Ticket first = items.reserve(1);
  items.reserve(2, true);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(items.wait_ready(stop.get_token()));
  std::jthread completer([&] { items.complete(first, nothing); });
  EXPECT_TRUE(items.wait_ready({}));
  items.reserve(3);
  items.clear([](int&) {});
  EXPECT_TRUE(items.wait_ready({}));
}

TEST(Sequencer, StopEndsAWaitThatHasBegun) {
  Sequencer<int> items(1);
  items.reserve(1);
  std::stop_source stop;
  std::jthread popper([&] { EXPECT_EQ(items.pop(stop.get_token()), std::nullopt); });
  std::jthread reserver([&] { EXPECT_FALSE(items.wait_room(stop.get_token())); });
  stop.request_stop();
}

TEST(Sequencer, IgnoresCompletionsOfClearedPlaces) {
  Sequencer<std::shared_ptr<int>> items(4);
  auto old = std::make_shared<int>(1);
  const Ticket stale = items.reserve(old);
  int seen = 0;
  items.clear([&](std::shared_ptr<int>& item) { seen = *item; });
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(old.use_count(), 1);
  const Ticket fresh = items.reserve(std::make_shared<int>(2));
  EXPECT_NE(stale, fresh);
  items.complete(stale, [](std::shared_ptr<int>& item) { *item = 99; });
  items.complete(fresh, [](std::shared_ptr<int>&) {});
  EXPECT_EQ(**items.pop({}), 2);
}

TEST(Sequencer, GrowsWithoutLosingTheOrder) {
  Sequencer<int> items(1000);
  std::vector<Ticket> tickets;
  for (int i = 0; i < 5; ++i) items.reserve(i, true);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(items.pop({}), i);
  for (int i = 0; i < 300; ++i) tickets.push_back(items.reserve(i));  // past the ring's first size, not from its start
  for (auto t = tickets.rbegin(); t != tickets.rend(); ++t) items.complete(*t, nothing);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(items.pop({}), i);
}

}  // namespace
}  // namespace posecam
