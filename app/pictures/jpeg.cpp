// libjpeg: the only interface that tells damage from what is merely odd.

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <jerror.h>
#include <jpeglib.h>

#include "app/pictures/codecs.h"
#include "app/pictures/format.h"

namespace posecam {
namespace {

constexpr std::string_view kExif("Exif\0\0", 6);

/// libjpeg's error manager, which it calls with a pointer to its first member.
struct Errors {
  jpeg_error_mgr manager{};
  std::jmp_buf out{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  bool damaged = false;
};

Errors& errors_of(j_common_ptr info) { return *reinterpret_cast<Errors*>(info->err); }

void remember(j_common_ptr info) {
  Errors& errors = errors_of(info);
  if (!errors.damaged) info->err->format_message(info, errors.message.data());
  errors.damaged = true;
}

[[noreturn]] void give_up(j_common_ptr info) {
  remember(info);
  std::longjmp(errors_of(info).out, 1);
}

/// Level -1 is a warning: pixels were made up. These are no such, pictures of many a program have them.
void take_message(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  const bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_TOO_MUCH_DATA || code == JWRN_ADOBE_XFORM ||
                        code == JWRN_JFIF_MAJOR || code == JWRN_BOGUS_PROGRESSION || code == JWRN_NOT_SEQUENTIAL;
  if (level < 0 && !harmless) remember(info);
}

void say_nothing(j_common_ptr) {}

/// Every scan of a progressive JPEG goes over the whole picture, and takes a few bytes of the file: 100 KB can keep
/// libjpeg busy for hours. Encoders make about ten; 500 is what libjpeg-turbo's fuzzers allow.
constexpr int kMostScans = 500;
constexpr std::string_view kTooManyScans = "it has more than 500 scans";

/// While libjpeg reads.
void limit_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  Errors& errors = errors_of(info);
  errors.message = {};
  std::ranges::copy(kTooManyScans, errors.message.begin());
  errors.damaged = true;
  std::longjmp(errors.out, 1);
}

/// What one decoding owns. Nothing with a destructor lives in a function that longjmp may leave.
struct Jpeg {
  jpeg_decompress_struct info{};
  Errors errors;
  cv::Mat pixels;  ///< BGR or, of four inks, CMYK
  int orientation = 1;
  jpeg_progress_mgr progress{};

  Jpeg() = default;
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;
  ~Jpeg() { jpeg_destroy_decompress(&info); }
};

void find_orientation(Jpeg& jpeg) {
  for (const jpeg_marker_struct* marker = jpeg.info.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (!data.starts_with(kExif)) continue;
    jpeg.orientation = exif_orientation(data.substr(kExif.size()));
    return;
  }
}

/// False when libjpeg gave up.
bool read_header(Jpeg& jpeg, std::string_view bytes) {
  constexpr unsigned kMostOfMarker = 0xFFFF;
  if (setjmp(jpeg.errors.out) != 0) return false;
  jpeg_create_decompress(&jpeg.info);
  jpeg.progress.progress_monitor = limit_scans;
  jpeg.info.progress = &jpeg.progress;
  jpeg_mem_src(&jpeg.info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&jpeg.info, JPEG_APP0 + 1, kMostOfMarker);
  jpeg_read_header(&jpeg.info, TRUE);
  return true;
}

bool read_pixels(Jpeg& jpeg) {
  if (setjmp(jpeg.errors.out) != 0) return false;
  jpeg_start_decompress(&jpeg.info);
  while (jpeg.info.output_scanline < jpeg.info.output_height) {
    JSAMPROW row = jpeg.pixels.ptr(static_cast<int>(jpeg.info.output_scanline));
    jpeg_read_scanlines(&jpeg.info, &row, 1);
  }
  return true;
}

/// Adobe's programs store the inks inverted, and so does everybody since.
cv::Mat from_inks(const cv::Mat& cmyk, bool inverted) {
  cv::Mat out(cmyk.size(), CV_8UC3);
  for (int y = 0; y < cmyk.rows; ++y) {
    const auto* from = cmyk.ptr<cv::Vec4b>(y);
    auto* to = out.ptr<cv::Vec3b>(y);
    for (int x = 0; x < cmyk.cols; ++x) {
      const auto light = [&](int ink) { return inverted ? from[x][ink] : 255 - from[x][ink]; };
      for (int c = 0; c < 3; ++c) to[x][c] = static_cast<unsigned char>(light(2 - c) * light(3) / 255);
    }
  }
  return out;
}

}  // namespace

Result<Picture> read_jpeg(std::string_view bytes, Turn turn) {
  Jpeg jpeg;
  jpeg.info.err = jpeg_std_error(&jpeg.errors.manager);
  jpeg.errors.manager.error_exit = give_up;
  jpeg.errors.manager.emit_message = take_message;
  jpeg.errors.manager.output_message = say_nothing;
  const auto failure = [&] { return damaged(std::string("it is damaged: ") + jpeg.errors.message.data()); };
  if (!read_header(jpeg, bytes)) return failure();
  const auto width = static_cast<int>(jpeg.info.image_width);
  const auto height = static_cast<int>(jpeg.info.image_height);
  if (auto fits = check_size(width, height); !fits) return fits.error();
  find_orientation(jpeg);
  const bool inks = jpeg.info.num_components == 4;
  jpeg.info.out_color_space = inks ? JCS_CMYK : JCS_EXT_BGR;
  jpeg.pixels.create(height, width, inks ? CV_8UC4 : CV_8UC3);
  if (!read_pixels(jpeg) || jpeg.errors.damaged) return failure();
  const cv::Mat bgr = inks ? from_inks(jpeg.pixels, jpeg.info.saw_Adobe_marker != FALSE) : jpeg.pixels;
  const std::size_t pictures = count_jpegs(bytes);
  return Picture{turn == Turn::kUpright ? turned(bgr, jpeg.orientation) : bgr, pictures > 1 ? pictures - 1 : 0};
}

}  // namespace posecam
