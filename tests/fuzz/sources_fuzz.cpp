// What decides whether something is read at all: types of streams, addresses with passwords, and files in the cache of
// compiled networks.

#include <filesystem>
#include <iterator>
#include <string>

#include "app/session/graph/source.h"
#include "models/core/log.h"
#include "models/core/text.h"
#include "models/store/address.h"
#include "pipeline/cpu/network_cache.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/temp_dir.h"

namespace posecam::fuzz {
namespace {

namespace fs = std::filesystem;

/// A playlist is none of the types that are read wherever they come from.
void types(Input& input) {
  const std::string_view type = input.rest();
  expect(!(is_self_contained(type) && is_adaptive(type)), "a playlist that is self-contained:", type);
  for (const char* other :
       {"application/x-hls", "application/dash+xml", "application/vnd.ms-sstr+xml", "application/sdp",
        "application/x-gst-av-concat", "text/uri-list", "text/html", "application/xml", "playlist/x-pls"}) {
    if (type == other) expect(!is_self_contained(type), "it names others:", type);
  }
}

void addresses(Input& input) {
  std::string password = input.text(40);
  std::erase(password, '=');  // looks like a query behind "?"
  const std::string address = "rtsp://me:word" + password + "@host:554/live";
  expect(shown_url(address) == "rtsp://host:554/live", "a password is shown:", shown_url(address));
  const std::string text(input.rest());
  const std::string line = printable(text);
  for (std::size_t at = 0; at < line.size();) {
    const Character c = character_at(line, at);
    expect(c.bytes > 0 && !is_hidden(c.code), "not printable:", line);
    at += c.bytes;
  }
  expect(printable(line) == line && printable(with_escapes(text)).size() >= line.size(), "what is printable stays",
         line);
  (void)with_shown_urls(text);
}

/// A file in the place of what was put there: it is given back only if it is that.
void cache(Input& input) {
  logger().set_level(spdlog::level::off);  // it is right to complain
  const test::TempDir dir;
  const NetworkCache cache(dir.path() / "cache");
  const std::string network = input.text(200);
  expect(static_cast<bool>(cache.put("key", network)), "it is put there");
  const fs::path file = fs::directory_iterator(dir.path() / "cache")->path();
  std::string content = test::read_file(file);
  const std::string before = content;
  switch (input.below(0, 2)) {
    case 0: content = std::string(input.rest()); break;
    case 1: content.resize(input.byte() % (content.size() + 1)); break;
    default:
      while (!input.empty()) content.at(input.byte() % content.size()) = static_cast<char>(input.byte());
  }
  test::write_file(file, content);
  const auto got = cache.get("key");
  expect(got ? content == before && *got == network : content != before, "another network comes out of the cache");
  expect(got || !fs::exists(file), "a damaged file stays");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  constexpr void (*kReaders[])(Input&) = {types, addresses, cache};
  kReaders[static_cast<std::size_t>(input.below(0, std::size(kReaders) - 1))](input);
  return 0;
}

}  // namespace posecam::fuzz
