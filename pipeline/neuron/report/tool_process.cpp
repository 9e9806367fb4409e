#include "pipeline/neuron/report/tool_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostBytes = std::size_t{16} << 20;
constexpr std::chrono::milliseconds kLook{1};

Error problem(const std::vector<std::string>& command, std::string_view what) {
  return {Errc::kDevice, fmt::format("{}: {}", command.front(), what)};
}

/// Both ends of a pipe, closed with it.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (int end = 0; end < 2; ++end) close(end);
  }
  void close(int end) {
    if (ends.at(static_cast<std::size_t>(end)) >= 0) ::close(ends.at(static_cast<std::size_t>(end)));
    ends.at(static_cast<std::size_t>(end)) = -1;
  }
};

std::optional<pid_t> spawn(const std::vector<std::string>& command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  // posix_spawnp does not change its arguments. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return {};
  return pid;
}

/// False when the time is over.
bool read_all(int input, Clock::time_point deadline, Until until, std::string& text) {
  std::array<char, 65536> piece{};
  while (text.size() < kMostBytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd wait{input, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&wait, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t n = ::read(input, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    text.append(piece.data(), static_cast<std::size_t>(n));
    if (until == Until::kOneLine && text.find('\n') != std::string::npos) return true;
  }
  return true;
}

/// How a process ended; nothing if it is still there at the deadline. One that has closed its output may stay.
std::optional<int> wait_until(pid_t pid, Clock::time_point deadline) {
  for (int status = 0;;) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid || (ended < 0 && errno != EINTR)) return status;
    if (Clock::now() >= deadline) return {};
    // SIGCHLD belongs to the program that we are a part of: there is nothing to wait on but time.
    std::this_thread::sleep_for(kLook);
  }
}

int end(pid_t pid) {
  ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<std::string> read_tool(const std::vector<std::string>& command, std::chrono::milliseconds time, Until until) {
  Pipe pipe;
  if (::pipe2(pipe.ends.data(), O_CLOEXEC) != 0) return problem(command, "no pipe");
  const auto pid = spawn(command, pipe.ends[1]);
  if (!pid) return problem(command, "not installed");
  pipe.close(1);
  std::string text;
  const auto deadline = Clock::now() + time;
  const bool in_time = read_all(pipe.ends[0], deadline, until, text);
  const bool one_line = until == Until::kOneLine && text.find('\n') != std::string::npos;
  const bool enough = !in_time || one_line || text.size() >= kMostBytes;
  const auto ended = enough ? std::nullopt : wait_until(*pid, deadline);
  const int status = ended ? *ended : end(*pid);
  if (one_line) return text.substr(0, text.find('\n'));
  if (!in_time || (!enough && !ended)) return problem(command, "did not answer in time");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return problem(command, "failed");
  return text;
}

}  // namespace posecam
