#pragma once
// Work that finishes out of order leaves in order: a place is reserved when an item arrives, completed whenever its
// result is there, and popped strictly by place.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "models/core/own_mutex.h"

namespace posecam {

/// Number of a place. Never used twice in a Sequencer's life, so a late completion cannot hit a newer item.
using Ticket = std::uint64_t;

/// One producer thread (wait_room, wait_ready, reserve, clear, set_room), one consumer thread (pop), any thread
/// completes. Blocking calls end at once when their stop_token is triggered. Allocation-free once its ring has grown.
template <class Item>
class Sequencer {
 public:
  /// `room`: how many places may be pending before wait_room() blocks; > 0.
  explicit Sequencer(std::size_t room) : room_(room) {}

  /// Takes effect at the next wait.
  void set_room(std::size_t room) {
    {
      std::lock_guard lock(mutex_);
      room_ = room;
    }
    changed_.notify_all();
  }

  /// Blocks until fewer than `room` places are pending. False: stopped.
  bool wait_room(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [&] { return count_ < room_; });
  }

  /// Blocks until every pending place is ready. False: stopped.
  bool wait_ready(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [&] { return unready_ == 0; });
  }

  /// Takes the next place. Never blocks: room is advice, so that events are not held up behind frames.
  Ticket reserve(Item item, bool ready = false) {
    Ticket ticket = 0;
    {
      std::lock_guard lock(mutex_);
      if (count_ == ring_.size()) grow();
      ticket = base_ + count_;
      ring_[slot_of(ticket)] = Entry{std::move(item), ready};
      ++count_;
      if (!ready) ++unready_;
    }
    if (ready) changed_.notify_all();
    return ticket;
  }

  /// Marks a place as ready after `update(item)`, which runs under the lock: move a pointer, no more.
  /// A place that was cleared or popped is ignored.
  template <class Update>
  void complete(Ticket ticket, Update&& update) {
    {
      std::lock_guard lock(mutex_);
      if (ticket < base_ || ticket >= base_ + count_) return;
      Entry& entry = ring_[slot_of(ticket)];
      update(*entry.item);
      if (!std::exchange(entry.ready, true)) --unready_;
    }
    changed_.notify_all();
  }

  /// Blocks until the oldest place is ready and takes it out. Empty: stopped.
  std::optional<Item> pop(std::stop_token stop) {
    std::optional<Item> item;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return count_ > 0 && ring_[slot_of(base_)].ready; })) return item;
      std::optional<Item>& front = ring_[slot_of(base_)].item;
      item.emplace(std::move(*front));
      front.reset();
      ++base_;
      --count_;
    }
    changed_.notify_all();
    return item;
  }

  /// Drops every pending place; completions still under way for them are ignored. `last_look(item)` sees each dropped
  /// item in its order, outside the lock.
  template <class LastLook>
  void clear(LastLook&& last_look) {
    std::vector<Entry> dropped;
    Ticket first = 0;
    std::size_t count = 0;
    {
      std::lock_guard lock(mutex_);
      dropped.resize(ring_.size());
      ring_.swap(dropped);
      first = base_;
      count = std::exchange(count_, 0);
      unready_ = 0;
      base_ += count;
    }
    changed_.notify_all();
    for (Ticket t = first; t < first + count; ++t)
      last_look(*dropped[static_cast<std::size_t>(t % dropped.size())].item);
  }

  /// Places reserved, and neither popped nor cleared.
  std::size_t pending() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  struct Entry {
    std::optional<Item> item;
    bool ready = false;
  };

  std::size_t slot_of(Ticket ticket) const { return static_cast<std::size_t>(ticket % ring_.size()); }

  void grow() {
    std::vector<Entry> bigger(ring_.empty() ? 16 : ring_.size() * 2);
    for (Ticket t = base_; t < base_ + count_; ++t) {
      bigger[static_cast<std::size_t>(t % bigger.size())] = std::move(ring_[slot_of(t)]);
    }
    ring_.swap(bigger);
  }

  mutable OwnMutex mutex_;
  std::condition_variable_any changed_;
  std::size_t room_;
  std::vector<Entry> ring_;
  Ticket base_ = 0;        ///< ticket of the oldest pending place
  std::size_t count_ = 0;  ///< pending places
  std::size_t unready_ = 0;
};

}  // namespace posecam
