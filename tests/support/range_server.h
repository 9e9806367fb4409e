#pragma once
// Runs tests/support/range_server.py for one test.

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "tests/support/shared.h"

namespace posecam::test {

class RangeServer {
 public:
  /// `pem`: certificate and key; https then.
  explicit RangeServer(std::filesystem::path dir, std::string pem = {})
      : dir_(std::move(dir)), scheme_(pem.empty() ? "http" : "https") {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string python = "python3";
    std::string script = (source_dir() / "tests/support/range_server.py").string();
    std::string folder = dir_.string();
    std::array<char*, 5> argv{python.data(), script.data(), folder.data(), pem.empty() ? nullptr : pem.data(), nullptr};
    if (::posix_spawnp(&pid_, "python3", &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) port_ += c;
    ::close(out[0]);
  }
  RangeServer(const RangeServer&) = delete;
  RangeServer& operator=(const RangeServer&) = delete;
  ~RangeServer() {
    ::close(stdin_);  // the server ends with its input
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

  bool running() const { return !port_.empty(); }
  std::string url(const std::string& path) const { return scheme_ + "://127.0.0.1:" + port_ + "/" + path; }
  /// "MODE RANGE" of each request so far.
  std::vector<std::string> requests() const {
    std::vector<std::string> lines;
    std::ifstream log(dir_ / "requests.log");
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    return lines;
  }

 private:
  std::filesystem::path dir_;
  std::string scheme_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::string port_;
};

}  // namespace posecam::test

/// Starts a RangeServer `name` on a folder (and a certificate); skips the test by name where python3 is missing.
#define POSECAM_RANGE_SERVER(name, ...)                 \
  const ::posecam::test::RangeServer name(__VA_ARGS__); \
  if (!(name).running()) GTEST_SKIP() << "python3 is not here"
