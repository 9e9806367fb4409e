#include "app/cli/text_table.h"

#include <algorithm>

#include "models/core/text.h"

namespace posecam {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastText = 24;  ///< a column of text narrower than this is hard to read

/// In characters of UTF-8, each of them taken for one column of the terminal.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char c) { return (c & 0xC0U) != 0x80U; }));
}

class Layout {
 public:
  Layout(const Cells& rows, const TableForm& form) : rows_(rows), form_(form), widths_(rows.front().size()) {
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], width_of(row[i]));
    }
  }

  /// Column numbers of each part of the table.
  std::vector<std::vector<std::size_t>> parts() const {
    std::vector<std::vector<std::size_t>> all{keys()};
    for (std::size_t i = keys().size(); i < widths_.size(); ++i) {
      const bool has_some = all.back().size() > keys().size();
      if (has_some && form_.columns > 0 && indent(all.back()) + least(i) > room()) all.push_back(keys());
      all.back().push_back(i);
    }
    return all;
  }

  std::string line(const std::vector<std::string>& row, const std::vector<std::size_t>& part) const {
    std::string text;
    for (const std::size_t i : part) {
      const std::string pad(widths_[i] - width_of(row[i]), ' ');
      if (!text.empty()) text.append(kGap, ' ');
      if (side(i) == 'r') text += pad + row[i];
      if (side(i) == 'l') text += row[i] + pad;
      if (side(i) == 't') text += wrapped(row[i], indent(part, i));
    }
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }

 private:
  std::vector<std::size_t> keys() const {
    std::vector<std::size_t> keys;
    for (std::size_t i = 0; i < std::min(form_.keys, widths_.size()); ++i) keys.push_back(i);
    return keys;
  }
  char side(std::size_t i) const { return i < form_.sides.size() ? form_.sides[i] : 'r'; }
  std::size_t room() const { return static_cast<std::size_t>(std::max(form_.columns, 0)); }
  std::size_t least(std::size_t i) const { return side(i) == 't' ? std::min(widths_[i], kLeastText) : widths_[i]; }
  /// Where column `until` of a part begins, or what comes behind its last one.
  std::size_t indent(const std::vector<std::size_t>& part, std::size_t until = static_cast<std::size_t>(-1)) const {
    std::size_t columns = 0;
    for (const std::size_t i : part) columns += i < until ? widths_[i] + kGap : 0;
    return columns;
  }
  std::string wrapped(const std::string& text, std::size_t from) const {
    if (form_.columns == 0) return text;
    const std::size_t wide = std::max(kLeastText, room() > from ? room() - from : 0);
    std::string lines;
    std::string line;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      const std::string word = text.substr(at, end - at);
      if (!line.empty() && width_of(line) + 1 + width_of(word) > wide) {
        lines += line + "\n" + std::string(from, ' ');
        line.clear();
      }
      line += (line.empty() ? "" : " ") + word;
      at = end + 1;
    }
    return lines + line;
  }

  const Cells& rows_;
  const TableForm& form_;
  std::vector<std::size_t> widths_;
};

}  // namespace

std::string lay_out(const Cells& rows, const TableForm& form) {
  if (rows.empty() || rows.front().empty()) return {};
  Cells lines = rows;  // names of others among them: a cell is part of one line
  for (auto& row : lines) std::ranges::transform(row, row.begin(), printable);
  const Layout layout(lines, form);
  std::string text;
  for (const auto& part : layout.parts()) {
    if (!text.empty()) text += '\n';
    for (const auto& row : lines) text += layout.line(row, part);
  }
  return text;
}

}  // namespace posecam
