#include "app/bench/bench_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/session/utf8.h"
#include "models/core/text.h"

namespace posecam {
namespace {

// As wide as a phone shows without making letters too small to read.
constexpr double kWidth = 520;
constexpr double kHeight = 300;  // of one diagram
constexpr double kLeft = 64;
constexpr double kRight = 10;
constexpr double kTop = 40;
constexpr double kBottom = 56;
constexpr double kLegendLine = 19;
constexpr double kPixels = 2;  // of a picture, for each unit of the drawing

/// Of Okabe and Ito, "Color Universal Design" (2008): told apart by everybody, black left out.
constexpr std::array kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

using Curve = std::map<std::uint32_t, double>;  ///< by the place on the x axis

struct Series {
  std::string name;
  Curve points;
  Curve bound;  ///< dashed: what the device could do; may be empty
};

struct Diagram {
  std::string title;
  std::string x;
  std::string y;
  std::string note;  ///< what dashed lines are; empty: there are none
  std::vector<Series> series;
};

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : valid_utf8(text)) {  // XML refuses anything else
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;  // XML has no way to write them
    }
  }
  return out;
}

/// The end of a long path, in whole characters: there is room for so much in a picture.
std::string shortened(const std::string& text) {
  constexpr std::size_t kRoom = 40;
  if (text.size() <= kRoom) return text;
  std::size_t from = text.size() - kRoom;
  while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xC0U) == 0x80U) ++from;
  return "..." + text.substr(from);
}

/// Whether the networks' names tell all cases apart, files of one network being compiled for one size each: then these
/// are the points of one curve over batches.
bool one_size_a_file(const BenchReport& report) {
  std::map<std::string, std::uint32_t> sizes;
  std::vector<BenchCase> seen;
  for (const BenchResult& r : report.results) {
    if (sizes.emplace(r.what.model, r.what.batch).first->second != r.what.batch) return false;
    BenchCase anonymous = r.what;
    anonymous.model.clear();
    if (std::ranges::find(seen, anonymous) != seen.end()) return false;
    seen.push_back(std::move(anonymous));
  }
  return true;
}

/// How cases are called: by the settings in which they differ.
class Names {
 public:
  enum Setting : std::uint8_t {
    kModel,
    kDevice,
    kSize,
    kStages,
    kBatch,
    kCores,
    kSlots,
    kRequests,
    kStreams,
    kSettings
  };

  explicit Names(const BenchReport& report)
      // Requests of a batch each go without saying, but then all of them: a curve over batches has one name.
      : requests_(std::ranges::any_of(
            report.results,
            [](const BenchResult& r) { return !r.what.whole && r.what.request_batch != r.what.batch; })),
        by_network_(one_size_a_file(report)) {
    for (const BenchResult& r : report.results) {
      if (r.runs.empty()) continue;  // it may not know its cores, and is in no curve
      for (std::size_t i = 0; i < kSettings; ++i) words_[i].insert(word(r.what, static_cast<Setting>(i)));
    }
  }
  bool varies(Setting setting) const { return words_[setting].size() > 1; }
  /// Of a curve along `axis`.
  std::string curve(const BenchCase& c, Setting axis) const {
    std::string name;
    for (std::size_t i = 0; i < kSettings; ++i) {
      if (i != axis && words_[i].size() > 1) append(name, word(c, static_cast<Setting>(i)));
    }
    return name;
  }
  /// What all cases have in common.
  std::string shared() const {
    std::string text;
    for (const auto& words : words_) {
      if (words.size() == 1) append(text, *words.begin());
    }
    return text;
  }

 private:
  static void append(std::string& text, const std::string& word) {
    if (!word.empty()) text += (text.empty() ? "" : ", ") + word;
  }
  std::string word(const BenchCase& c, Setting setting) const {
    switch (setting) {
      case kModel: return by_network_ ? c.network : shortened(c.model);
      case kDevice: return c.device;
      case kSize: return c.net_resolution;
      case kStages: return c.whole ? "end to end" : "network alone";
      case kBatch: return fmt::format("batch {}", c.batch);
      case kCores: return counted(c.cores, "core", "cores");
      case kSlots: return counted(c.slots, "slot", "slots");
      case kRequests: return requests_ && !c.whole ? fmt::format("requests of {}", c.request_batch) : "";
      case kStreams: return c.whole ? counted(c.streams, "stream", "streams") : "";
      case kSettings: break;
    }
    return {};
  }

  bool requests_;
  bool by_network_;
  std::array<std::set<std::string>, kSettings> words_;
};

Series& find_or_add(std::vector<Series>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Series::name);
  return found != all.end() ? *found : all.emplace_back(Series{name, {}, {}});
}

/// Of cores that were mostly idle one cannot tell what they could do.
constexpr double kLeastUse = 0.5;

void add_batch_diagrams(const BenchReport& report, const Names& names, std::vector<Diagram>& all) {
  Diagram throughput{
      "Throughput by batch", "batch size", "frames a second", "dashed: with the cores busy all the time", {}};
  const bool whole = std::ranges::any_of(report.results, [](const BenchResult& r) { return r.what.whole; });
  Diagram latency{"Latency (p50) by batch", "batch size", whole ? "ms a frame" : "ms a request", {}, {}};
  for (const BenchResult& r : report.results) {
    if (r.runs.empty()) continue;
    const std::string name = names.curve(r.what, Names::kBatch);
    const double fps = r.median(&BenchRun::throughput);
    const double use = r.median(&BenchRun::core_use);
    Series& series = find_or_add(throughput.series, name);
    series.points[r.what.batch] = fps;
    if (use > kLeastUse) series.bound[r.what.batch] = fps / std::min(use, 1.0);
    find_or_add(latency.series, name).points[r.what.batch] = r.median(&BenchRun::p50_ms);
  }
  all.push_back(std::move(throughput));
  all.push_back(std::move(latency));
}

void add_core_diagram(const BenchReport& report, const Names& names, std::vector<Diagram>& all) {
  Diagram cores{
      "Throughput by cores", "cores", "frames a second", "dashed: that of the fewest cores, times as many", {}};
  for (const BenchResult& r : report.results) {
    if (r.runs.empty()) continue;
    find_or_add(cores.series, names.curve(r.what, Names::kCores)).points[r.what.cores] =
        r.median(&BenchRun::throughput);
  }
  for (Series& series : cores.series) {
    const auto [fewest, fps] = *series.points.begin();
    for (const auto& [n, ignored] : series.points) series.bound[n] = fps / fewest * n;
  }
  all.push_back(std::move(cores));
}

/// Over what varies; over batches if nothing does.
std::vector<Diagram> diagrams(const BenchReport& report) {
  const Names names(report);
  std::vector<Diagram> all;
  if (names.varies(Names::kBatch) || !names.varies(Names::kCores)) add_batch_diagrams(report, names, all);
  if (names.varies(Names::kCores)) add_core_diagram(report, names, all);
  return all;
}

/// 1, 2 or 5 times a power of ten: about five of them up to `most`.
double nice_step(double most) {
  const double rough = std::max(most, 1e-9) / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double part = rough / power;
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/// Where values lie in a diagram whose upper left corner is at (0, top). The x axis is logarithmic in base 2, as batch
/// sizes are.
struct Scale {
  double top = 0;
  std::set<std::uint32_t> places;
  double step = 1;
  double ceiling = 1;

  Scale(const Diagram& diagram, double upper) : top(upper) {
    double highest = 0;
    for (const Series& s : diagram.series) {
      for (const Curve* curve : {&s.points, &s.bound}) {
        for (const auto& [x, y] : *curve) {
          highest = std::max(highest, y);
          places.insert(x);
        }
      }
    }
    step = nice_step(highest);
    ceiling = step * std::ceil(std::max(highest, 1e-9) / step);
  }
  double x(std::uint32_t value) const {
    const auto log = [](std::uint32_t v) { return std::log2(std::max(1U, v)); };
    const double span = log(*places.rbegin()) - log(*places.begin());
    const double part = span > 0 ? (log(value) - log(*places.begin())) / span : 0.5;
    constexpr double kInset = 14;
    return kLeft + kInset + part * (kWidth - kLeft - kRight - 2 * kInset);
  }
  double y(double value) const { return bottom() - value / ceiling * (kHeight - kTop - kBottom); }
  double bottom() const { return top + kHeight - kBottom; }
};

/// "25k" where thousands would be too wide for the margin.
std::string readable(double value, double ceiling) {
  return ceiling < 10'000 ? fmt::format("{:g}", value) : fmt::format("{:g}k", value / 1000);
}

std::string draw_axes(const Diagram& d, const Scale& at) {
  std::string svg = fmt::format("<text x='{}' y='{}' font-size='17' font-weight='bold'>{}</text>\n", kLeft, at.top + 24,
                                escape(d.title));
  for (double y = 0; y <= at.ceiling * 1.0001; y += at.step) {
    svg += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}' stroke='#ddd'/>"
        "<text x='{3}' y='{4:.1f}' text-anchor='end'>{5}</text>\n",
        kLeft, kWidth - kRight, at.y(y), kLeft - 8, at.y(y) + 5, readable(y, at.ceiling));
  }
  for (const std::uint32_t x : at.places) {
    svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>\n", at.x(x), at.bottom() + 18, x);
  }
  svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle' fill='#555'>{}</text>\n", (kLeft + kWidth) / 2,
                     at.bottom() + 38, escape(d.x));
  svg += fmt::format("<text transform='translate(16 {:.1f}) rotate(-90)' text-anchor='middle' fill='#555'>{}</text>\n",
                     (at.bottom() + at.top + kTop) / 2, escape(d.y));
  return svg;
}

std::string draw_curve(const Curve& curve, const Scale& at, const char* stroke, bool bound) {
  std::string path;
  std::string dots;
  for (const auto& [x, y] : curve) {
    path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "" : " ", at.x(x), at.y(y));
    dots += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='4' fill='{}'/>\n", at.x(x), at.y(y), stroke);
  }
  return fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='2.5'{}/>\n{}", path, stroke,
                     bound ? " stroke-dasharray='6 5'" : "", bound ? "" : dots);
}

/// A line of the legend for each curve that has a name, and one for the note.
double height_of(const Diagram& d) {
  const auto named = std::ranges::count_if(d.series, [](const Series& s) { return !s.name.empty(); });
  return kHeight + kLegendLine * static_cast<double>(named + 1) + 10;
}

std::string draw(const Diagram& d, double top) {
  const Scale at(d, top);
  std::string svg = draw_axes(d, at);
  double legend = top + kHeight;
  for (std::size_t i = 0; i < d.series.size(); ++i) {
    const Series& s = d.series[i];
    const char* const stroke = kColours[i % kColours.size()];
    if (!s.bound.empty()) svg += draw_curve(s.bound, at, stroke, true);
    svg += draw_curve(s.points, at, stroke, false);
    if (s.name.empty()) continue;
    svg += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}' stroke='{3}' stroke-width='2.5'/>"
        "<text x='{4}' y='{5:.1f}'>{6}</text>\n",
        kLeft, kLeft + 26, legend - 5, stroke, kLeft + 34, legend, escape(s.name));
    legend += kLegendLine;
  }
  return svg + fmt::format("<text x='{}' y='{:.1f}' fill='#555'>{}</text>\n", kLeft, legend, escape(d.note));
}

std::string html_table(const Cells& rows) {
  std::string text;
  for (const auto& row : rows) {
    const char* const tag = &row == rows.data() ? "th" : "td";
    text += "<tr>";
    for (const std::string& cell : row) text += fmt::format("<{0}>{1}</{0}>", tag, escape(cell));
    text += "</tr>\n";
  }
  return text;
}

std::string html_failures(const BenchReport& report) {
  std::string text;
  for (const BenchResult& result : report.results) {
    if (!result.failure.empty()) text += fmt::format("<p>{}</p>\n", escape(describe_failure(result)));
  }
  return text;
}

}  // namespace

std::string bench_svg(const BenchReport& report) {
  const auto all = diagrams(report);
  std::string inner;
  double top = 0;
  for (const Diagram& d : all) {
    inner += draw(d, top);
    top += height_of(d);
  }
  return fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{2}' height='{3}' "
      "font-family='sans-serif' font-size='14'>\n<rect width='{0}' height='{1}' fill='white'/>\n{4}</svg>\n",
      kWidth, top, kPixels * kWidth, kPixels * top, inner);
}

std::string bench_page(const BenchReport& report) {
  const bool simulated = std::ranges::any_of(report.results, &BenchResult::simulated);
  return fmt::format(R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>posecam bench</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; color: #222; }}
svg {{ width: 100%; max-width: 44rem; height: auto; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 14px; }}
th, td {{ padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }}
</style></head><body>
<h1>posecam bench</h1>
<p><b>{}</b></p>
<p>{}, {}; posecam {}, {}.{}</p>
{}
<div class="wide"><table>
{}</table></div>
{}</body></html>
)",
                     escape(Names(report).shared()), counted(report.cpus, "CPU", "CPUs"), escape(report.cpu),
                     escape(report.version), escape(report.when),
                     simulated ? " Times on neuron-sim are those of the simulator." : "", bench_svg(report),
                     html_table(bench_cells(report)), html_failures(report));
}

}  // namespace posecam
