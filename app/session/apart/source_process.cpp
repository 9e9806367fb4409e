#include "app/session/apart/source_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "app/session/apart/input_fields.h"
#include "app/session/apart/source_host.h"

extern char** environ;

namespace posecam {
namespace {

/// Two ends that no other process gets, with numbers above those that ours gives them; closed with it.
struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    std::array<int, 2> low{};
    if (pipe2(low.data(), O_CLOEXEC) != 0) return;
    for (std::size_t i = 0; i < 2; ++i) {
      ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, kWordsFd + 1);
      close(low[i]);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) close(end);
    }
  }
  int release(std::size_t end) { return std::exchange(ends[end], -1); }
};

constexpr int kEndLimitMs = 10'000;  // a crash that is written to a core file takes its time
constexpr int kPipeBytes = 1 << 20;  // what fits without a change of process; less where the system allows less

/// posecam that is installed with this program, or this program itself.
std::string program() {
  std::error_code ec;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ec);
  const std::filesystem::path beside = self.parent_path() / "posecam";
  return std::filesystem::exists(beside, ec) ? beside.string() : self.string();
}

/// Nothing of libraries is heard from there.
int spawn(const Input& input, const Pipe& fields, const Pipe& frames, const Pipe& words, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fields.ends[0], kFieldsFd);
  posix_spawn_file_actions_adddup2(&actions, frames.ends[1], kFramesFd);
  posix_spawn_file_actions_adddup2(&actions, words.ends[1], kWordsFd);
  if (input.given != kStdin) posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0);
  }
  std::string path = program();
  std::string command = kSourceHostCommand;
  std::array<char*, 3> argv{path.data(), command.data(), nullptr};
  const int failed = posix_spawn(&pid, path.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

Result<std::unique_ptr<SourceProcess>> SourceProcess::start(const Input& input) {
  Pipe fields;
  Pipe frames;
  Pipe words;
  pid_t pid = -1;
  const std::string text = to_fields(input);
  const bool open = fields.ends[0] >= 0 && frames.ends[0] >= 0 && words.ends[0] >= 0;
  const int failed = open ? spawn(input, fields, frames, words, pid) : errno;
  if (failed != 0) {
    return Error{Errc::kMedia,
                 fmt::format("{}: no process for its decoder can be started: {}", input.given, std::strerror(failed))};
  }
  if (write(fields.ends[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) kill(pid, SIGKILL);
  fcntl(frames.ends[0], F_SETPIPE_SZ, kPipeBytes);
  fcntl(words.ends[0], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<SourceProcess>(new SourceProcess(pid, frames.release(0), words.release(0)));
}

SourceProcess::~SourceProcess() {
  close(frames_);
  close(words_);
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

SourceProcess::Words SourceProcess::read_words() {
  Words words;
  std::array<char, 4096> block{};
  ssize_t n = 0;
  while ((n = read(words_, block.data(), block.size())) > 0) {
    unread_.append(block.data(), static_cast<std::size_t>(n));
  }
  words.ended = n == 0;
  for (std::size_t end = 0; (end = unread_.find('\n')) != unread_.npos; unread_.erase(0, end + 1)) {
    StructurePtr word(gst_structure_from_string(unread_.substr(0, end).c_str(), nullptr));
    if (word) words.all.push_back(std::move(word));
  }
  return words;
}

std::string SourceProcess::wait() {
  if (pid_ <= 0) return {};
  pollfd words{.fd = words_, .events = 0, .revents = 0};  // tells when nobody writes any more
  const bool ended = poll(&words, 1, kEndLimitMs) != 0;
  if (!ended) kill(pid_, SIGKILL);
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return ended && WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "";
}

}  // namespace posecam
