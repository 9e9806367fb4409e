#include "pipeline/output/index_first.h"

#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace posecam {
namespace {

using test::read_file;
using test::write_file;

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}
std::string box(const std::string& type, const std::string& content) {
  return number(content.size() + 8, 4) + type + content;
}
/// A movie's index with tables of one chunk each.
std::string index_of(const std::string& table) {
  return box("moov",
             box("mvhd", "head") + box("trak", box("mdia", box("minf", box("stbl", box("stsz", "sizes") + table)))));
}
std::string table(int width, std::uint64_t chunk) {
  return box(width == 4 ? "stco" : "co64", number(0, 4) + number(1, 4) + number(chunk, width));
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

class IndexFirst : public ::testing::Test {
 protected:
  std::string at(const char* name) const { return folder_.path() / name; }
  /// Of what is in the file "from", to the file "to".
  bool copy() const {
    const int from = open(at("from").c_str(), O_RDONLY | O_CLOEXEC);
    const int to = open(at("to").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool done = copy_with_index_first(from, to);
    close(from);
    close(to);
    return done;
  }
  bool copy_of(const std::string& movie) const {
    write_file(at("from"), movie);
    return copy();
  }
  test::TempDir folder_;
};

TEST_F(IndexFirst, MovesTheIndexAndWhatItSaysOfTheSamples) {
  const std::string head = box("ftyp", "isom") + box("free", "");
  const std::string samples = box("mdat", "samples");
  for (const int width : {4, 8}) {
    const auto index = [&](std::uint64_t shift) { return index_of(table(width, head.size() + 8 + shift)); };
    const std::string last = box("udta", "title");
    ASSERT_TRUE(copy_of(joined({head, samples, index(0), last}))) << width;
    EXPECT_EQ(read_file(at("to")), joined({head, index(index(0).size()), samples, last})) << width;
  }
}

TEST_F(IndexFirst, LeavesWhatIsNoMovieWithItsIndexBehind) {
  const std::string head = box("ftyp", "isom");
  const std::string samples = box("mdat", "samples");
  const std::string index = index_of(table(4, 20));
  for (const std::string& movie : {
           std::string(),
           std::string("text, whatever its name says"),
           joined({head, samples}),
           joined({head, index, samples}),
           joined({head, samples, index, index}),
           joined({head, samples, index.substr(0, index.size() - 1)}),
           joined({head, samples, "moov"}),
           joined({head, samples, box("moov", "\xff\xff\xff\xfftrak")}),
           joined({head, number(4, 4), "mdat", index}),
           joined({head, samples, index_of(box("stco", ""))}),
           joined({head, samples, index_of(box("stco", joined({number(0, 4), number(99, 4)})))}),
       }) {
    EXPECT_FALSE(copy_of(movie)) << movie;
  }
}

TEST_F(IndexFirst, LeavesAnIndexWhoseOffsetsWouldNoLongerFit) {
  constexpr std::uint64_t kSamples = (1ULL << 32) - 50;  // with a hole instead of most of them
  const std::string head = box("ftyp", "isom") + number(1, 4) + "mdat" + number(kSamples, 8);
  write_file(at("from"), head);
  std::filesystem::resize_file(at("from"), head.size() - 16 + kSamples);
  std::ofstream(at("from"), std::ios::app) << index_of(table(4, kSamples - 1));
  EXPECT_FALSE(copy());
  EXPECT_EQ(read_file(at("to")), "") << "known before anything is copied";
}

TEST_F(IndexFirst, FailsWhereItCannotWrite) {
  write_file(at("from"), box("ftyp", "isom") + box("mdat", "samples") + index_of(table(4, 20)));
  const int from = open(at("from").c_str(), O_RDONLY | O_CLOEXEC);
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  EXPECT_FALSE(copy_with_index_first(from, full));
  EXPECT_FALSE(copy_with_index_first(-1, full));
  close(from);
  close(full);
}

}  // namespace
}  // namespace posecam
