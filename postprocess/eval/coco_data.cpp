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
  template <std::size_t N>
  std::array<double, N> numbers(const char* key) {
    std::array<double, N> values{};
    const Json* list = find(key);
    const auto is_number = [](const Json& v) { return v.is_number(); };
    if (list && list->is_array() && list->size() == N && std::all_of(list->begin(), list->end(), is_number)) {
      std::transform(list->begin(), list->end(), values.begin(), [](const Json& v) { return v.get<double>(); });
    } else {
      fail(key, fmt::format("a list of {} numbers", N));
    }
    return values;
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

CocoPerson read_person(Reader& reader) {
  CocoPerson person;
  person.image_id = reader.integer("image_id");
  person.category_id = reader.integer("category_id");
  person.keypoints = reader.numbers<51>("keypoints");
  person.bbox = reader.numbers<4>("bbox");
  person.area = reader.number("area");
  person.crowd = reader.flag_or("iscrowd", false);
  std::int64_t visible = 0;
  for (std::size_t k = 2; k < person.keypoints.size(); k += 3) visible += person.keypoints[k] > 0 ? 1 : 0;
  person.labelled = reader.integer_or("num_keypoints", visible) != 0;
  return person;
}

double extent_area(const CocoKeypoints& k) {
  double x0 = k[0], x1 = k[0], y0 = k[1], y1 = k[1];
  for (std::size_t i = 3; i < k.size(); i += 3) {
    x0 = std::min(x0, k[i]);
    x1 = std::max(x1, k[i]);
    y0 = std::min(y0, k[i + 1]);
    y1 = std::max(y1, k[i + 1]);
  }
  return (x1 - x0) * (y1 - y0);
}

CocoResult read_result(Reader& reader, bool with_bbox) {
  CocoResult result;
  result.image_id = reader.integer("image_id");
  result.category_id = reader.integer("category_id");
  result.keypoints = reader.numbers<51>("keypoints");
  result.score = reader.number("score");
  if (with_bbox) {
    const auto box = reader.numbers<4>("bbox");
    result.area = box[2] * box[3];
  } else {
    result.area = extent_area(result.keypoints);
  }
  return result;
}

bool has_bbox(const Json& result) {
  return result.is_object() && result.contains("bbox") && !result.at("bbox").empty();
}

template <class T, class Key>
void sort_and_make_unique(std::vector<T>& items, Key key) {
  std::stable_sort(items.begin(), items.end(), [&](const T& a, const T& b) { return key(a) < key(b); });
  const auto same = [&](const T& a, const T& b) { return key(a) == key(b); };
  items.erase(std::unique(items.begin(), items.end(), same), items.end());
}

}  // namespace

Result<CocoAnnotations> parse_coco_annotations(std::string_view json, std::string_view where) {
  auto document = parse_text(json, where);
  if (!document) return std::move(document).error();
  const Json* images = list_in(*document, "images");
  const Json* people = list_in(*document, "annotations");
  const Json* categories = list_in(*document, "categories");
  if (!images || !people || !categories) {
    return expected(where, "top level", "an object with the lists images, annotations and categories of COCO");
  }
  CocoAnnotations all;
  auto read_images = read_list<CocoImage>(*images, "images", where, read_image);
  if (!read_images) return std::move(read_images).error();
  all.images = *std::move(read_images);
  sort_and_make_unique(all.images, [](const CocoImage& image) { return image.id; });
  auto read_people = read_list<CocoPerson>(*people, "annotations", where, read_person);
  if (!read_people) return std::move(read_people).error();
  all.people = *std::move(read_people);
  const auto read_id = [](Reader& reader) { return reader.integer("id"); };
  auto ids = read_list<std::int64_t>(*categories, "categories", where, read_id);
  if (!ids) return std::move(ids).error();
  all.categories = *std::move(ids);
  sort_and_make_unique(all.categories, [](std::int64_t id) { return id; });
  return all;
}

Result<std::vector<CocoResult>> parse_coco_results(std::string_view json, std::string_view where) {
  auto document = parse_text(json, where);
  if (!document) return std::move(document).error();
  if (!document->is_array()) return expected(where, "top level", "a list of COCO keypoint results");
  // pycocotools decides by the first element how it derives the area of all.
  const bool with_bbox = !document->empty() && has_bbox(document->front());
  return read_list<CocoResult>(*document, "results", where, [&](Reader& r) { return read_result(r, with_bbox); });
}

}  // namespace posecam
