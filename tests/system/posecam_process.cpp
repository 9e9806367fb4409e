#include "tests/system/posecam_process.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "tests/support/temp_dir.h"

namespace posecam::test {
namespace {

/// `out` < 0: none; `in` < 0: ours.
void run_child(const std::vector<std::string>& args, const std::filesystem::path& data_home, int out, int err,
               int in = -1) {
  if (in >= 0) dup2(in, STDIN_FILENO);
  if (out < 0) {
    close(STDOUT_FILENO);
  } else {
    dup2(out, STDOUT_FILENO);
  }
  dup2(err, STDERR_FILENO);
  setenv("XDG_DATA_HOME", data_home.c_str(), 1);
  unsetenv("DISPLAY");
  unsetenv("WAYLAND_DISPLAY");
  static const std::string program = std::string(POSECAM_BUILD_DIR) + "/bin/posecam";
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  _exit(127);
}

int code_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t n = 0; (n = read(fd, block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(n));
  }
  close(fd);
  return text;
}

std::function<void(pid_t)> sends(int signal) {
  return [signal](pid_t child) {
    if (signal != 0) kill(child, signal);
  };
}

}  // namespace

Outcome Posecam::run_with(const std::vector<std::string>& args, const FirstLine& at_first_line, int err, int in) const {
  Outcome outcome;
  std::array<int, 2> out{};
  if (pipe2(out.data(), O_CLOEXEC) != 0) return outcome;
  const pid_t child = fork();
  if (child == 0) run_child(args, data_home_, out[1], err < 0 ? out[1] : err, in);
  close(out[1]);
  std::array<char, 4096> block{};
  bool has_line = false;
  for (ssize_t n = 0; (n = read(out[0], block.data(), block.size())) > 0;) {
    outcome.out.append(block.data(), static_cast<std::size_t>(n));
    const bool had_line = std::exchange(has_line, has_line || outcome.out.find('\n') != std::string::npos);
    if (has_line && !had_line) at_first_line(child);
  }
  close(out[0]);
  outcome.code = code_of(child);
  return outcome;
}

Outcome Posecam::run_until_line(const std::vector<std::string>& args, int signal) const {
  return run_heard(args, sends(signal));
}

Outcome Posecam::run_until_told(const std::vector<std::string>& args, int signal) const {
  return run_with(args, sends(signal), -1);
}

Outcome Posecam::run_and_meanwhile(const std::vector<std::string>& args,
                                   const std::function<void()>& at_first_line) const {
  return run_heard(args, [&](pid_t) { at_first_line(); });
}

Outcome Posecam::run_and_kill(const std::vector<std::string>& args, const std::function<bool()>& ready) const {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const pid_t child = fork();
  if (child == 0) run_child(args, data_home_, nowhere, nowhere);
  close(nowhere);
  siginfo_t ended{};
  while (ended.si_pid == 0 && !ready()) waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT);
  kill(child, SIGKILL);
  return {.code = code_of(child)};
}

Outcome Posecam::run_heard(const std::vector<std::string>& args, const FirstLine& at_first_line, int in) const {
  std::FILE* errors = std::tmpfile();
  if (errors == nullptr) return {};
  Outcome outcome = run_with(args, at_first_line, fileno(errors), in);
  std::rewind(errors);
  std::array<char, 4096> block{};
  for (std::size_t n = 0; (n = std::fread(block.data(), 1, block.size(), errors)) > 0;)
    outcome.err.append(block.data(), n);
  std::fclose(errors);
  return outcome;
}

Outcome Posecam::run_reading(const std::vector<std::string>& args, const std::filesystem::path& file) const {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  std::thread writer([&] {
    const std::string content = read_file(file);
    for (std::size_t at = 0; at < content.size();) {
      const ssize_t n = write(ends[1], content.data() + at, content.size() - at);
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
    }
    close(ends[1]);
  });
  Outcome outcome = run_heard(args, sends(0), ends[0]);
  close(ends[0]);
  writer.join();
  return outcome;
}

Outcome Posecam::run_into(const std::string& file, const std::vector<std::string>& args) const {
  std::array<int, 2> err{};
  if (pipe2(err.data(), O_CLOEXEC) != 0) return {};
  const int out = file.empty() ? -1 : open(file.c_str(), O_WRONLY | O_CLOEXEC);
  const pid_t child = fork();
  if (child == 0) run_child(args, data_home_, out, err[1]);
  close(err[1]);
  close(out);
  Outcome outcome;
  outcome.err = read_all(err[0]);
  outcome.code = code_of(child);
  return outcome;
}

Outcome Posecam::run_on_terminal(const std::string& kind, unsigned short columns,
                                 const std::vector<std::string>& args) const {
  int ours = -1;
  int its = -1;
  const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (openpty(&ours, &its, nullptr, nullptr, &size) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    setenv("TERM", kind.c_str(), 1);
    run_child(args, data_home_, its, its);
  }
  close(its);
  Outcome outcome;
  outcome.out = read_all(ours);
  outcome.code = code_of(child);
  return outcome;
}

Outcome Posecam::run_unheard(const std::vector<std::string>& args) const {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  close(ends[0]);
  Outcome outcome = run_with(args, sends(0), ends[1]);
  close(ends[1]);
  return outcome;
}

}  // namespace posecam::test
