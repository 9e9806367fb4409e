#include "postprocess/draw/regions.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace posecam {
namespace {

constexpr float kMargin = 1.25F;
constexpr double kLargestCrop = 1 << 18;  // pixels a side
constexpr float kFarthestBox = 16;        // pictures away from the picture: metas of other elements may say anything

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
    if (pose.own_box) pose.own_box = (*this)(*pose.own_box);
    return pose;
  }
  Detection operator()(Detection detection) const {
    detection.box = (*this)(detection.box);
    return detection;
  }
  Box operator()(const Box& b) const {
    return {x_ + b.x * width_, y_ + b.y * height_, b.width * width_, b.height * height_};
  }

 private:
  float x_, y_, width_, height_;
};

/// Who was found in the region, of a model that looks at one person.
std::optional<Pose> only_one(const Region& region, const std::vector<Pose>& poses, const CropToImage& to_image) {
  if (poses.empty()) return {};
  Pose pose = to_image(poses.front());
  pose.own_box = region.box;
  pose.score *= region.score;
  if (!pose.id) pose.id = region.id;
  return pose;
}

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

bool is_finite(const Box& box) { return std::isfinite(box.x + box.y + box.width + box.height); }

/// One side of a cut-out: pixels [first, end) of the image lie at `offset` in the input, `content` long.
struct Side {
  int first = 0;
  int end = 0;
  int offset = 0;
  int content = 0;
};

/// `extent` pixels about `middle`, which are all of the input. They begin on an even one (chroma samples are shared by
/// two), and are moved for that rather than cut: within the image they fill the input.
Side place_side(double middle, double extent, int pixels, int input) {
  const auto from = static_cast<int>(std::lround((middle - extent / 2) / 2) * 2);
  const int length = std::max(2, static_cast<int>(std::lround(extent)));
  Side side{std::max(from, 0), std::min(from + length, pixels)};
  const auto to_input = [&](int pixel) {
    return static_cast<int>(std::lround(static_cast<double>(pixel - from) * input / length));
  };
  side.offset = std::min(to_input(side.first), input - 1);
  side.content = std::clamp(to_input(side.end) - side.offset, 1, input - side.offset);
  return side;
}

}  // namespace

Box in_whole_pixels(const Box& box, Size image) {
  const auto pixel = [](float v, int size) {
    return std::round(std::clamp(v, 0.0F, 1.0F) * static_cast<float>(size)) / static_cast<float>(size);
  };
  const Point from{pixel(box.x, image.width), pixel(box.y, image.height)};
  return {from.x, from.y, pixel(box.x + box.width, image.width) - from.x,
          pixel(box.y + box.height, image.height) - from.y};
}

std::optional<Region> region_for(const ModelSpec& model, const Box& box, Size image, float pixel_aspect) {
  if (!model.crop_factor) return region_about(box, image);
  if (!is_finite(box) || std::abs(box.x) > kFarthestBox || std::abs(box.y) > kFarthestBox) return {};
  const Size input = model.input.size;
  const double aspect = static_cast<double>(input.width) / input.height / pixel_aspect;  // of stored pixels
  const double box_width = double{box.width} * image.width;
  const double box_height = double{box.height} * image.height;
  const double width = *model.crop_factor * std::max(box_width, box_height * aspect);
  if (!(width >= 2) || !(width / aspect >= 2) || width > kLargestCrop || width / aspect > kLargestCrop) return {};
  const Side x = place_side(static_cast<double>(box.x) * image.width + box_width / 2, width, image.width, input.width);
  const Side y = place_side(static_cast<double>(box.y) * image.height + box_height / 2, width / aspect, image.height,
                            input.height);
  if (x.first >= x.end || y.first >= y.end) return {};
  Region region{box, {x.first, y.first, x.end, y.end}};
  region.place = Letterbox{{x.end - x.first, y.end - y.first},
                           input,
                           {static_cast<float>(x.offset), static_cast<float>(y.offset)},
                           {static_cast<float>(x.content), static_cast<float>(y.content)}};
  return region;
}

std::optional<Region> region_about(const Box& box, Size image) {
  if (!is_finite(box)) return {};
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

std::uint32_t keep_surest(std::vector<Region>& regions, std::size_t most) {
  if (regions.size() <= most) return 0;
  sort_by_score(regions);
  const auto left_out = static_cast<std::uint32_t>(regions.size() - most);
  regions.resize(most);
  return left_out;
}

Pose in_image(const Pose& pose, const PixelRect& crop, Size image) { return CropToImage(crop, image)(pose); }

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
  std::uint32_t failed = 0;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const FrameResult& part = *results[i];
    if (part.status == FrameStatus::kAnalysed) {
      whole.status = FrameStatus::kAnalysed;
    } else {
      ++failed;
    }
    const CropToImage to_image(regions[i].crop, image);
    const auto choose = whole.model && whole.model->crop_factor ? only_one : best_fit;
    if (const auto pose = choose(regions[i], part.poses, to_image)) whole.poses.push_back(*pose);
    for (const Detection& found : part.detections) whole.detections.push_back(to_image(found));
    // Regions wait and run side by side; they are prepared and decoded one after the other.
    whole.times.preprocess += part.times.preprocess;
    whole.times.queue = std::max(whole.times.queue, part.times.queue);
    whole.times.infer = std::max(whole.times.infer, part.times.infer);
    whole.times.post += part.times.post;
  }
  if (whole.status == FrameStatus::kAnalysed) whole.left_out += failed;
  sort_by_score(whole.poses);
  sort_by_score(whole.detections);
}

FrameResult merge(const FrameResult& before, FrameResult now) {
  add_times(now.times, before.times);
  now.left_out += before.left_out;
  now.repeated = before.repeated && !now.model_for(Task::kDetection);
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
