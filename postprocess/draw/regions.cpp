#include "postprocess/draw/regions.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace posecam {
namespace {

constexpr float kMargin = 1.25F;

/// Normalised coordinates of a crop as those of its image.
class CropToImage {
 public:
  CropToImage(const PixelRect& crop, Size image)
      : x_(static_cast<float>(crop.x0) / static_cast<float>(image.width)),
        y_(static_cast<float>(crop.y0) / static_cast<float>(image.height)),
        width_(static_cast<float>(crop.x1 - crop.x0) / static_cast<float>(image.width)),
        height_(static_cast<float>(crop.y1 - crop.y0) / static_cast<float>(image.height)) {}

  Pose operator()(Pose pose) const {
    for (auto& keypoint : pose.keypoints) {
      if (keypoint) *keypoint = {x_ + keypoint->x * width_, y_ + keypoint->y * height_, keypoint->score};
    }
    return pose;
  }
  Detection operator()(Detection detection) const {
    const Box& b = detection.box;
    detection.box = {x_ + b.x * width_, y_ + b.y * height_, b.width * width_, b.height * height_};
    return detection;
  }

 private:
  float x_, y_, width_, height_;
};

/// Of people who overlap, the network sees several in one region: the region's own is the one whose extent is most
/// like its box.
std::optional<Pose> best_fit(const Region& region, const std::vector<Pose>& poses, const CropToImage& to_image) {
  std::optional<Pose> best;
  float best_fit = 0;
  for (const Pose& found : poses) {
    const Pose pose = to_image(found);
    const float fit = iou(pose.box(), region.box);
    if (fit > best_fit) {
      best_fit = fit;
      best = pose;
    }
  }
  if (best && !best->id) best->id = region.id;
  return best;
}

void add_times(FrameTimes& sum, const FrameTimes& more) {
  sum.preprocess += more.preprocess;
  sum.queue += more.queue;
  sum.infer += more.infer;
  sum.post += more.post;
}

/// Best first, else in their order. Not std::stable_sort, which allocates; there are few, and most are sorted.
template <class Item>
void sort_by_score(std::vector<Item>& items) {
  for (auto item = items.begin(); item != items.end(); ++item) {
    const auto place = std::ranges::upper_bound(items.begin(), item, item->score, std::ranges::greater{}, &Item::score);
    std::rotate(place, item, std::next(item));
  }
}

}  // namespace

std::optional<Region> region_about(const Box& box, Size image) {
  for (const float v : {box.x, box.y, box.width, box.height}) {
    if (!std::isfinite(v)) return {};
  }
  const auto side = [](float from, float extent, int pixels, int& first, int& end) {
    const float middle = from + extent / 2;
    const auto size = static_cast<float>(pixels);
    const float low = std::clamp((middle - extent * kMargin / 2) * size, 0.0F, size);
    const float high = std::clamp((middle + extent * kMargin / 2) * size, 0.0F, size);
    first = static_cast<int>(low) / 2 * 2;  // chroma samples are shared by two pixels
    end = std::min(pixels, static_cast<int>(std::ceil(high)));
    return high - low >= 2;
  };
  Region region{box, {}, {}};
  if (!side(box.x, box.width, image.width, region.crop.x0, region.crop.x1)) return {};
  if (!side(box.y, box.height, image.height, region.crop.y0, region.crop.y1)) return {};
  return region;
}

ImageView crop(const ImageView& image, const PixelRect& rect) {
  ImageView part = image;
  part.width = rect.x1 - rect.x0;
  part.height = rect.y1 - rect.y0;
  part.planes[0] = image.row(0, rect.y0) + static_cast<std::ptrdiff_t>(rect.x0) * pixel_bytes(image.format);
  const std::ptrdiff_t chroma_x = image.format == PixelFormat::kNv12 ? rect.x0 : rect.x0 / 2;
  for (int p = 1; p < plane_count(image.format); ++p) {
    part.planes[static_cast<std::size_t>(p)] = image.row(p, rect.y0 / 2) + chroma_x;
  }
  return part;
}

void combine(std::span<const Region> regions, std::span<const std::shared_ptr<const FrameResult>> results, Size image,
             FrameResult& whole) {
  whole.model = results.front()->model;
  whole.status = FrameStatus::kUnanalysed;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const FrameResult& part = *results[i];
    if (part.status == FrameStatus::kAnalysed) whole.status = FrameStatus::kAnalysed;
    const CropToImage to_image(regions[i].crop, image);
    if (auto pose = best_fit(regions[i], part.poses, to_image)) whole.poses.push_back(std::move(*pose));
    for (const Detection& found : part.detections) whole.detections.push_back(to_image(found));
    add_times(whole.times, part.times);
  }
  sort_by_score(whole.poses);
  sort_by_score(whole.detections);
}

FrameResult merge(const FrameResult& before, FrameResult now) {
  add_times(now.times, before.times);
  // Where both looked for the same, the second counts. Only a network that looks for people can say that nobody is
  // there.
  const FrameStatus status_now = now.status;
  bool decided = false;
  const auto take = [&](Task task, auto FrameResult::*list) {
    auto model = now.model_for(task);
    const FrameStatus status = model ? status_now : before.status;
    if (!model) {
      now.*list = before.*list;
      model = before.model_for(task);
    }
    if (model && !std::exchange(decided, true)) now.status = status;
    return model;
  };
  const auto pose = take(Task::kPose, &FrameResult::poses);
  const auto detector = take(Task::kDetection, &FrameResult::detections);
  const auto classifier = take(Task::kClassification, &FrameResult::classes);
  now.model = pose ? pose : detector ? detector : classifier;
  now.detector = detector != now.model ? detector : nullptr;
  now.classifier = classifier != now.model ? classifier : nullptr;
  return now;
}

}  // namespace posecam
