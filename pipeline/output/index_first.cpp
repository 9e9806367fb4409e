#include "pipeline/output/index_first.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "models/core/file.h"

namespace posecam {
namespace {

constexpr std::uint64_t kMostIndex = 1ULL << 30;  ///< bytes; a day of video has 50 MB
constexpr std::size_t kHeader = 8;                // size, type
constexpr std::size_t kLongHeader = 16;           // 1, type, size
constexpr std::size_t kTableHead = 8;             // version and flags, number of entries

using Bytes = std::span<unsigned char>;

std::uint64_t number(std::span<const unsigned char> bytes) {
  std::uint64_t value = 0;
  for (const unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

void put_number(Bytes bytes, std::uint64_t value) {
  for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) bytes[i] = static_cast<unsigned char>(value);
}

/// ISO/IEC 14496-12, 4.2.
struct Box {
  std::uint64_t at = 0;
  std::uint64_t size = 0;
  std::uint64_t header = kHeader;
  std::string_view type;  ///< borrowed from what it was read from
  std::uint64_t end() const { return at + size; }
};

/// `head`: the first bytes of the box, of `left` there are.
std::optional<Box> parse_box(std::span<const unsigned char> head, std::uint64_t at, std::uint64_t left) {
  if (head.size() < kHeader) return {};
  Box box{.at = at, .size = number(head.first(4)), .type = {reinterpret_cast<const char*>(head.data()) + 4, 4}};
  if (box.size == 1) {
    if (head.size() < kLongHeader) return {};
    box.size = number(head.subspan(8, 8));
    box.header = kLongHeader;
  }
  if (box.size == 0) box.size = left;  // to the end
  if (box.size < box.header || box.size > left) return {};
  return box;
}

bool read_at(int fd, Bytes bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    at += static_cast<std::uint64_t>(got);
  }
  return true;
}

/// Within the kernel.
bool copy_part(int from, int to, std::uint64_t begin, std::uint64_t end) {
  auto at = static_cast<off_t>(begin);
  while (at < static_cast<off_t>(end)) {
    const ssize_t copied = ::sendfile(to, from, &at, static_cast<std::size_t>(end - static_cast<std::uint64_t>(at)));
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) return false;
  }
  return true;
}

/// Where the parts of a movie lie.
struct Layout {
  std::uint64_t size = 0;
  std::uint64_t first_samples = 0;  ///< of the first "mdat"
  std::uint64_t index_at = 0;
  std::uint64_t index_size = 0;
};

/// Of a movie with samples and one index behind them.
std::optional<Layout> find_parts(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return {};
  Layout layout{.size = static_cast<std::uint64_t>(info.st_size)};
  for (std::uint64_t at = 0; at < layout.size;) {
    unsigned char head[kLongHeader];
    const Bytes there(head, static_cast<std::size_t>(std::min<std::uint64_t>(kLongHeader, layout.size - at)));
    if (!read_at(fd, there, at)) return {};
    const auto box = parse_box(there, at, layout.size - at);
    if (!box) return {};
    if (box->type == "mdat" && layout.first_samples == 0) layout.first_samples = at;
    if (box->type == "moov") {
      if (layout.index_size != 0 || layout.first_samples == 0) return {};
      layout.index_at = at;
      layout.index_size = box->size;
    }
    at = box->end();
  }
  if (layout.index_size == 0 || layout.index_size > kMostIndex) return {};
  return layout;
}

/// A table of where chunks of samples begin, in the file: those between the index's new place and its old one move.
bool shift_table(Bytes table, std::size_t width, const Layout& layout) {
  if (table.size() < kTableHead) return false;
  const std::uint64_t entries = number(table.subspan(4, 4));
  if (entries > (table.size() - kTableHead) / width) return false;
  for (std::size_t i = 0; i < entries; ++i) {
    const Bytes entry = table.subspan(kTableHead + i * width, width);
    const std::uint64_t at = number(entry);
    if (at < layout.first_samples || at >= layout.index_at) continue;
    const std::uint64_t moved = at + layout.index_size;
    if (width == 4 && moved > std::numeric_limits<std::uint32_t>::max()) return false;
    put_number(entry, moved);
  }
  return true;
}

/// In the boxes of `content` and those within.
bool shift_offsets(Bytes content, const Layout& layout) {
  for (std::uint64_t at = 0; at < content.size();) {
    const Bytes rest = content.subspan(at);
    const auto box = parse_box(rest, at, rest.size());
    if (!box) return false;
    const Bytes inner = rest.subspan(box->header, box->size - box->header);
    const std::string_view type = box->type;
    if (type == "trak" || type == "mdia" || type == "minf" || type == "stbl") {
      if (!shift_offsets(inner, layout)) return false;
    } else if (type == "stco" || type == "co64") {
      if (!shift_table(inner, type == "stco" ? 4 : 8, layout)) return false;
    }
    at = box->end();
  }
  return true;
}

}  // namespace

bool copy_with_index_first(int from, int to) {
  const auto layout = find_parts(from);
  if (!layout) return false;
  std::vector<unsigned char> index(layout->index_size);
  if (!read_at(from, index, layout->index_at)) return false;
  const auto box = parse_box(index, 0, index.size());
  if (!box || !shift_offsets(Bytes(index).subspan(box->header), *layout)) return false;
  return copy_part(from, to, 0, layout->first_samples) &&
         write_all(to, {reinterpret_cast<const char*>(index.data()), index.size()}) &&
         copy_part(from, to, layout->first_samples, layout->index_at) &&
         copy_part(from, to, layout->index_at + layout->index_size, layout->size);
}

}  // namespace posecam
