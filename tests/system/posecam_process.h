#pragma once
// The posecam program as its users run it: arguments in, exit code, stdout and stderr out.

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace posecam::test {

struct Outcome {
  int code = -1;  ///< exit code; 128 + N for a signal
  std::string out;
  std::string err;
};

/// build/bin/posecam with XDG_DATA_HOME set to `data_home`.
class Posecam {
 public:
  explicit Posecam(std::filesystem::path data_home) : data_home_(std::move(data_home)) {}

  Outcome run(const std::vector<std::string>& args) const { return run_until_line(args, 0); }
  /// Sends `signal` when the first line has come out of stdout; 0: never.
  Outcome run_until_line(const std::vector<std::string>& args, int signal) const;
  /// The same with the first line that comes out of either; both are in Outcome::out.
  Outcome run_until_told(const std::vector<std::string>& args, int signal) const;
  /// Does that when the first line has come out of stdout; the program goes on, as far as a full pipe lets it, and is
  /// read to its end afterwards.
  Outcome run_and_meanwhile(const std::vector<std::string>& args, const std::function<void()>& at_first_line) const;
  /// Is killed (SIGKILL) as soon as `ready` says so, which is asked again and again. Its outputs go nowhere.
  Outcome run_and_kill(const std::vector<std::string>& args, const std::function<bool()>& ready) const;
  /// Its standard input is a pipe with the content of that file.
  Outcome run_reading(const std::vector<std::string>& args, const std::filesystem::path& file) const;
  /// Its standard output is that file, which is there; empty: it has none.
  Outcome run_into(const std::string& file, const std::vector<std::string>& args) const;
  /// Both its outputs, in Outcome::out, are a terminal of that kind and width.
  Outcome run_on_terminal(const std::string& kind, unsigned short columns, const std::vector<std::string>& args) const;
  /// Its standard error is a pipe that nobody reads.
  Outcome run_unheard(const std::vector<std::string>& args) const;

 private:
  using FirstLine = std::function<void(pid_t child)>;
  /// With its standard error in Outcome::err; `in`: its standard input, -1: ours.
  Outcome run_heard(const std::vector<std::string>& args, const FirstLine& at_first_line, int in = -1) const;
  /// Fills in all but what went to `err`; -1: where stdout goes.
  Outcome run_with(const std::vector<std::string>& args, const FirstLine& at_first_line, int err, int in = -1) const;

  std::filesystem::path data_home_;
};

}  // namespace posecam::test
