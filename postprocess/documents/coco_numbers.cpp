#include "postprocess/documents/coco_numbers.h"

#include <algorithm>
#include <array>

#include "models/spec/labels.h"

namespace posecam {
namespace {

struct Category {
  std::string_view name;
  std::int64_t id = 0;
};

// By name.
constexpr std::array<Category, 80> kCategories{{{"airplane", 5},
                                                {"apple", 53},
                                                {"backpack", 27},
                                                {"banana", 52},
                                                {"baseball bat", 39},
                                                {"baseball glove", 40},
                                                {"bear", 23},
                                                {"bed", 65},
                                                {"bench", 15},
                                                {"bicycle", 2},
                                                {"bird", 16},
                                                {"boat", 9},
                                                {"book", 84},
                                                {"bottle", 44},
                                                {"bowl", 51},
                                                {"broccoli", 56},
                                                {"bus", 6},
                                                {"cake", 61},
                                                {"car", 3},
                                                {"carrot", 57},
                                                {"cat", 17},
                                                {"cell phone", 77},
                                                {"chair", 62},
                                                {"clock", 85},
                                                {"couch", 63},
                                                {"cow", 21},
                                                {"cup", 47},
                                                {"dining table", 67},
                                                {"dog", 18},
                                                {"donut", 60},
                                                {"elephant", 22},
                                                {"fire hydrant", 11},
                                                {"fork", 48},
                                                {"frisbee", 34},
                                                {"giraffe", 25},
                                                {"hair drier", 89},
                                                {"handbag", 31},
                                                {"horse", 19},
                                                {"hot dog", 58},
                                                {"keyboard", 76},
                                                {"kite", 38},
                                                {"knife", 49},
                                                {"laptop", 73},
                                                {"microwave", 78},
                                                {"motorcycle", 4},
                                                {"mouse", 74},
                                                {"orange", 55},
                                                {"oven", 79},
                                                {"parking meter", 14},
                                                {"person", 1},
                                                {"pizza", 59},
                                                {"potted plant", 64},
                                                {"refrigerator", 82},
                                                {"remote", 75},
                                                {"sandwich", 54},
                                                {"scissors", 87},
                                                {"sheep", 20},
                                                {"sink", 81},
                                                {"skateboard", 41},
                                                {"skis", 35},
                                                {"snowboard", 36},
                                                {"spoon", 50},
                                                {"sports ball", 37},
                                                {"stop sign", 13},
                                                {"suitcase", 33},
                                                {"surfboard", 42},
                                                {"teddy bear", 88},
                                                {"tennis racket", 43},
                                                {"tie", 32},
                                                {"toaster", 80},
                                                {"toilet", 70},
                                                {"toothbrush", 90},
                                                {"traffic light", 10},
                                                {"train", 7},
                                                {"truck", 8},
                                                {"tv", 72},
                                                {"umbrella", 28},
                                                {"vase", 86},
                                                {"wine glass", 46},
                                                {"zebra", 24}}};
static_assert(std::ranges::is_sorted(kCategories, {}, &Category::name));

constexpr std::string_view kBackground = "background";  // label 0 of SSD networks, which is never found

}  // namespace

std::optional<std::int64_t> coco_category_id(std::string_view name) {
  const auto at = std::ranges::lower_bound(kCategories, name, {}, &Category::name);
  if (at == kCategories.end() || at->name != name) return std::nullopt;
  return at->id;
}

std::int64_t category_id_of(int label_id, std::span<const std::string> labels) {
  const std::int64_t counted = std::int64_t{label_id} + 1;
  const auto index = static_cast<std::size_t>(label_id);  // a negative one is beyond every list
  if (index >= labels.size()) return counted;
  const auto of_coco = [](const std::string& label) {
    return label == kBackground || label == kNoLabel || coco_category_id(label);
  };
  if (!std::ranges::all_of(labels, of_coco)) return counted;
  return coco_category_id(labels[index]).value_or(counted);
}

}  // namespace posecam
