#pragma once
// Sessions with a network of a kilobyte, in a folder of their own.

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "app/session/session.h"
#include "tests/support/own_plugin.h"
#include "tests/support/shared.h"
#include "tests/support/temp_dir.h"

namespace posecam::test {

/// A pipe that a session writes to by name and the test reads.
class Pipe {
 public:
  /// `bytes`: what it holds at most, 0: what the system says.
  explicit Pipe(int bytes = 0) {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
    if (bytes > 0) {
      EXPECT_GE(::fcntl(ends_[1], F_SETPIPE_SZ, bytes), bytes);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_writer();
    ::close(ends_[0]);
  }
  std::string name() const { return "/proc/self/fd/" + std::to_string(ends_[1]); }
  std::string reader_uri() const { return "fd://" + std::to_string(ends_[0]); }
  /// The first line that comes.
  std::string read_line() {
    std::string line;
    for (char c = 0; ::read(ends_[0], &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }
  /// All that comes until no writer is left.
  void drain() {
    close_writer();
    char block[4096];
    while (::read(ends_[0], block, sizeof block) > 0) {
    }
  }

 private:
  void close_writer() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }
  int ends_[2] = {-1, -1};
};

class SessionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::start_gstreamer_with_our_plugin(); }
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      all.push_back(entry.path().filename());
    std::ranges::sort(all);
    return all;
  }

  /// The test picture, which does not end, unless after so many frames.
  static SessionSpec spec(std::uint64_t frames, std::vector<Sink> sinks) {
    SessionSpec spec{.engine = {.model = source_dir() / "tests/data/tiny_pose.json", .device = "opencv"},
                     .input = {.kind = InputKind::kTestSource, .given = kSynthetic, .name = "test"},
                     .sinks = std::move(sinks),
                     .max_frames = frames};
    return spec;
  }
  static std::unique_ptr<Session> must_create(SessionSpec spec, SessionEvents events = {}) {
    auto session = Session::create(std::move(spec), std::move(events));
    EXPECT_TRUE(session) << session.error().message;
    return *std::move(session);
  }
  static std::unique_ptr<Session> must_open(SessionSpec spec, SessionEvents events = {}) {
    auto session = must_create(std::move(spec), std::move(events));
    const auto opened = session->open();
    EXPECT_TRUE(opened) << opened.error().message;
    return session;
  }

  TempDir folder_;
};

}  // namespace posecam::test
