// Clips of strangers through a session of their own in this process, to a few frames: MP4 files whose boxes lie, and
// any bytes. Whatever is in them, the session ends in time, says why it found no video, and opens no file that they
// name.

#include <array>
#include <chrono>
#include <fcntl.h>
#include <iterator>
#include <sys/inotify.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gst/gst.h>

#include "app/session/plugin_path.h"
#include "app/session/session.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/launch.h"
#include "tests/support/temp_dir.h"

namespace posecam::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kFrames = 4;
constexpr const char* kPlaceholder = "CANARY";  ///< in inputs, for the address of a file that nobody is to open

/// What clips may name, and whether somebody opened it.
class Canary {
 public:
  Canary() : file_((dir_.path() / "canary.mp4").string()), watch_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    test::write_file(file_, "a file of this machine");
    ::inotify_add_watch(watch_, file_.c_str(), IN_OPEN);
  }
  const std::string& file() const { return file_; }
  bool opened() const {
    std::array<char, 4096> events{};
    return ::read(watch_, events.data(), events.size()) > 0;
  }

 private:
  test::TempDir dir_;
  std::string file_;
  int watch_;
};

Canary& canary() {
  static Canary& instance = *new Canary;
  return instance;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

void put_number(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

/// Where the boxes of an MP4 file begin, those in others as well (ISO/IEC 14496-12).
std::vector<std::size_t> boxes_of(std::string_view clip) {
  constexpr std::array<std::string_view, 9> kParents{"moov", "trak", "mdia", "minf", "stbl",
                                                     "edts", "dinf", "moof", "traf"};
  std::vector<std::size_t> boxes;
  for (std::size_t at = 0; at + 8 <= clip.size();) {
    boxes.push_back(at);
    const bool parent = std::ranges::find(kParents, clip.substr(at + 4, 4)) != kParents.end();
    const std::uint32_t size = number_at(clip, at);
    if (!parent && size < 8) break;
    at += parent ? 8 : size;
  }
  return boxes;
}

std::string make_clip(const char* end) {
  const test::TempDir dir;
  const std::string file = (dir.path() / "whole.mp4").string();
  test::launch(
      std::string(
          "videotestsrc pattern=ball num-buffers=6 ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! ") +
      end + " ! filesink location=" + file);
  return test::read_file(file);
}

/// Small ones, made once a process: with an index, and in fragments.
const std::vector<std::string>& whole_clips() {
  static const std::vector<std::string>& clips =
      *new std::vector<std::string>{make_clip("jpegenc ! qtmux faststart=true"), make_clip("jpegenc ! qtmux"),
                                    make_clip("jpegenc ! qtmux fragment-duration=80")};
  return clips;
}

/// A good clip with boxes of other sizes, kinds, counts and contents.
std::string with_wrong_boxes(Input& input) {
  std::string clip =
      whole_clips()[static_cast<std::size_t>(input.below(0, static_cast<int>(whole_clips().size()) - 1))];
  const auto boxes = boxes_of(clip);
  const auto any_box = [&] { return boxes[input.byte() % boxes.size()]; };
  while (!input.empty()) {
    const std::size_t box = any_box();
    switch (input.below(0, 4)) {
      case 0: put_number(clip, box, input.word()); break;
      case 1: put_number(clip, box, number_at(clip, box) + input.byte() - 128U); break;
      case 2: clip.replace(box + 4, 4, clip, any_box() + 4, 4); break;
      case 3: put_number(clip, box + 8 + input.byte(), input.word()); break;
      default: clip.resize(std::min(clip.size(), box + 8 + input.byte())); return clip;
    }
  }
  return clip;
}

std::string any_bytes(Input& input) {
  std::string bytes(input.rest());
  for (std::size_t at = 0; (at = bytes.find(kPlaceholder, at)) != bytes.npos;) {
    const std::string name = "file://" + canary().file();
    bytes.replace(at, std::string_view(kPlaceholder).size(), name);
    at += name.size();
  }
  return bytes;
}

SessionSpec spec_of(posecam::Input input) {
  SessionSpec spec{.input = std::move(input), .max_frames = kFrames, .stall_limit = 2s};
  spec.engine.model = POSECAM_SOURCE_DIR "/tests/data/tiny_pose.json";
  spec.engine.device = "opencv";
  spec.shared_model = "fuzz";
  return spec;
}

/// Open and never played: the model that all share stays loaded.
void keep_model() {
  auto input = identify_input(kSynthetic);
  expect(static_cast<bool>(input), "the test source is there");
  auto session = Session::create(spec_of(*std::move(input)));
  expect(session && (*session)->open(), "a session of the test source");
  static const Session* const kept = session->release();
  (void)kept;
}

void set_up() {
  static const bool done = [] {
    gst_init(nullptr, nullptr);
    const auto loaded = load_plugin();
    expect(static_cast<bool>(loaded), "the plugin is there");
    keep_model();
    (void)whole_clips();
    (void)canary().opened();
    return true;
  }();
  (void)done;
}

void analyse(const std::string& file) {
  auto found = identify_input(file);
  if (!found) return expect(found.error().message.starts_with(file), "a message says where:", found.error().message);
  auto session = Session::create(spec_of(*std::move(found)));
  expect(static_cast<bool>(session), "a session of any file");
  if (const auto opened = (*session)->open(); !opened) return;
  (*session)->play();
  expect((*session)->wait_for(20s), "a session ends");
  const auto failure = (*session)->failure();
  const std::uint64_t frames = (*session)->stats().frames;
  expect(frames <= kFrames, "no frames beyond the limit");
  expect(frames > 0 || failure, "who found no frame says why");
  expect(!failure || !failure->message.empty(), "a failure has a reason");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  set_up();
  Input input(data, size);
  const test::TempDir dir;
  const std::string file = (dir.path() / "clip.mp4").string();
  test::write_file(file, input.flag() ? with_wrong_boxes(input) : any_bytes(input));
  analyse(file);
  expect(!canary().opened(), "no other file is opened");
  return 0;
}

}  // namespace posecam::fuzz
