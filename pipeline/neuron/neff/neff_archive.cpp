#include "pipeline/neuron/neff/neff_archive.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace posecam {
namespace {

constexpr std::size_t kMaxMembers = 4096;
constexpr std::size_t kChunk = std::size_t{1} << 20;

struct ReadFree {
  void operator()(archive* a) const noexcept { archive_read_free(a); }
};
struct WriteFree {
  void operator()(archive* a) const noexcept { archive_write_free(a); }
};
struct EntryFree {
  void operator()(archive_entry* e) const noexcept { archive_entry_free(e); }
};

Error broken(std::string_view what) { return {Errc::kModel, fmt::format("NEFF payload: {}", what)}; }

std::string_view reason(archive* a) {
  const char* text = archive_error_string(a);
  return text ? text : "damaged";
}

/// Relative and inside, at most 255 printable ASCII characters: what every reader of tar agrees about.
bool is_plain(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.front() == '/') return false;
  if (!std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7F && c != '\\'; })) return false;
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t to = std::min(name.find('/', from), name.size());
    const std::string_view part = name.substr(from, to - from);
    if (part.empty() || part == "..") return false;
    from = to + 1;
  }
  return true;
}

constexpr const char* kTooLarge = "unpacks to more than a network of its size would";

/// Its size is what its header says: what is behind that many bytes is the next member.
Result<void> skip_data(archive* a, archive_entry* entry, std::size_t& room) {
  const la_int64_t size = archive_entry_size(entry);
  if (size < 0 || static_cast<std::uint64_t>(size) > room) return broken(kTooLarge);
  room -= static_cast<std::size_t>(size);
  if (archive_read_data_skip(a) != ARCHIVE_OK) return broken(reason(a));
  return {};
}

Result<void> read_data(archive* a, std::vector<std::byte>& out, std::size_t& room) {
  for (;;) {
    const std::size_t at = out.size();
    out.resize(at + kChunk);
    const la_ssize_t got = archive_read_data(a, out.data() + at, kChunk);
    out.resize(at + static_cast<std::size_t>(std::max<la_ssize_t>(got, 0)));
    if (got < 0) return broken(reason(a));
    if (got == 0) break;
    if (static_cast<std::size_t>(got) > room) return broken(kTooLarge);
    room -= static_cast<std::size_t>(got);
  }
  out.shrink_to_fit();
  return {};
}

la_ssize_t append(archive*, void* out, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(data);
  auto& to = *static_cast<std::vector<std::byte>*>(out);
  try {
    to.insert(to.end(), bytes, bytes + size);
  } catch (const std::bad_alloc&) {
    return -1;
  }
  return static_cast<la_ssize_t>(size);
}

Result<void> write_member(archive* a, const NeffMember& member) {
  const std::unique_ptr<archive_entry, EntryFree> entry(archive_entry_new());
  if (!entry) return broken("out of memory");
  archive_entry_set_pathname(entry.get(), member.name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), 0, 0);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.data.size()));
  if (archive_write_header(a, entry.get()) != ARCHIVE_OK) return broken(reason(a));
  if (member.data.empty()) return {};
  const la_ssize_t put = archive_write_data(a, member.data.data(), member.data.size());
  if (put < 0 || static_cast<std::size_t>(put) != member.data.size()) return broken(reason(a));
  return {};
}

}  // namespace

Result<std::vector<NeffMember>> read_neff_archive(std::span<const std::byte> bytes, std::size_t max_bytes,
                                                  const NeffNames& wanted) {
  const std::unique_ptr<archive, ReadFree> a(archive_read_new());
  if (!a) return broken("out of memory");
  archive_read_support_filter_gzip(a.get());
  archive_read_support_format_tar(a.get());
  if (archive_read_open_memory(a.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) return broken(reason(a.get()));
  std::vector<NeffMember> members;
  std::set<std::string, std::less<>> names;
  for (std::size_t count = 0;; ++count) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(a.get(), &entry);
    if (status == ARCHIVE_EOF) return members;
    if (status != ARCHIVE_OK) return broken(reason(a.get()));
    if (count >= kMaxMembers) return broken(fmt::format("more than {} members", kMaxMembers));
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    const char* name = archive_entry_pathname(entry);
    std::string_view plain = name ? name : "";
    if (plain.starts_with("./")) plain.remove_prefix(2);
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) || !is_plain(plain)) {
      return broken(fmt::format("member {} is not a plain file with a plain name", count));
    }
    if (!names.emplace(plain).second) return broken(fmt::format("two members have the name '{}'", plain));
    if (!wanted.empty() && std::ranges::find(wanted, plain) == wanted.end()) {
      if (auto skipped = skip_data(a.get(), entry, max_bytes); !skipped) return skipped.error();
      continue;
    }
    members.push_back({std::string(plain), {}});
    if (auto read = read_data(a.get(), members.back().data, max_bytes); !read) return read.error();
  }
}

Result<std::vector<std::byte>> write_neff_archive(std::span<const NeffMember> members) {
  std::vector<std::byte> out;
  const std::unique_ptr<archive, WriteFree> a(archive_write_new());
  if (!a) return broken("out of memory");
  archive_write_add_filter_gzip(a.get());
  archive_write_set_filter_option(a.get(), "gzip", "timestamp", nullptr);
  archive_write_set_filter_option(a.get(), "gzip", "compression-level", "1");  // weights hardly shrink
  archive_write_set_format_ustar(a.get());
  archive_write_set_bytes_in_last_block(a.get(), 1);
  if (archive_write_open(a.get(), &out, nullptr, append, nullptr) != ARCHIVE_OK) return broken(reason(a.get()));
  for (const NeffMember& member : members) {
    const auto same = [&](const NeffMember& m) { return m.name == member.name; };
    if (!is_plain(member.name) || std::ranges::count_if(members, same) > 1) {
      return broken(fmt::format("'{}' is no plain name of one member", member.name));
    }
    if (auto written = write_member(a.get(), member); !written) return written.error();
  }
  if (archive_write_close(a.get()) != ARCHIVE_OK) return broken(reason(a.get()));
  return out;
}

}  // namespace posecam
