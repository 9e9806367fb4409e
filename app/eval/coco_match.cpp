#include "app/eval/coco_match.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/core/text.h"
#include "models/spec/labels.h"
#include "postprocess/documents/json_writer.h"
#include "postprocess/eval/keypoint_names.h"

namespace posecam {
namespace {

constexpr std::size_t kNamed = 5;                       // in a note
constexpr std::string_view kBackground = "background";  // a label of SSD networks, which is never found

std::string list_of(std::vector<std::string> names) {
  const std::size_t more = names.size() - std::min(names.size(), kNamed);
  names.resize(names.size() - more);
  const std::string text = fmt::format("{}", fmt::join(names, ", "));
  return more > 0 ? fmt::format("{} and {} more", text, more) : text;
}

/// "3 labels of a model are".
std::string are(std::size_t n, std::string_view one, std::string_view many, std::string_view of) {
  return fmt::format("{} of {} {}", counted(n, one, many), of, n == 1 ? "is" : "are");
}

std::string plain(std::string_view name) {
  std::string key;
  for (const char c : name) {
    key += c == '_' || c == '-' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return key;
}

std::string name_of(const CocoCategory& category) {
  return category.name.empty() ? fmt::format("category {}", category.id) : category.name;
}

/// Labels that are no category, and categories of annotated objects that are no label.
void note_on_boxes(const CocoAnnotations& annotations, const std::string& where, const ModelSpec& model,
                   CocoMatch& match) {
  std::vector<std::string> foreign;
  std::set<std::int64_t> known;
  for (std::size_t i = 0; i < model.labels.size(); ++i) {
    const auto category = match.numbers.categories[i];
    if (category) known.insert(*category);
    const bool never_found = model.labels[i] == kBackground || model.labels[i] == kNoLabel;
    if (!category && !never_found) foreign.push_back(model.labels[i]);
  }
  if (!foreign.empty()) {
    match.notes.push_back(fmt::format("{} not among the categories of {} and not scored: {}",
                                      are(foreign.size(), "label", "labels", model.name), where, list_of(foreign)));
  }
  std::set<std::int64_t> annotated;
  for (const CocoObject& object : annotations.objects) annotated.insert(object.category_id);
  std::vector<std::string> missed;
  for (const CocoCategory& category : annotations.categories) {
    if (annotated.contains(category.id) && !known.contains(category.id)) missed.push_back(name_of(category));
  }
  if (!missed.empty()) {
    match.notes.push_back(fmt::format("{} not among the labels of {}, and all of it counts as missed: {}",
                                      are(missed.size(), "category", "categories", where), model.name,
                                      list_of(missed)));
  }
}

Result<CocoMatch> match_boxes(const CocoAnnotations& annotations, const std::string& where, const ModelSpec& model) {
  CocoMatch match;
  bool any = false;
  for (const std::string& label : model.labels) {
    const auto at = std::ranges::find_if(
        annotations.categories, [&](const CocoCategory& category) { return plain(category.name) == plain(label); });
    const bool found = at != annotations.categories.end();
    match.numbers.categories.push_back(found ? std::optional(at->id) : std::nullopt);
    any = any || found;
  }
  if (!any) {
    std::vector<std::string> names;
    for (const CocoCategory& category : annotations.categories) names.push_back(name_of(category));
    return Error{Errc::kUsage,
                 fmt::format("{}: none of its categories ({}) is a label of {} ({}); give annotations of the same "
                             "things, or name the labels as they do with --labels-file",
                             where, list_of(names), model.name, list_of(model.labels))};
  }
  note_on_boxes(annotations, where, model, match);
  return match;
}

/// Of people: the one that is called so, else the first.
const CocoCategory* people_of(const CocoAnnotations& annotations) {
  const auto& all = annotations.categories;
  const auto person = std::ranges::find(all, "person", &CocoCategory::name);
  if (person != all.end()) return &*person;
  return all.empty() ? nullptr : &all.front();
}

Result<CocoMatch> match_people(const CocoAnnotations& annotations, const std::string& where, const ModelSpec& model) {
  CocoMatch match;
  const CocoCategory* people = people_of(annotations);
  if (people) match.numbers.person = people->id;
  if (!people || people->keypoints.empty()) {
    const auto& order = model.skeleton->to_coco17;
    match.numbers.keypoints.assign(order.begin(), order.end());
    return match;
  }
  match.numbers.keypoints = match_keypoints(people->keypoints, *model.skeleton);
  std::vector<std::string> missed;
  for (std::size_t i = 0; i < people->keypoints.size(); ++i) {
    if (!match.numbers.keypoints[i]) missed.push_back(people->keypoints[i]);
  }
  if (missed.size() == people->keypoints.size()) {
    return Error{Errc::kUsage, fmt::format("{}: none of its keypoints ({}) is one of {}; give annotations of the same "
                                           "keypoints",
                                           where, list_of(missed), model.name)};
  }
  if (!missed.empty()) {
    match.notes.push_back(fmt::format("{} not among those of {} and counted as missed: {}",
                                      are(missed.size(), "keypoint", "keypoints", where), model.name, list_of(missed)));
  }
  return match;
}

}  // namespace

Result<CocoMatch> match_coco(const CocoAnnotations& annotations, const std::string& where, const ModelSpec& model) {
  return model.skeleton ? match_people(annotations, where, model) : match_boxes(annotations, where, model);
}

std::vector<EvalPicture> pictures_of(const CocoAnnotations& annotations) {
  std::vector<EvalPicture> pictures;
  for (const CocoImage& image : annotations.images) pictures.push_back({image.file_name, image.size});
  return pictures;
}

std::string coco_results(const CocoAnnotations& annotations, const Analysis& analysis, const CocoNumbers& numbers) {
  std::string text = "[";
  bool first = true;
  for (std::size_t i = 0; i < analysis.results.size(); ++i) {
    FrameInfo info;
    info.frame_id = i;
    info.image_id = annotations.images[i].id;
    info.size = analysis.sizes[i];
    append_coco_results(info, *analysis.results[i], numbers, first, text);
  }
  return text + "]\n";
}

std::string note_on_sigmas(const CocoAnnotations& annotations, const std::string& where) {
  std::vector<std::string> unknown;
  for (const CocoCategory& category : annotations.categories) {
    std::ranges::copy_if(category.keypoints, std::back_inserter(unknown),
                         [](const std::string& name) { return !keypoint_sigma(name); });
  }
  if (unknown.empty()) return {};
  return fmt::format("{} without a published sigma; {} is taken, --sigmas gives others: {}",
                     are(unknown.size(), "keypoint", "keypoints", where), kUnknownSigma, list_of(unknown));
}

std::string note_on_categories(const CocoAnnotations& annotations, const std::vector<CocoResult>& results) {
  const auto foreign = std::ranges::count_if(results, [&](const CocoResult& result) {
    return !std::ranges::binary_search(annotations.categories, result.category_id, {}, &CocoCategory::id);
  });
  if (foreign == 0) return {};
  return fmt::format("{} not scored, as the annotations lack their categories",
                     counted(static_cast<std::size_t>(foreign), "result is", "results are"));
}

}  // namespace posecam
