#include "postprocess/eval/coco_data.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace posecam {
namespace {

using Json = nlohmann::json;

Error expected(std::string_view where, std::string_view place, std::string_view what) {
  return {Errc::kMedia, fmt::format("{}: {}: expected {}", where, place, what)};
}

// Reads the members of one object and remembers the first that is wrong, so that callers check once an object.
class Reader {
 public:
  Reader(const Json& object, std::string_view list, std::size_t index) : object_(object), list_(list), index_(index) {
    if (!object.is_object()) fail("", "an object");
  }

  std::int64_t integer(const char* key) {
    const Json* value = find(key);
    if (value && value->is_number_integer()) return value->get<std::int64_t>();
    fail(key, "an integer");
    return 0;
  }
  std::int64_t integer_or(const char* key, std::int64_t fallback) { return has(key) ? integer(key) : fallback; }
  double number(const char* key) {
    const Json* value = find(key);
    if (value && value->is_number()) return value->get<double>();
    fail(key, "a number");
    return 0;
  }
  std::string text(const char* key) {
    const Json* value = find(key);
    if (value && value->is_string()) return value->get<std::string>();
    fail(key, "a string");
    return {};
  }
  double area() {
    const double value = number("area");
    if (value < 0) fail("area", "a number that is not negative");
    return value;
  }
  std::string text_or_none(const char* key) { return has(key) ? text(key) : std::string(); }
  std::vector<double> numbers(const char* key, std::size_t count) {
    const Json* list = find(key);
    if (list && list->is_array() && list->size() == count && are_numbers(*list))
      return list->get<std::vector<double>>();
    fail(key, fmt::format("a list of {} numbers", count));
    return std::vector<double>(count);
  }
  CocoBox box(const char* key) {
    const std::vector<double> values = numbers(key, CocoBox{}.size());
    return {values[0], values[1], values[2], values[3]};
  }
  /// x, y and a third of each, however many there are.
  std::vector<double> triples(const char* key) {
    const Json* list = find(key);
    if (list && list->is_array() && !list->empty() && list->size() % 3 == 0 && are_numbers(*list)) {
      return list->get<std::vector<double>>();
    }
    fail(key, "a list of three numbers for each keypoint");
    return {0, 0, 0};
  }
  std::vector<std::string> texts_or_none(const char* key) {
    const auto is_text = [](const Json& v) { return v.is_string(); };
    if (!has(key)) return {};
    const Json* list = find(key);
    if (list->is_array() && std::ranges::all_of(*list, is_text)) return list->get<std::vector<std::string>>();
    fail(key, "a list of strings");
    return {};
  }
  /// crowd flags are written as 0, 1, false and true.
  bool flag_or(const char* key, bool fallback) {
    if (!has(key)) return fallback;
    const Json* value = find(key);
    return value->is_boolean() ? value->get<bool>() : integer(key) != 0;
  }
  bool has(const char* key) const { return object_.is_object() && object_.contains(key); }

  std::optional<Error> error(std::string_view where) const {
    if (wrong_.empty()) return std::nullopt;
    const std::string key = key_.empty() ? std::string() : "." + key_;
    return expected(where, fmt::format("{}[{}]{}", list_, index_, key), wrong_);
  }

 private:
  static bool are_numbers(const Json& list) {
    return std::ranges::all_of(list, [](const Json& v) { return v.is_number(); });
  }
  const Json* find(const char* key) const { return has(key) ? &object_.at(key) : nullptr; }
  void fail(std::string_view key, std::string_view what) {
    if (!wrong_.empty()) return;
    key_ = key;
    wrong_ = what;
  }

  const Json& object_;
  std::string_view list_;
  std::size_t index_;
  std::string key_;
  std::string wrong_;
};

Result<Json> parse_text(std::string_view text, std::string_view where) {
  // COCO writers in Python emit NaN for broken predictions; that is not JSON and is refused here as a syntax error.
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Error{Errc::kMedia, fmt::format("{}: not a JSON file; write it again", where)};
  return json;
}

const Json* list_in(const Json& json, const char* key) {
  if (!json.is_object() || !json.contains(key) || !json.at(key).is_array()) return nullptr;
  return &json.at(key);
}

template <class T, class Read>
Result<std::vector<T>> read_list(const Json& list, std::string_view name, std::string_view where, Read read) {
  std::vector<T> items;
  items.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    Reader reader(list[i], name, i);
    items.push_back(read(reader));
    if (auto error = reader.error(where)) return *std::move(error);
  }
  return items;
}

CocoImage read_image(Reader& reader) {
  CocoImage image;
  image.id = reader.integer("id");
  image.file_name = reader.text("file_name");
  image.size.width = static_cast<int>(reader.integer_or("width", 0));
  image.size.height = static_cast<int>(reader.integer_or("height", 0));
  return image;
}

CocoCategory read_category(Reader& reader) {
  return {reader.integer("id"), reader.text_or_none("name"), reader.texts_or_none("keypoints")};
}

void read_person(Reader& reader, std::size_t keypoints, CocoObject& person) {
  person.keypoints = reader.numbers("keypoints", 3 * keypoints);
  std::int64_t visible = 0;
  for (std::size_t k = 2; k < person.keypoints.size(); k += 3) visible += person.keypoints[k] > 0 ? 1 : 0;
  person.labelled = reader.integer_or("num_keypoints", visible) != 0;
}

void read_object(Reader& reader, bool keypoints, CocoObject& object) {
  object.image_id = reader.integer("image_id");
  object.category_id = reader.integer("category_id");
  object.bbox = reader.box("bbox");
  const bool from_box = !keypoints && !reader.has("area");
  object.area = from_box ? std::max(0.0, object.bbox[2] * object.bbox[3]) : reader.area();
  object.crowd = reader.flag_or("iscrowd", false);
}

double extent_area(const std::vector<double>& k) {
  double x0 = k[0], x1 = k[0], y0 = k[1], y1 = k[1];
  for (std::size_t i = 3; i < k.size(); i += 3) {
    x0 = std::min(x0, k[i]);
    x1 = std::max(x1, k[i]);
    y0 = std::min(y0, k[i + 1]);
    y1 = std::max(y1, k[i + 1]);
  }
  return (x1 - x0) * (y1 - y0);
}

CocoResult read_result(Reader& reader, bool with_keypoints, bool with_bbox) {
  CocoResult result;
  result.image_id = reader.integer("image_id");
  result.category_id = reader.integer("category_id");
  if (with_keypoints) result.keypoints = reader.triples("keypoints");
  if (with_bbox) result.bbox = reader.box("bbox");
  result.score = reader.number("score");
  result.area = with_bbox ? result.bbox[2] * result.bbox[3] : extent_area(result.keypoints);
  return result;
}

bool has_list(const Json& result, const char* key) {
  return result.is_object() && result.contains(key) && !result.at(key).empty();
}

template <class T, class Key>
void sort_and_make_unique(std::vector<T>& items, Key key) {
  std::stable_sort(items.begin(), items.end(), [&](const T& a, const T& b) { return key(a) < key(b); });
  const auto same = [&](const T& a, const T& b) { return key(a) == key(b); };
  items.erase(std::unique(items.begin(), items.end(), same), items.end());
}

// Where keypoints are compared, objects of categories without any are left out.
Result<std::vector<CocoObject>> read_objects(const Json& list, std::string_view where, const CocoAnnotations& all) {
  const bool keypoints = all.kind == CocoKind::kKeypoints;
  const bool named = std::ranges::any_of(all.categories, [](const CocoCategory& c) { return !c.keypoints.empty(); });
  std::vector<CocoObject> objects;
  objects.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    Reader reader(list[i], "annotations", i);
    const std::int64_t id = reader.integer("category_id");
    const auto category = std::ranges::lower_bound(all.categories, id, {}, &CocoCategory::id);
    const bool known = category != all.categories.end() && category->id == id;
    if (keypoints && named && !known && !reader.error(where)) continue;
    CocoObject object;
    if (keypoints) read_person(reader, (known ? *category : CocoCategory{}).keypoint_count(), object);
    read_object(reader, keypoints, object);
    objects.push_back(std::move(object));
    if (auto error = reader.error(where)) return *std::move(error);
  }
  return objects;
}

Result<std::vector<CocoCategory>> read_categories(const Json& list, std::string_view where, CocoKind kind) {
  auto categories = read_list<CocoCategory>(list, "categories", where, read_category);
  if (!categories) return categories;
  sort_and_make_unique(*categories, [](const CocoCategory& category) { return category.id; });
  const auto nameless = [](const CocoCategory& category) { return category.keypoints.empty(); };
  if (kind == CocoKind::kKeypoints && !std::ranges::all_of(*categories, nameless)) std::erase_if(*categories, nameless);
  return categories;
}

}  // namespace

Result<CocoAnnotations> parse_coco_annotations(std::string_view json, std::string_view where, CocoKind kind) {
  auto document = parse_text(json, where);
  if (!document) return std::move(document).error();
  const Json* images = list_in(*document, "images");
  const Json* objects = list_in(*document, "annotations");
  const Json* categories = list_in(*document, "categories");
  if (!images || !objects || !categories) {
    return expected(where, "top level", "an object with the lists images, annotations and categories of COCO");
  }
  CocoAnnotations all;
  all.kind = kind;
  auto read_images = read_list<CocoImage>(*images, "images", where, read_image);
  if (!read_images) return std::move(read_images).error();
  all.images = *std::move(read_images);
  sort_and_make_unique(all.images, [](const CocoImage& image) { return image.id; });
  auto kept = read_categories(*categories, where, kind);
  if (!kept) return std::move(kept).error();
  all.categories = *std::move(kept);
  auto read = read_objects(*objects, where, all);
  if (!read) return std::move(read).error();
  all.objects = *std::move(read);
  return all;
}

Result<CocoResults> parse_coco_results(std::string_view json, std::string_view where) {
  auto document = parse_text(json, where);
  if (!document) return std::move(document).error();
  if (!document->is_array()) return expected(where, "top level", "a list of COCO results");
  CocoResults results;
  if (document->empty()) return results;
  // pycocotools decides by the first element, too, what all have.
  const bool keypoints = has_list(document->front(), "keypoints");
  const bool bbox = has_list(document->front(), "bbox");
  if (!keypoints && !bbox) return expected(where, "results[0]", "an object with keypoints or bbox");
  results.kind = keypoints ? CocoKind::kKeypoints : CocoKind::kBoxes;
  auto list =
      read_list<CocoResult>(*document, "results", where, [&](Reader& r) { return read_result(r, keypoints, bbox); });
  if (!list) return std::move(list).error();
  results.list = *std::move(list);
  return results;
}

}  // namespace posecam
