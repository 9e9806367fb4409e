#include "models/core/stage_log.h"

#include <algorithm>
#include <list>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <utility>

namespace posecam {
namespace {

constexpr std::array<std::string_view, kStages> kNames{"decode",  "convert",     "preprocess", "queue", "to device",
                                                       "execute", "from device", "smoothing",  "peaks", "grouping",
                                                       "draw",    "encode",      "publish"};

std::string name_of_this_thread() {
  std::array<char, 16> name{};  // the longest there is
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

/// The spans of one thread. Its lock is taken by that thread alone, but for start() and stop().
struct Book {
  std::mutex mutex;
  StageLog::Thread thread;
};

struct Books {
  std::mutex mutex;
  std::list<std::shared_ptr<Book>> all;
};
Books& books() {
  static Books books;
  return books;
}

Book& own_book() {
  thread_local const std::shared_ptr<Book> own = [] {
    auto book = std::make_shared<Book>();
    book->thread.name = name_of_this_thread();
    std::lock_guard lock(books().mutex);
    return books().all.emplace_back(std::move(book));
  }();
  return *own;
}

}  // namespace

std::string_view to_string(Stage stage) { return kNames[static_cast<std::size_t>(stage)]; }

std::atomic<bool> StageLog::recording = false;

void StageLog::start() {
  stop();
  recording = true;
}

std::vector<StageLog::Thread> StageLog::stop() {
  recording = false;
  std::vector<Thread> threads;
  std::lock_guard lock(books().mutex);
  for (const auto& book : books().all) {
    std::lock_guard own(book->mutex);
    if (!book->thread.spans.empty()) threads.push_back({book->thread.name, std::exchange(book->thread.spans, {})});
  }
  std::erase_if(books().all, [](const auto& book) { return book.use_count() == 1; });  // its thread is gone
  return threads;
}

void StageLog::add(const StageSpan& span) {
  if (!on()) return;
  Book& book = own_book();
  std::lock_guard lock(book.mutex);
  if (book.thread.spans.size() < kMostSpans) book.thread.spans.push_back(span);
}

std::size_t StageLog::count_here() {
  Book& book = own_book();
  std::lock_guard lock(book.mutex);
  return book.thread.spans.size();
}

void StageLaps::write() const {
  auto at = begin_;
  for (std::size_t i = 0; i < kStages; ++i) {
    if (spent_[i] == StageSpan::Clock::duration{}) continue;
    const auto stage = static_cast<Stage>(i);
    StageLog::add({stage, frames_, stage == Stage::kExecute ? core_ : -1, at, at + spent_[i]});
    at += spent_[i];
  }
}

}  // namespace posecam
