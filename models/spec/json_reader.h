#pragma once
// Strict reading of JSON descriptors: every read states what it expects, and the first value that is something else
// becomes the error of the whole document, named by its key path ("inputs[0].size.width").

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "models/core/result.h"

namespace posecam {

/// Whether a text is UTF-8 without control characters: what JsonNode::text() takes.
bool is_printable(const std::string& text);
/// Of UTF-8, as JSON Schema counts lengths.
std::size_t characters(std::string_view utf8);

/// Parses one JSON text. Not accepted: syntax errors, duplicate keys, invalid UTF-8, numbers out of double's range,
/// nesting deeper than 16. kModel; the message starts with `where`.
Result<nlohmann::json> parse_strict_json(std::string_view text, std::string_view where);

/// The first failure of one document.
class JsonProblems {
 public:
  /// `where`: the document in messages, a file name for one.
  explicit JsonProblems(std::string where) : where_(std::move(where)) {}

  /// Records "WHERE: PATH: EXPECTATION" unless something was recorded before.
  void add(std::string_view path, std::string_view expectation);
  const std::optional<Error>& first() const { return first_; }  ///< kModel; empty: nothing is wrong

 private:
  std::string where_;
  std::optional<Error> first_;
};

/// One value and its key path; borrows the document and the problems. A read that fails records the problem and
/// returns a harmless default, so that a document is read straight through and judged once at the end.
class JsonNode {
 public:
  JsonNode(const nlohmann::json& value, JsonProblems& problems) : value_(&value), problems_(&problems) {}

  /// Expects an object that has no keys but these.
  void expect_keys(std::initializer_list<std::string_view> keys) const;
  bool has(std::string_view key) const;  ///< false, too, of what is no object
  bool is_text() const;                  ///< a string of any content
  bool is_object() const;                ///< of any keys
  /// The member `key`; a missing one is a problem once it is read.
  JsonNode at(std::string_view key) const;
  /// Members in the order of their keys.
  std::vector<std::pair<std::string, JsonNode>> members() const;
  /// The elements of a list of `min` to `max` of them.
  std::vector<JsonNode> items(std::size_t min, std::size_t max) const;

  /// A string of `min` to `max` characters, none of them a control character.
  std::string text(std::size_t min, std::size_t max) const;
  /// A whole number (4.0 is one, as in JSON Schema).
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  /// A finite number.
  float number(double min, double max) const;
  /// The same in full precision.
  double real(double min, double max) const;
  /// true or false; a problem gives false.
  bool boolean() const;

  /// One of the strings of a table of (spelling, value).
  template <class T, std::size_t N>
  T one_of(const std::pair<std::string_view, T> (&table)[N]) const {
    std::string_view names[N];
    for (std::size_t i = 0; i < N; ++i) names[i] = table[i].first;
    return table[choice(names)].second;
  }

  /// The index of the one of `names` that stands here; a problem gives 0.
  std::size_t choice(std::span<const std::string_view> names) const;

  /// Records "expected EXPECTATION, found VALUE" at this path, or that the key is missing.
  void mismatch(std::string_view expectation) const;
  /// Records any other problem at this path.
  void problem(std::string_view message) const;

 private:
  JsonNode(const nlohmann::json* value, std::string path, JsonProblems& problems)
      : value_(value), path_(std::move(path)), problems_(&problems) {}
  JsonNode child(std::string_view key) const;

  const nlohmann::json* value_;  ///< null: nothing to read
  bool missing_ = false;         ///< the key is not there, to be reported by whoever says what it should have held
  std::string path_;
  JsonProblems* problems_;
};

}  // namespace posecam
