#include "app/eval/eval_view.h"

#include <algorithm>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/console.h"
#include "app/cli/text_table.h"
#include "models/core/text.h"

namespace posecam {
namespace {

using Json = nlohmann::ordered_json;

double fps(const EvalCounts& counts, const EvalRun& run) {
  return run.seconds > 0 ? static_cast<double>(counts.images) / run.seconds : 0;
}

void add_run(Json& out, const EvalCounts& counts, const EvalRun& run) {
  if (!run.detector.empty()) out["detector"] = run.detector;
  out["model"] = run.model;
  out["device"] = run.device;
  out["net_resolution"] = fmt::format("{}x{}", run.size.width, run.size.height);
  out["fps"] = fps(counts, run);
}

std::string describe(const EvalCounts& counts, const EvalRun& run) {
  return fmt::format(", {:.1f} FPS ({}{} at {}x{} on {})", fps(counts, run),
                     run.detector.empty() ? "" : run.detector + " and ", run.model, run.size.width, run.size.height,
                     run.device);
}

void put_json(const Json& out) { put_text(with_escapes(out.dump()) + "\n"); }

/// As everybody knows it, or what fits a narrow terminal.
std::string figures_table(CocoKind kind, const CocoStats& stats) {
  constexpr int kColumns = 80;
  const int columns = terminal_columns(STDOUT_FILENO);
  if (columns == 0 || columns >= kColumns) return coco_table(kind, stats);
  Cells rows{{"figure", kind == CocoKind::kKeypoints ? "OKS" : "IoU", "area", "most", "value"}};
  for (std::size_t i = 0; i < stats.size(); ++i) {
    const CocoFigure& f = coco_figures(kind)[i];
    rows.push_back({f.precision ? "AP" : "AR", f.similarity > 0 ? fmt::format("{:.2f}", f.similarity) : "0.50:0.95",
                    std::string(f.area), std::to_string(f.most_found), fmt::format("{:.3f}", stats[i])});
  }
  return lay_out(rows, {.sides = "lllrr", .columns = columns});
}

}  // namespace

void print_coco(CocoKind kind, const CocoStats& stats, const EvalCounts& counts, const std::optional<EvalRun>& run,
                bool as_json) {
  const bool people = kind == CocoKind::kKeypoints;
  if (as_json) {
    Json out;
    for (std::size_t i = 0; i < stats.size(); ++i) out[std::string(coco_figures(kind)[i].name)] = stats[i];
    out["images"] = counts.images;
    out[people ? "people" : "objects"] = counts.found;
    if (run) add_run(out, counts, *run);
    return put_json(out);
  }
  const bool absent = std::ranges::any_of(stats, [](double value) { return value < 0; });
  put("{}{}{}, {} found{}\n", figures_table(kind, stats),
      absent ? fmt::format("-1.000: no {} of that size are annotated\n", people ? "people" : "objects") : "",
      counted(counts.images, "image", "images"),
      people ? counted(counts.found, "person", "people") : counted(counts.found, "object", "objects"),
      run ? describe(counts, *run) : "");
}

void print_classes(const ClassStats& stats, const EvalCounts& counts, const EvalRun& run, bool as_json) {
  if (as_json) {
    Json out{{"top1", stats.top1}, {"top5", stats.top5}, {"images", counts.images}};
    add_run(out, counts, run);
    return put_json(out);
  }
  put(" Top-1 = {:.3f}\n Top-5 = {:.3f}\n{}{}\n", stats.top1, stats.top5, counted(counts.images, "image", "images"),
      describe(counts, run));
}

}  // namespace posecam
