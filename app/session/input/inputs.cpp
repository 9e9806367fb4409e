#include "app/session/input/inputs.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gst/gst.h>

#include "app/pictures/format.h"
#include "app/pictures/picture.h"
#include "app/session/input/truncation.h"
#include "models/store/address.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamedInLine = 10;
constexpr const char* kDecodedFormats = "JPEG, PNG, HEIC, AVIF, WebP, TIFF, GIF, BMP or PNM";

/// The first bytes of a file, or why it cannot be read.
Result<std::string> read_head(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Errc::kMedia, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  std::string head(kPictureHead, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    if (plain) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name.empty() ? "input" : name;
}

std::string file_uri(const fs::path& path) {
  GError* error = nullptr;
  gchar* uri = gst_filename_to_uri(path.c_str(), &error);
  std::string text = uri == nullptr ? "file://" + path.string() : uri;
  g_clear_error(&error);
  g_free(uri);
  return text;
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, '_');
  return text;
}

/// What a folder holds, beside files that are no business of ours.
struct FolderContent {
  std::vector<fs::path> images;
  std::vector<std::string> foreign;  ///< file names of pictures that are not decoded here
  bool clips = false;
};

void sort_into(const fs::path& path, FolderContent& content) {
  const auto head = read_head(path);
  PictureKind kind = picture_kind(head ? *head : std::string(), path);
  if (kind.format == PictureFormat::kNone) kind = kind_by_extension(path);
  if (kind.decodable()) {
    content.images.push_back(path);
  } else if (kind.format == PictureFormat::kForeign) {
    content.foreign.push_back(path.filename().string());
  } else if (head) {
    content.clips = content.clips || head->substr(std::min<std::size_t>(4, head->size())).starts_with("ftyp");
  }
}

/// "2 pictures are not decoded here and left out: a.jp2, b.exr".
std::string describe_foreign(std::vector<std::string> names) {
  if (names.empty()) return {};
  std::ranges::sort(names, natural_less);
  const std::size_t more = names.size() - std::min(names.size(), kNamedInLine);
  std::string text = names.size() == 1 ? "1 picture is" : fmt::format("{} pictures are", names.size());
  names.resize(names.size() - more);
  text += fmt::format(" not decoded here and left out: {}", fmt::join(names, ", "));
  if (more > 0) text += fmt::format(" and {} more", more);
  return one_line(text);
}

Result<Input> identify_folder(const std::string& text) {
  FolderContent content;
  std::error_code ec;
  for (fs::directory_iterator it(text, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code type_error;
    const bool hidden = it->path().filename().string().starts_with('.');  // "._a.jpg" of macOS is no picture
    if (!hidden && it->is_regular_file(type_error)) sort_into(it->path(), content);
  }
  if (ec) return Error{Errc::kMedia, fmt::format("{}: {}", text, ec.message())};
  Input input{.kind = InputKind::kImages, .given = text, .left_out = describe_foreign(std::move(content.foreign))};
  if (content.images.empty()) {
    std::string why = content.clips ? "pass its clips one by one" : fmt::format("it needs {} files", kDecodedFormats);
    if (!input.left_out.empty()) why = fmt::format("{}; {}", input.left_out, why);
    return Error{Errc::kMedia, fmt::format("{}: no images in this folder; {}", text, why)};
  }
  input.images = std::move(content.images);
  std::ranges::sort(input.images, [](const fs::path& a, const fs::path& b) {
    return natural_less(a.filename().string(), b.filename().string());
  });
  const fs::path folder = fs::absolute(text).lexically_normal();
  input.name = plain_name((folder.has_filename() ? folder : folder.parent_path()).filename().string());
  return input;
}

Result<Input> identify_file(const std::string& text) {
  const fs::path path(text);
  const auto head = read_head(path);
  if (!head) return head.error();
  if (head->empty()) return Error{Errc::kMedia, fmt::format("{}: the file is empty", text)};
  Input input{.kind = InputKind::kVideoFile, .given = text, .name = path.stem().string()};
  const PictureKind kind = picture_kind(*head, path);
  if (kind.format == PictureFormat::kForeign) {
    return Error{Errc::kMedia,
                 fmt::format("{}: {} pictures are not decoded here; convert it to PNG or JPEG", text, kind.name)};
  }
  if (kind.decodable() && !(kind.format == PictureFormat::kJpeg && is_motion_jpeg(path))) {
    input.kind = moves(path) ? InputKind::kMovingPicture : InputKind::kImages;
    input.images = {path};
    return input;
  }
  input.uri = file_uri(path);
  input.damage = find_truncation(path);
  return input;
}

Result<Input> identify_address(const std::string& text) {
  std::string scheme = text.substr(0, text.find("://"));
  std::ranges::transform(scheme, scheme.begin(), [](char c) { return g_ascii_tolower(c); });
  if (scheme == "file") {
    const std::unique_ptr<gchar, decltype(&g_free)> path(g_filename_from_uri(text.c_str(), nullptr, nullptr), g_free);
    if (!path) return Error{Errc::kUsage, fmt::format("{}: not a file address of this machine", text)};
    return identify_input(path.get());
  }
  if (gst_uri_protocol_is_supported(GST_URI_SRC, scheme.c_str()) == FALSE) {
    return Error{Errc::kUsage, fmt::format("{}: no GStreamer element reads '{}://' here", shown_url(text), scheme)};
  }
  // Neither user name and password nor the query belong into stream ids and file names.
  const std::string shown = shown_url(text);
  const std::string name = plain_name(std::string_view(shown).substr(scheme.size() + 3));
  return Input{.kind = InputKind::kAddress, .given = shown, .name = name, .uri = scheme + text.substr(scheme.size())};
}

/// Also when it is a file: the program reads it from where it stands.
Result<Input> identify_stdin() {
  if (isatty(STDIN_FILENO) != 0) {
    return Error{Errc::kUsage, "-: standard input is a terminal; pipe a video into it, or give a file"};
  }
  return Input{.kind = InputKind::kPipe, .given = kStdin, .name = "stdin"};
}

/// Not in `taken`: "clip", then "clip-2".
std::string make_unique_name(std::string name, std::set<std::string>& taken) {
  name = one_line(std::move(name));
  std::string unique = name;
  for (int n = 2; !taken.insert(unique).second; ++n) unique = fmt::format("{}-{}", name, n);
  return unique;
}

}  // namespace

std::vector<std::string> image_stems(const Input& input) {
  std::vector<std::string> stems;
  if (input.kind != InputKind::kImages) return stems;
  for (const fs::path& image : input.images) stems.push_back(one_line(image.stem().string()));
  return stems;
}

bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    const auto number = [&](const std::string& text, std::size_t& at) {
      while (at + 1 < text.size() && text[at] == '0' && digit(text[at + 1])) ++at;
      const std::size_t from = at;
      while (at < text.size() && digit(text[at])) ++at;
      return std::string_view(text).substr(from, at - from);
    };
    const std::string_view x = number(a, i);
    const std::string_view y = number(b, j);
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
  }
  if (a.size() - i != b.size() - j) return a.size() - i < b.size() - j;
  return a < b;  // "01" and "1": any fixed order
}

Result<Input> identify_input(const std::string& text) {
  if (text.empty()) return Error{Errc::kUsage, "an input is empty; give a file, a folder, a camera or an address"};
  if (text == kSynthetic || text == kTestsrc) return Input{.kind = InputKind::kTestSource, .given = text, .name = text};
  if (text == kStdin) return identify_stdin();
  if (text.find("://") != std::string::npos) return identify_address(text);
  struct stat status {};
  if (stat(text.c_str(), &status) != 0) return Error{Errc::kMedia, fmt::format("{}: {}", text, std::strerror(errno))};
  if (S_ISDIR(status.st_mode)) return identify_folder(text);
  if (S_ISREG(status.st_mode)) return identify_file(text);
  if (S_ISCHR(status.st_mode) && text.starts_with("/dev/video")) {
    return Input{
        .kind = InputKind::kCamera, .given = text, .name = fs::path(text).filename().string(), .uri = "v4l2://" + text};
  }
  if (S_ISFIFO(status.st_mode)) {
    return Input{.kind = InputKind::kPipe, .given = text, .name = plain_name(fs::path(text).filename().string())};
  }
  return Error{Errc::kMedia, fmt::format("{}: neither a file, a folder, a pipe nor a camera (/dev/video*)", text)};
}

Result<std::vector<Input>> identify_inputs(const std::vector<std::string>& texts) {
  std::vector<Input> inputs;
  std::set<std::string> names;
  std::set<std::string> image_names;
  if (std::ranges::count(texts, kStdin) > 1) {
    return Error{Errc::kUsage, "-: standard input can be one input only"};
  }
  for (const std::string& text : texts) {
    auto input = identify_input(text);
    if (!input) return input.error();
    input->name = make_unique_name(input->name, names);
    for (const std::string& stem : image_stems(*input)) {
      input->image_names.push_back(make_unique_name(stem, image_names));
    }
    inputs.push_back(std::move(*input));
  }
  return inputs;
}

}  // namespace posecam
