#include "app/session/apart/source_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "app/session/apart/input_fields.h"
#include "app/session/apart/source_host.h"
#include "app/session/graph/source.h"

extern char** environ;

namespace posecam {
namespace {

/// How long an ended process may take to be gone. One that hangs in the system is left behind.
constexpr std::chrono::milliseconds kKillLimit{2'000};
constexpr int kPipeBytes = 1 << 20;  // what fits without a change of process; less where the system allows less

/// This program, also after its file was replaced; of tests and others that run sessions, the posecam beside them.
std::string program() {
  std::error_code ec;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (self.filename().string().starts_with("posecam")) return "/proc/self/exe";
  return self.parent_path() / "posecam";
}

/// A file of that text without a name, to be read from its beginning; -1 with errno.
int make_file(std::string_view text) {
  const int fd = memfd_create("posecam input", MFD_CLOEXEC);
  if (fd < 0 || pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) return fd;
  close(fd);
  return -1;
}

/// What the process reads as its standard input: a pipe that is its input, whatever its name is here.
int open_input(const Input& input) {
  if (input.given == kStdin) return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  return input.kind == InputKind::kPipe ? open_pipe(input.given) : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/// Owned, with a number above those that the process gets.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {
    if (fd < 0 || fd > kWordsFd) return;
    fd_ = fcntl(fd, F_DUPFD_CLOEXEC, kWordsFd + 1);
    close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// Two ends that no other process gets.
struct Pipe {
  Pipe() : Pipe(make()) {}
  Descriptor reader;
  Descriptor writer;

 private:
  explicit Pipe(std::array<int, 2> ends) : reader(ends[0]), writer(ends[1]) {}
  static std::array<int, 2> make() {
    std::array<int, 2> ends{-1, -1};
    (void)!pipe2(ends.data(), O_CLOEXEC);
    return ends;
  }
};

/// What the process gets, under the numbers of source_host.h.
struct Gift {
  int input;
  int fields;
  int frames;
  int words;
};

/// Nothing of libraries is heard from there, unless somebody asked for it.
int spawn(const Gift& gift, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, gift.input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, gift.fields, kFieldsFd);
  posix_spawn_file_actions_adddup2(&actions, gift.frames, kFramesFd);
  posix_spawn_file_actions_adddup2(&actions, gift.words, kWordsFd);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (g_getenv("GST_DEBUG") == nullptr) {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, kWordsFd + 1);
  std::string path = program();
  std::string command = kSourceHostCommand;
  std::array<char*, 3> argv{path.data(), command.data(), nullptr};
  const int failed = posix_spawn(&pid, path.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

/// True when nobody writes words any more: the process is over.
bool has_ended(int words, std::chrono::milliseconds limit) {
  pollfd end{.fd = words, .events = 0, .revents = 0};
  return poll(&end, 1, static_cast<int>(limit.count())) != 0;
}

}  // namespace

Result<std::unique_ptr<SourceProcess>> SourceProcess::start(const Input& input) {
  Input there = input;
  if (input.kind == InputKind::kPipe) there.given = kStdin;
  const Descriptor in(open_input(input));
  const Descriptor fields(make_file(to_fields(there)));
  Pipe frames;
  Pipe words;
  const Gift gift{in.get(), fields.get(), frames.writer.get(), words.writer.get()};
  const bool open = std::min({gift.input, gift.fields, gift.frames, gift.words}) >= 0;
  pid_t pid = -1;
  const int failed = open ? spawn(gift, pid) : errno;
  if (failed != 0) {
    return Error{Errc::kMedia,
                 fmt::format("{}: no process for its decoder can be started: {}", input.given, std::strerror(failed))};
  }
  fcntl(frames.reader.get(), F_SETPIPE_SZ, kPipeBytes);
  fcntl(words.reader.get(), F_SETFL, O_NONBLOCK);
  return std::unique_ptr<SourceProcess>(new SourceProcess(pid, frames.reader.release(), words.reader.release()));
}

SourceProcess::~SourceProcess() {
  close(frames_);
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    if (has_ended(words_, kKillLimit)) waitpid(pid_, nullptr, 0);
  }
  close(words_);
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

bool SourceProcess::wait_for_words(std::chrono::milliseconds limit) const {
  pollfd words{.fd = words_, .events = POLLIN, .revents = 0};
  return poll(&words, 1, static_cast<int>(limit.count())) != 0;
}

std::string SourceProcess::end() {
  if (pid_ <= 0 || !has_ended(words_, std::chrono::milliseconds(0))) return {};
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "";
}

}  // namespace posecam
