// posecam: video in, people out.

#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli/console.h"
#include "app/cli/exit_code.h"
#include "app/cli/help.h"
#include "app/cli/interrupt.h"
#include "app/cli/library_log.h"
#include "app/commands/bench_command.h"
#include "app/commands/compile_command.h"
#include "app/commands/cost_command.h"
#include "app/commands/devices_command.h"
#include "app/commands/eval_command.h"
#include "app/commands/models_command.h"
#include "app/commands/profile_command.h"
#include "app/commands/run_command.h"
#include "app/session/apart/source_host.h"
#include "models/core/text.h"
#include "pipeline/backend/errand.h"

namespace {

constexpr const char* kFooter = R"(Start here:
  posecam models pull openpose
  posecam run clip.mp4 --write-video out.mp4 --json-lines out.ndjson

Each command has its own --help.)";

int parse_and_run(int argc, char** argv) {
  int code = 0;
  CLI::App app("Finds people in video: skeletons drawn on it, keypoints as JSON.", "posecam");
  app.set_version_flag("--version", "posecam " POSECAM_VERSION, "Print the version");
  app.get_help_ptr()->description("This text");
  app.formatter(std::make_shared<posecam::HelpFormatter>());  // commands inherit it
  app.require_subcommand(1);
  app.footer(kFooter);
  app.add_subcommand("run", "Video, images or cameras -> annotated video and JSON");
  posecam::add_models_command(app, code);
  posecam::add_eval_command(app, code);
  posecam::add_compile_command(app, code);
  posecam::add_bench_command(app, code);
  posecam::add_profile_command(app, code);
  posecam::add_cost_command(app, code);
  posecam::add_devices_command(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // help and version
      std::ostringstream text;
      app.exit(e, text, text);
      posecam::put_text(text.str());
      return 0;
    }
    posecam::tell("posecam: {} (see: posecam --help)\n", posecam::without_full_stop(e.what()));
    return posecam::exit_code(posecam::Errc::kUsage);
  }
  return code;
}

int run(int argc, char** argv) {
  try {
    if (argc == 2 && std::string(argv[1]) == posecam::kSourceHostCommand) {
      const posecam::Error refused = posecam::run_source_host();
      posecam::tell("posecam: {}\n", refused.message);
      return posecam::exit_code(refused.code);
    }
    // Parsed by itself: only the top of a CLI11 parser reads configuration files.
    if (argc > 1 && std::string(argv[1]) == "run") return posecam::run_command({argv + 2, argv + argc});
    return parse_and_run(argc, argv);
  } catch (const std::bad_alloc&) {
    posecam::tell("posecam: not enough memory\n");
    return posecam::exit_code(posecam::Errc::kDevice);
  } catch (const std::exception& e) {
    posecam::tell("posecam: {}\n", e.what());
    return posecam::exit_code(posecam::Errc::kDevice);
  }
}

/// An exception that no thread could do anything about.
[[noreturn]] void leave_truthfully() {
  try {
    if (const std::exception_ptr what = std::current_exception()) std::rethrow_exception(what);
  } catch (const std::bad_alloc&) {
    posecam::tell("posecam: ended for want of memory; results are incomplete\n");
    _exit(posecam::exit_code(posecam::Errc::kDevice));
  } catch (const std::system_error& e) {
    const bool threads = e.code() == std::errc::resource_unavailable_try_again;
    posecam::tell("posecam: ended{}: {}; results are incomplete\n", threads ? ", for want of threads" : "", e.what());
    _exit(posecam::exit_code(posecam::Errc::kDevice));
  } catch (...) {
  }
  std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  posecam::leave_when_interrupted();
  std::set_terminate(leave_truthfully);
  posecam::keep_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error like others
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that may grow no further
  posecam::take_library_log();
  int code = run(argc, argv);
  if (const auto printed = posecam::all_printed(); !printed) {
    posecam::tell("posecam: {}\n", printed.error().message);
    if (code == 0) code = posecam::exit_code(printed.error().code);
  }
  if (posecam::Errand::any_left_behind()) _exit(code);
  return code;
}
