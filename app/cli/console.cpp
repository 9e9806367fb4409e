#include "app/cli/console.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <sys/ioctl.h>
#include <unistd.h>

#include "models/store/address.h"
#include "pipeline/output/result_file.h"

namespace posecam {
namespace {

constexpr std::string_view kErase = "\r\x1b[K";
constexpr const char* kClear = "\x1b[H\x1b[2J";
constexpr std::size_t kMostTold = 1000;  ///< lines that are remembered: a camera may run for weeks

struct Console {
  std::mutex mutex;
  std::optional<ResultFile> out;
  Result<void> printed;
  bool drawn = false;  ///< a status
  std::set<std::string, std::less<>> told;

  void print(std::string_view text) {
    if (!printed || text.empty()) return;
    erase();
    if (!out) {
      auto made = ResultFile::create("-");
      if (!made) {
        printed = made.error();
        return;
      }
      out.emplace(*std::move(made));
    }
    printed = out->write(text);
  }
  void say(std::string_view text) {
    erase();
    write_error(printable_lines(with_shown_urls(text)));
  }
  void write_error(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }
  void erase() {
    if (std::exchange(drawn, false)) write_error(kErase);
  }
};

/// Never destroyed: threads of libraries may speak until the very end.
Console& console() {
  static Console& instance = *new Console;
  return instance;
}

}  // namespace

void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest free number is taken. Opened the wrong way round: EBADF, as if it were closed.
    (void)!::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void put_text(std::string_view text) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  c.print(printable_lines(text));
}

void put_screen(std::string_view text) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  c.print(kClear + printable_lines(text));
}

void put_path(std::string_view path) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  c.print((isatty(STDOUT_FILENO) == 1 ? printable(path) : std::string(path)) + "\n");
}

Result<void> all_printed() {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  return c.printed;
}

void tell_text(std::string_view text) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  c.say(text);
}

void tell_once(const std::string& text) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  if (c.told.size() == kMostTold) c.told.clear();
  if (c.told.insert(text).second) c.say(text);
}

void draw_status(std::string_view line) {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  c.write_error(fmt::format("{}{}", kErase, printable(line)));
  c.drawn = true;
}

void erase_status() {
  Console& c = console();
  const std::lock_guard lock(c.mutex);
  c.erase();
}

bool status_can_be_drawn() {
  const char* const term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

int terminal_columns(int descriptor) {
  constexpr int kUsual = 80;  // of terminals that do not say
  if (isatty(descriptor) != 1) return 0;
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace posecam
