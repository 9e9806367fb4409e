#include "app/bench/bench_files.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/bench/bench_page.h"
#include "app/bench/bench_png.h"

namespace posecam {
namespace {

using Text = Result<std::string>;

/// Two documents on standard output would be one that nobody can read.
Result<void> check(const BenchOutputs& o) {
  int on_stdout = 0;
  for (const std::string* file : {&o.json, &o.csv, &o.html}) on_stdout += *file == "-" ? 1 : 0;
  if (on_stdout > 1) return Error{Errc::kUsage, "only one of --json, --csv and --html can be - (standard output)"};
  if (!o.plot.empty() && !o.plot.ends_with(".svg") && !o.plot.ends_with(".png")) {
    return Error{Errc::kUsage, fmt::format("--plot {}: must end in .svg or .png", o.plot)};
  }
  if (!o.plot.ends_with(".png")) return {};
  // Self-closed, rsvgdec would wait for the end.
  const auto picture = render_png("<svg xmlns='http://www.w3.org/2000/svg' width='16' height='16'></svg>");
  return picture ? Result<void>{} : picture.error();
}

}  // namespace

Result<BenchFiles> BenchFiles::open(const BenchOutputs& o) {
  if (auto valid = check(o); !valid) return valid.error();
  const Render plot = o.plot.ends_with(".png") ? Render{[](const BenchReport& r) { return render_png(bench_svg(r)); }}
                                               : Render{[](const BenchReport& r) { return Text(bench_svg(r)); }};
  const std::array<std::pair<const std::string*, Render>, 4> wanted{
      {{&o.json,
        [](const BenchReport& r) {
          return Text(to_json(r).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
        }},
       {&o.csv, [](const BenchReport& r) { return Text(bench_csv(r)); }},
       {&o.html, [](const BenchReport& r) { return Text(bench_page(r)); }},
       {&o.plot, plot}}};
  BenchFiles files;
  for (const auto& [location, render] : wanted) {
    if (location->empty()) continue;
    auto file = ResultFile::create(*location);
    if (!file) return file.error();
    files.outputs_.push_back({std::move(*file), render});
  }
  return files;
}

BenchFiles::~BenchFiles() {
  for (Output& output : outputs_) output.file.discard();
}

std::vector<Error> BenchFiles::write(const BenchReport& report) {
  std::vector<Error> failures;
  for (Output& output : std::exchange(outputs_, {})) {
    const auto text = output.render(report);
    auto written = text ? output.file.write(*text) : Result<void>(text.error());
    if (written) written = output.file.commit();
    if (written) continue;
    output.file.discard();
    failures.push_back(written.error());
  }
  return failures;
}

}  // namespace posecam
