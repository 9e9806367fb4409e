#include "postprocess/draw/draw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>

#include <fmt/format.h>

#include "postprocess/draw/draw_canvas.h"
#include "postprocess/draw/draw_style.h"

namespace posecam {
namespace {

// Keypoints further out than this many frames belong to nothing that could be seen.
constexpr float kReach = 2;

using Label = std::array<char, 64>;

template <class... Args>
void format(Label& label, fmt::format_string<Args...> pattern, Args&&... args) {
  *fmt::format_to_n(label.data(), label.size() - 1, pattern, std::forward<Args>(args)...).out = '\0';
}

bool drawable(const std::optional<Keypoint>& k, float min_score) {
  return k && k->score >= min_score && std::abs(k->x) <= kReach && std::abs(k->y) <= kReach;
}

Point to_pixels(const Keypoint& k, Size frame) {
  return {k.x * static_cast<float>(frame.width), k.y * static_cast<float>(frame.height)};
}

bool drawable(const Box& box) {
  return std::isfinite(box.x + box.y) && box.width > 0 && box.height > 0 && box.x < 1 && box.y < 1 &&
         box.x + box.width > 0 && box.y + box.height > 0;
}

// Box in whole pixels, at least one, inside the frame; empty if it is not finite or misses the frame.
std::optional<PixelRect> to_pixels(const Box& box, Size frame) {
  if (!drawable(box)) return std::nullopt;
  const auto pixel = [](float v, int extent) {
    return static_cast<int>(std::lround(std::clamp(v, 0.F, 1.F) * static_cast<float>(extent)));
  };
  PixelRect r{pixel(box.x, frame.width), pixel(box.y, frame.height), pixel(box.x + box.width, frame.width),
              pixel(box.y + box.height, frame.height)};
  r.x0 = std::min(r.x0, frame.width - 1);
  r.y0 = std::min(r.y0, frame.height - 1);
  r.x1 = std::max(r.x1, r.x0 + 1);
  r.y1 = std::max(r.y1, r.y0 + 1);
  return r;
}

void draw_skeleton(const Canvas& canvas, const DrawStyle& style, const Pose& pose, const Skeleton& skeleton,
                   float min_score) {
  const auto colors = part_colors(skeleton);
  const Size frame = canvas.size();
  for (const Limb& limb : skeleton.limbs) {
    const auto& from = pose.keypoints[limb.from];
    const auto& to = pose.keypoints[limb.to];
    if (!limb.drawn || !drawable(from, min_score) || !drawable(to, min_score)) continue;
    canvas.line(to_pixels(*from, frame), to_pixels(*to, frame), style.line_width, colors[limb.to]);
  }
  for (std::size_t i = 0; i < skeleton.parts.size(); ++i) {
    if (drawable(pose.keypoints[i], min_score)) {
      canvas.disc(to_pixels(*pose.keypoints[i], frame), style.joint_radius, colors[i]);
    }
  }
}

// Text on a filled strip above `anchor`, or inside it where the frame ends; nothing in frames too small for letters.
void draw_label(const Canvas& canvas, const DrawStyle& style, const PixelRect& anchor, const char* label, Rgb color) {
  const Size text = Canvas::text_size(label, style);
  const Size frame = canvas.size();
  const int width = text.width + 2 * style.text_margin;
  const int height = text.height + 2 * style.text_margin;
  if (height * 3 > frame.height || text.height * 2 > frame.width) return;
  const int x = std::max(0, std::min(anchor.x0, frame.width - width));
  const int y = anchor.y0 >= height ? anchor.y0 - height : anchor.y0;
  canvas.fill({x, y, x + width, y + height}, color);
  canvas.text(label, x + style.text_margin, y + height - style.text_margin, style, text_color(color));
}

void format_named(Label& label, std::string_view name, int label_id, float score) {
  if (name.empty()) {
    format(label, "{} {:.2f}", label_id, score);
  } else {
    format(label, "{:.40} {:.2f}", name, score);
  }
}

void draw_detection(const Canvas& canvas, const DrawStyle& style, const Detection& detection, std::string_view name,
                    const DrawOptions& options) {
  const auto rect = to_pixels(detection.box, canvas.size());
  if (!rect) return;
  const Rgb color = index_color(detection.id.value_or(detection.label_id));
  canvas.outline(*rect, style.line_width, color);
  if (!options.labels) return;
  Label label{};
  if (!name.empty() && detection.id) {
    format(label, "{:.40} {:.2f} #{}", name, detection.score, *detection.id);
  } else {
    format_named(label, name, detection.label_id, detection.score);
  }
  draw_label(canvas, style, *rect, label.data(), color);
}

void draw_pose_id(const Canvas& canvas, const DrawStyle& style, const Pose& pose) {
  const auto rect = to_pixels(pose.box(), canvas.size());
  if (!pose.id || !rect) return;
  Label label{};
  format(label, "#{}", *pose.id);
  draw_label(canvas, style, *rect, label.data(), index_color(*pose.id));
}

/// In the upper left corner: it is about the whole frame.
void draw_class(const Canvas& canvas, const DrawStyle& style, const Classification& best, std::string_view name) {
  Label label{};
  format_named(label, name, best.label_id, best.score);
  draw_label(canvas, style, {0, 0, 1, 1}, label.data(), index_color(best.label_id));
}

bool has_skeleton(const FrameResult& result) { return result.model != nullptr && result.model->skeleton != nullptr; }

void draw_all(const FrameResult& result, const DrawOptions& options, const Canvas& canvas) {
  const DrawStyle style = style_for(canvas.displayed());
  // Worst first: where people overlap, the surest is on top.
  if (options.boxes) {
    for (auto d = result.detections.rbegin(); d != result.detections.rend(); ++d) {
      draw_detection(canvas, style, *d, result.label_of(*d), options);
    }
  }
  if (options.skeletons && has_skeleton(result)) {
    for (auto p = result.poses.rbegin(); p != result.poses.rend(); ++p) {
      draw_skeleton(canvas, style, *p, *result.model->skeleton, options.min_score);
    }
  }
  if (options.labels) {
    for (auto p = result.poses.rbegin(); p != result.poses.rend(); ++p) draw_pose_id(canvas, style, *p);
    if (options.classes && !result.classes.empty()) {
      draw_class(canvas, style, result.classes.front(), result.label_of(result.classes.front()));
    }
  }
}

}  // namespace

bool draws_anything(const FrameResult& result, const DrawOptions& options) {
  const auto boxed = [](const Detection& d) { return drawable(d.box); };
  if (options.boxes && std::ranges::any_of(result.detections, boxed)) return true;
  if (options.labels && options.classes && !result.classes.empty()) return true;
  const auto shown = [&](const Pose& pose) {
    const auto seen = [&](const auto& k) { return drawable(k, options.min_score); };
    return (options.skeletons && has_skeleton(result) && std::ranges::any_of(pose.keypoints, seen)) ||
           (options.labels && pose.id && drawable(pose.box()));
  };
  return std::ranges::any_of(result.poses, shown);
}

Result<void> draw(const FrameResult& result, const DrawOptions& options, const MutableImageView& image) {
  if (image.width < 1 || image.height < 1) return {};
  try {
    draw_all(result, options, Canvas(image));
  } catch (const std::exception& e) {
    return Error{Errc::kMedia, fmt::format("cannot draw on a {}x{} {} frame: {}", image.width, image.height,
                                           to_string(image.format), e.what())};
  }
  return {};
}

}  // namespace posecam
