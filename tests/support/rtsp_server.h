#pragma once
// Runs tests/support/rtsp_server.cpp, a camera on the loopback, for one test.

#include <array>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace posecam::test {

class RtspServer {
 public:
  RtspServer() {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string program = POSECAM_BUILD_DIR "/bin/rtsp_server";
    std::string user = kUser;
    std::string password = kPassword;
    std::array<char*, 4> argv{program.data(), user.data(), password.data(), nullptr};
    if (::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) port_ += c;
    ::close(out[0]);
  }
  RtspServer(const RtspServer&) = delete;
  RtspServer& operator=(const RtspServer&) = delete;
  ~RtspServer() { die(); }

  /// Empty: it does not run.
  const std::string& port() const { return port_; }
  std::string url() const { return "rtsp://127.0.0.1:" + port_ + "/cam"; }

  void stall() const { signal(SIGSTOP); }
  void go_on() const { signal(SIGCONT); }
  /// At once, in the middle of a packet or not.
  void die() {
    signal(SIGKILL);
    if (pid_ > 0) ::waitpid(std::exchange(pid_, -1), nullptr, 0);
    if (stdin_ >= 0) ::close(std::exchange(stdin_, -1));
  }

  static constexpr const char* kUser = "viewer";
  static constexpr const char* kPassword = "p@ss word";

 private:
  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }

  pid_t pid_ = -1;
  int stdin_ = -1;
  std::string port_;
};

}  // namespace posecam::test
