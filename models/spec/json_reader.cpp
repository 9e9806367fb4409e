#include "models/spec/json_reader.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace posecam {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxQuoted = 60;  // longest piece of a document that a message repeats

/// Shortens to whole UTF-8 characters.
std::string shortened(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  return text.substr(0, limit) + "...";
}

std::string join_path(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string quoted(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("a list of {}", value.size());
  return shortened(value.dump(-1, ' ', true, json::error_handler_t::replace), kMaxQuoted);
}

/// Follows the parser's events to know the path of each key: nlohmann keeps the last of two equal keys, silently.
class DuplicateFinder {
 public:
  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    using Event = json::parse_event_t;
    if (depth > kMaxDepth) too_deep_ = true;
    if (event == Event::object_start || event == Event::array_start) {
      count_element();
      levels_.push_back({event == Event::array_start, 0, {}, {}});
    } else if (event == Event::object_end || event == Event::array_end) {
      levels_.pop_back();
    } else if (event == Event::key) {
      levels_.back().key = parsed.get<std::string>();
      if (!levels_.back().seen.insert(levels_.back().key).second && duplicate_.empty()) duplicate_ = path();
    } else {
      count_element();
    }
    return !too_deep_;
  }
  bool too_deep() const { return too_deep_; }
  const std::string& duplicate() const { return duplicate_; }

 private:
  struct Level {
    bool list;
    std::size_t count;
    std::string key;
    std::set<std::string> seen;
  };

  void count_element() {
    if (!levels_.empty() && levels_.back().list) ++levels_.back().count;
  }
  std::string path() const {
    std::string text;
    for (const Level& level : levels_) {
      text = level.list ? fmt::format("{}[{}]", text, level.count - 1) : join_path(text, level.key);
    }
    return text;
  }

  std::vector<Level> levels_;
  std::string duplicate_;
  bool too_deep_ = false;
};

/// "[json.exception.parse_error.101] parse error at line 1, ...: ..." without the library's own tag.
std::string_view without_tag(std::string_view what) {
  const auto end = what.find("] ");
  return end == std::string_view::npos ? what : what.substr(end + 2);
}

bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    // U+0080..U+009F, which some terminals obey.
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_printable(const std::string& text) {
  try {
    (void)json(text).dump();  // it checks its strings
  } catch (const json::type_error&) {
    return false;
  }
  return !has_control_characters(text);
}

Result<json> parse_strict_json(std::string_view text, std::string_view where) {
  DuplicateFinder finder;
  json document;
  try {
    document = json::parse(text, std::ref(finder));
  } catch (const json::exception& e) {
    return Error{Errc::kModel,
                 fmt::format("{}: not valid JSON: {}", where, shortened(std::string(without_tag(e.what())), 300))};
  }
  if (finder.too_deep()) return Error{Errc::kModel, fmt::format("{}: nested deeper than {} levels", where, kMaxDepth)};
  if (!finder.duplicate().empty()) {
    return Error{Errc::kModel,
                 fmt::format("{}: {}: the key appears twice", where, shortened(finder.duplicate(), 2 * kMaxQuoted))};
  }
  return document;
}

void JsonProblems::add(std::string_view path, std::string_view expectation) {
  if (first_) return;
  std::string message = where_;
  if (!path.empty()) message += fmt::format(": {}", path);
  first_ = Error{Errc::kModel, fmt::format("{}: {}", message, expectation)};
}

void JsonNode::problem(std::string_view message) const {
  if (value_) problems_->add(path_, message);
}

void JsonNode::mismatch(std::string_view expectation) const {
  if (value_) problems_->add(path_, fmt::format("expected {}, found {}", expectation, quoted(*value_)));
  if (missing_) problems_->add(path_, fmt::format("missing, expected {}", expectation));
}

JsonNode JsonNode::child(std::string_view key) const { return {nullptr, join_path(path_, key), *problems_}; }

void JsonNode::expect_keys(std::initializer_list<std::string_view> keys) const {
  if (!value_ || !value_->is_object()) return mismatch("an object");
  for (const auto& [key, value] : value_->items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const std::string shown = json(shortened(key, kMaxQuoted)).dump(-1, ' ', true, json::error_handler_t::replace);
    problems_->add(join_path(path_, std::string_view(shown).substr(1, shown.size() - 2)),
                   fmt::format("unknown key; known here: {}", fmt::join(keys, ", ")));
    return;
  }
}

bool JsonNode::is_text() const { return value_ && value_->is_string(); }

bool JsonNode::is_object() const { return value_ && value_->is_object(); }

bool JsonNode::has(std::string_view key) const { return value_ && value_->is_object() && value_->contains(key); }

JsonNode JsonNode::at(std::string_view key) const {
  JsonNode node = child(key);
  if (!value_ || !value_->is_object()) {
    mismatch("an object");
  } else if (const auto found = value_->find(key); found != value_->end()) {
    node.value_ = &*found;
  } else {
    node.missing_ = true;
  }
  return node;
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::members() const {
  std::vector<std::pair<std::string, JsonNode>> nodes;
  if (!value_ || !value_->is_object()) {
    mismatch("an object");
    return nodes;
  }
  for (const auto& item : value_->items()) nodes.emplace_back(item.key(), at(item.key()));
  return nodes;
}

std::vector<JsonNode> JsonNode::items(std::size_t min, std::size_t max) const {
  std::vector<JsonNode> nodes;
  if (!value_ || !value_->is_array() || value_->size() < min || value_->size() > max) {
    mismatch(min == max ? fmt::format("a list of {}", min) : fmt::format("a list of {} to {}", min, max));
    return nodes;
  }
  for (std::size_t i = 0; i < value_->size(); ++i) {
    nodes.push_back({&(*value_)[i], fmt::format("{}[{}]", path_, i), *problems_});
  }
  return nodes;
}

std::string JsonNode::text(std::size_t min, std::size_t max) const {
  const auto* string = value_ ? value_->get_ptr<const std::string*>() : nullptr;
  if (!string || characters(*string) < min || characters(*string) > max || has_control_characters(*string)) {
    mismatch(fmt::format("a string of {} to {} printable characters", min, max));
    return {};
  }
  return *string;
}

std::int64_t JsonNode::integer(std::int64_t min, std::int64_t max) const {
  // Through double: exact for every bound that a descriptor has (below 2^53).
  const double d = value_ && value_->is_number() ? value_->get<double>() : std::nan("");
  if (!(std::trunc(d) == d && d >= static_cast<double>(min) && d <= static_cast<double>(max))) {
    mismatch(fmt::format("a whole number from {} to {}", min, max));
    return min;
  }
  return static_cast<std::int64_t>(d);
}

float JsonNode::number(double min, double max) const { return static_cast<float>(real(min, max)); }

double JsonNode::real(double min, double max) const {
  const double d = value_ && value_->is_number() ? value_->get<double>() : std::nan("");
  if (!(d >= min && d <= max)) {
    mismatch(fmt::format("a number from {:g} to {:g}", min, max));
    return min;
  }
  return d;
}

bool JsonNode::boolean() const {
  const bool* value = value_ ? value_->get_ptr<const bool*>() : nullptr;
  if (!value) mismatch("true or false");
  return value && *value;
}

std::size_t JsonNode::choice(std::span<const std::string_view> names) const {
  const auto* string = value_ ? value_->get_ptr<const std::string*>() : nullptr;
  const auto found = string ? std::find(names.begin(), names.end(), *string) : names.end();
  if (found == names.end()) {
    mismatch(fmt::format("{}\"{}\"", names.size() > 1 ? "one of " : "", fmt::join(names, "\", \"")));
    return 0;
  }
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace posecam
