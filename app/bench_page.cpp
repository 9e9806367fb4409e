#include "app/bench_page.h"

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
#include <gst/gst.h>

#include "app/topology.h"

namespace posecam {
namespace {

constexpr double kWidth = 900;
constexpr double kHeight = 360;  // of one diagram
constexpr double kLeft = 80;
constexpr double kRight = 20;
constexpr double kTop = 46;
constexpr double kBottom = 60;
constexpr double kLegendLine = 20;

/// Of Okabe and Ito, "Color Universal Design" (2008): told apart by everybody, black left out.
constexpr std::array kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

struct Series {
  std::string name;
  std::map<std::uint32_t, double> points;
  bool bound = false;  ///< dashed: what the device could do
};

struct Diagram {
  std::string title;
  std::string x;
  std::string y;
  std::vector<Series> series;
};

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

/// What else tells curves from each other.
struct Naming {
  bool batch = false;
  bool cores = false;
  bool requests = false;
};

/// What a curve holds fixed.
std::string name_of(const BenchCase& c, const Naming& with) {
  std::string name = fmt::format("{}, {}", c.model, c.device);
  if (c.whole) name += ", end to end";
  if (with.batch) name += fmt::format(", batch {}", c.batch);
  if (with.cores) name += fmt::format(", {} core{}", c.cores, c.cores == 1 ? "" : "s");
  name += fmt::format(", {} slot{}", c.slots, c.slots == 1 ? "" : "s");
  if (with.requests && !c.whole) name += fmt::format(", requests of {}", c.request_batch);
  if (c.streams > 1) name += fmt::format(", {} streams", c.streams);
  return name;
}

Series& find_or_add(std::vector<Series>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &Series::name);
  return found != all.end() ? *found : all.emplace_back(Series{name, {}, false});
}

/// Only diagrams with something to see: more than one place on the x axis.
bool varies(const BenchReport& report, std::uint32_t BenchCase::*field) {
  std::set<std::uint32_t> values;
  for (const BenchResult& r : report.results) values.insert(r.what.*field);
  return values.size() > 1;
}

std::vector<Diagram> diagrams(const BenchReport& report) {
  // Requests of a batch each go without saying, but then all of them: a curve over batches has one name.
  const bool requests = std::ranges::any_of(
      report.results, [](const BenchResult& r) { return !r.what.whole && r.what.request_batch != r.what.batch; });
  Diagram throughput{"Throughput", "batch size", "frames a second", {}};
  Diagram latency{"Latency (p50)", "batch size", "ms a request", {}};
  Diagram cores{"Throughput", "cores", "frames a second", {}};
  for (const BenchResult& r : report.results) {
    const double fps = r.median(&BenchRun::throughput);
    const std::string by_batch = name_of(r.what, {.cores = true, .requests = requests});
    find_or_add(throughput.series, by_batch).points[r.what.batch] = fps;
    find_or_add(latency.series, by_batch).points[r.what.batch] = r.median(&BenchRun::p50_ms);
    find_or_add(cores.series, name_of(r.what, {.batch = true, .requests = requests})).points[r.what.cores] = fps;
  }
  // As many cores as there are times what one of them did, from the fewest that were measured.
  std::vector<Series> bounds;
  for (const Series& series : cores.series) {
    const auto [fewest, fps] = *series.points.begin();
    Series bound{series.name + ": bound", {}, true};
    for (const auto& [n, ignored] : series.points) bound.points[n] = fps / fewest * n;
    bounds.push_back(std::move(bound));
  }
  std::vector<Diagram> all;
  const bool over_cores = varies(report, &BenchCase::cores);
  if (varies(report, &BenchCase::batch) || !over_cores) {
    all.push_back(std::move(throughput));
    all.push_back(std::move(latency));
  }
  if (over_cores) {
    for (std::size_t i = bounds.size(); i-- > 0;)
      cores.series.insert(cores.series.begin() + static_cast<std::ptrdiff_t>(i) + 1, bounds[i]);
    all.push_back(std::move(cores));
  }
  return all;
}

/// 1, 2 or 5 times a power of ten: about five of them up to `most`.
double nice_step(double most) {
  const double rough = std::max(most, 1e-9) / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double part = rough / power;
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/// Draws one diagram with its upper left corner at (0, top). The x axis is logarithmic in base 2, as batch sizes are.
std::string draw(const Diagram& d, double top) {
  double highest = 0;
  std::set<std::uint32_t> places;
  for (const Series& s : d.series) {
    for (const auto& [x, y] : s.points) {
      highest = std::max(highest, y);
      places.insert(x);
    }
  }
  const double step = nice_step(highest);
  const double ceiling = step * std::ceil(std::max(highest, 1e-9) / step);
  const double first = std::log2(std::max(1U, *places.begin()));
  const double span = std::max(1e-9, std::log2(std::max(1U, *places.rbegin())) - first);
  const auto at_x = [&](std::uint32_t x) {
    const double part = places.size() == 1 ? 0.5 : (std::log2(std::max(1U, x)) - first) / span;
    return kLeft + 20 + part * (kWidth - kLeft - kRight - 40);
  };
  const auto at_y = [&](double y) { return top + kHeight - kBottom - y / ceiling * (kHeight - kTop - kBottom); };

  std::string svg = fmt::format("<text x='{}' y='{}' font-size='20' font-weight='bold'>{}</text>\n", kLeft, top + 28,
                                escape(d.title));
  for (double y = 0; y <= ceiling * 1.0001; y += step) {
    svg += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}' stroke='#ddd'/>"
        "<text x='{3}' y='{4:.1f}' text-anchor='end'>{5:g}</text>\n",
        kLeft, kWidth - kRight, at_y(y), kLeft - 8, at_y(y) + 5, y);
  }
  for (const std::uint32_t x : places) {
    svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>\n", at_x(x),
                       top + kHeight - kBottom + 20, x);
  }
  svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='middle' fill='#555'>{}</text>\n", (kLeft + kWidth) / 2,
                     top + kHeight - kBottom + 42, escape(d.x));
  svg += fmt::format("<text transform='translate(20 {:.1f}) rotate(-90)' text-anchor='middle' fill='#555'>{}</text>\n",
                     top + (kHeight - kBottom + kTop) / 2, escape(d.y));
  std::size_t colour = 0;
  double legend = top + kHeight;
  for (const Series& s : d.series) {
    if (!s.bound && &s != d.series.data()) ++colour;  // a bound has the colour of its curve
    const char* const stroke = kColours[colour % kColours.size()];
    const char* const dash = s.bound ? " stroke-dasharray='6 5'" : "";
    std::string path;
    for (const auto& [x, y] : s.points)
      path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "" : " ", at_x(x), at_y(y));
    svg += fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='2.5'{}/>\n", path, stroke, dash);
    for (const auto& [x, y] : s.points) {
      if (s.bound) continue;
      svg += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='4' fill='{}'/>\n", at_x(x), at_y(y), stroke);
    }
    svg += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}' stroke='{3}' stroke-width='2.5'{4}/>"
        "<text x='{5}' y='{6:.1f}'>{7}</text>\n",
        kLeft, kLeft + 34, legend - 5, stroke, dash, kLeft + 44, legend, escape(s.name));
    legend += kLegendLine;
  }
  return svg;
}

double height_of(const Diagram& d) { return kHeight + kLegendLine * static_cast<double>(d.series.size()) + 10; }

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
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{0}' height='{1}' "
      "font-family='sans-serif' font-size='14'>\n<rect width='{0}' height='{1}' fill='white'/>\n{2}</svg>\n",
      kWidth, top, inner);
}

std::string bench_page(const BenchReport& report) {
  const bool simulated = std::ranges::any_of(report.results, &BenchResult::simulated);
  return fmt::format(R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>posecam bench</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; color: #222; }}
svg {{ width: 100%; height: auto; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: 14px; }}
th, td {{ padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }}
</style></head><body>
<h1>posecam bench</h1>
<p>{} CPUs, {}; posecam {}, {}.{}</p>
{}
<div class="wide"><table>
{}</table></div>
</body></html>
)",
                     report.cpus, escape(report.cpu), escape(report.version), escape(report.when),
                     simulated ? " Times on neuron-sim are those of the simulator." : "", bench_svg(report),
                     html_table(bench_cells(report)));
}

Result<std::string> render_png(const std::string& svg) {
  gst_init(nullptr, nullptr);
  GError* error = nullptr;
  GstElement* made = gst_parse_launch(
      "appsrc name=src caps=image/svg+xml ! rsvgdec ! videoconvert ! pngenc ! appsink name=sink sync=false", &error);
  if (error) {
    Error failure{Errc::kMedia, fmt::format("--plot FILE.png: {}; apt install gstreamer1.0-plugins-bad, or use .svg",
                                            error->message)};
    g_error_free(error);
    if (made) gst_object_unref(made);
    return failure;
  }
  const PipelinePtr pipeline(made);
  const std::unique_ptr<GstElement, ObjectUnref> source(gst_bin_get_by_name(GST_BIN(made), "src"));
  const std::unique_ptr<GstElement, ObjectUnref> sink(gst_bin_get_by_name(GST_BIN(made), "sink"));
  gst_element_set_state(made, GST_STATE_PLAYING);
  GstBuffer* const in = gst_buffer_new_memdup(svg.data(), svg.size());
  GstFlowReturn flow = GST_FLOW_OK;
  g_signal_emit_by_name(source.get(), "push-buffer", in, &flow);
  gst_buffer_unref(in);
  g_signal_emit_by_name(source.get(), "end-of-stream", &flow);
  GstSample* sample = nullptr;
  g_signal_emit_by_name(sink.get(), "try-pull-sample", 30 * GST_SECOND, &sample);
  std::string png;
  if (sample) {
    GstBuffer* const out = gst_sample_get_buffer(sample);
    png.resize(gst_buffer_get_size(out));
    gst_buffer_extract(out, 0, png.data(), png.size());
    gst_sample_unref(sample);
  }
  gst_element_set_state(made, GST_STATE_NULL);
  if (png.empty()) return Error{Errc::kMedia, "--plot FILE.png: the picture could not be drawn; use .svg"};
  return png;
}

}  // namespace posecam
