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
#include <gst/gst.h>

#include "app/session/input/truncation.h"
#include "models/store/download.h"

namespace posecam {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 16;

/// The first bytes of a file, or why it cannot be read.
Result<std::string> read_head(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Errc::kMedia, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  std::string head(kHeadBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

/// Formats that OpenCV reads. GIF counts as video, since it may move.
bool is_image(std::string_view head) {
  if (head.starts_with("\xFF\xD8\xFF") || head.starts_with("\x89PNG\r\n\x1A\n") || head.starts_with("BM")) return true;
  if (head.starts_with(std::string_view("II*\0", 4)) || head.starts_with(std::string_view("MM\0*", 4))) return true;
  if (head.starts_with("RIFF") && head.size() >= 12 && head.substr(8, 4) == "WEBP") return true;
  return head.size() >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && std::isspace(head[2]) != 0;
}

bool has_image_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array kKnown{".jpg",  ".jpeg", ".png", ".bmp", ".tif", ".tiff",
                              ".webp", ".ppm",  ".pgm", ".pbm", ".pnm"};
  return std::ranges::find(kKnown, extension) != kKnown.end();
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

Result<Input> identify_folder(const std::string& text) {
  Input input{.kind = InputKind::kImages, .given = text};
  std::error_code ec;
  bool clips = false;
  for (fs::directory_iterator it(text, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code type_error;
    if (!it->is_regular_file(type_error)) continue;
    const auto head = read_head(it->path());
    if ((head && is_image(*head)) || has_image_extension(it->path())) {
      input.images.push_back(it->path());
    } else if (head) {
      clips = clips || head->substr(std::min<std::size_t>(4, head->size())).starts_with("ftyp");
    }
  }
  if (ec) return Error{Errc::kMedia, fmt::format("{}: {}", text, ec.message())};
  if (input.images.empty()) {
    const char* remedy = clips ? "pass its clips one by one" : "it needs JPEG, PNG, BMP, TIFF, WebP or PNM files";
    return Error{Errc::kMedia, fmt::format("{}: no images in this folder; {}", text, remedy)};
  }
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
  if (is_image(*head)) {
    input.kind = InputKind::kImages;
    input.images = {path};
  } else {
    input.uri = file_uri(path);
    input.damage = find_truncation(path);
  }
  return input;
}

Result<Input> identify_address(const std::string& text) {
  const std::string scheme = text.substr(0, text.find("://"));
  if (scheme == "file") {
    const std::unique_ptr<gchar, decltype(&g_free)> path(g_filename_from_uri(text.c_str(), nullptr, nullptr), g_free);
    if (!path) return Error{Errc::kUsage, fmt::format("{}: not a file address of this machine", text)};
    return identify_input(path.get());
  }
  if (gst_uri_protocol_is_supported(GST_URI_SRC, scheme.c_str()) == FALSE) {
    return Error{Errc::kUsage, fmt::format("{}: no GStreamer element reads '{}://' here", text, scheme)};
  }
  // Neither user name and password nor the query belong into stream ids and file names.
  std::string_view rest = std::string_view(text).substr(scheme.size() + 3);
  rest = rest.substr(0, rest.find_first_of("?#"));
  if (const auto at = rest.substr(0, rest.find('/')).rfind('@'); at != rest.npos) rest.remove_prefix(at + 1);
  return Input{.kind = InputKind::kAddress, .given = shown_url(text), .name = plain_name(rest), .uri = text};
}

/// Also when it is a file: the program reads it from where it stands.
Result<Input> identify_stdin() {
  if (isatty(STDIN_FILENO) != 0) {
    return Error{Errc::kUsage, "-: standard input is a terminal; pipe a video into it, or give a file"};
  }
  return Input{.kind = InputKind::kPipe, .given = kStdin, .name = "stdin"};
}

/// One line of text that is not in `taken`: "clip", then "clip-2".
std::string make_unique_name(std::string name, std::set<std::string>& taken) {
  std::ranges::replace_if(
      name, [](char c) { return c == '\n' || c == '\r'; }, '_');
  std::string unique = name;
  for (int n = 2; !taken.insert(unique).second; ++n) unique = fmt::format("{}-{}", name, n);
  return unique;
}

}  // namespace

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
  for (const std::string& text : texts) {
    auto input = identify_input(text);
    if (!input) return input.error();
    input->name = make_unique_name(input->name, names);
    for (const fs::path& image : input->images) {
      input->image_names.push_back(make_unique_name(image.stem().string(), image_names));
    }
    inputs.push_back(std::move(*input));
  }
  return inputs;
}

}  // namespace posecam
