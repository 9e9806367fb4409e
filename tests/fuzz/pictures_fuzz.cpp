// Any file as a picture: it is decoded within its limits, or refused with a message.

#include "app/pictures/format.h"
#include "app/pictures/picture.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/temp_dir.h"

namespace posecam::fuzz {
namespace {

void check_pixels(const cv::Mat& pixels) {
  expect(pixels.type() == CV_8UC3 && !pixels.empty(), "a picture is BGR and has pixels");
  expect(pixels.cols <= kLargestSide && pixels.rows <= kLargestSide, "a picture is not larger than a frame");
}

void check_message(const Error& error, std::string_view path) {
  expect(error.code == Errc::kMedia, "errors of pictures are of media");
  expect(error.message.starts_with(path) && error.message.size() > path.size() + 2, "a message says where and why",
         error.message);
}

void play(MovingPicture& picture, std::size_t most) {
  expect(picture.frames() > 0, "a picture that moves has frames");
  for (std::size_t i = 0; i < most; ++i) {
    const auto frame = picture.next();
    if (!frame || !*frame) return;
    check_pixels((*frame)->pixels);
    expect((*frame)->duration.count() >= 0, "time does not run backwards");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostFrames = 8;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const test::TempDir dir;
  const std::string path = (dir.path() / "picture").string();
  test::write_file(path, bytes);
  if (const auto picture = read_picture(path)) {
    check_pixels(picture->pixels);
  } else {
    check_message(picture.error(), path);
  }
  if (const auto moving = open_moving(path)) play(**moving, kMostFrames);
  (void)count_jpegs(bytes);
  return 0;
}

}  // namespace posecam::fuzz
