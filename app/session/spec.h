#pragma once
// A run of one input as a value: what is analysed, how, and where the results go. Command line, measurements and
// whatever else runs the network say what they want with it, and know nothing of pipelines.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/session/input/inputs.h"
#include "models/core/result.h"
#include "pipeline/output/file_sink.h"
#include "pipeline/settings/engine_settings.h"

namespace posecam {

/// Results as JSON.
struct Sink {
  ResultFormat format = ResultFormat::kNdjson;  ///< what is written
  std::string location;  ///< a file, "-" (standard output), a device or a pipe; of kOpenpose: a folder, made if missing
  std::string name;      ///< what messages call it, such as "--json-lines"; may be empty
};

/// The frames with what was found drawn on them.
struct AnnotatedVideo {
  std::string file;     ///< in the container that its extension says; empty: none
  std::string name;     ///< what messages call it; may be empty
  bool window = false;  ///< shown on the screen, too
};

/// A network before that of the session: it finds people, whom the session's then looks at, each by itself.
struct Detector {
  EngineSettings engine;                 ///< model and device
  std::uint32_t inference_interval = 1;  ///< every N-th frame is searched; in the others people are where they were
};

/// The label of what a Detector finds for the network behind it.
inline constexpr const char* kDetectedClass = "person";

/// One input: a run of several is one of these for each, with one `shared_model`.
struct SessionSpec {
  EngineSettings engine;                 ///< model and device
  std::uint32_t inference_interval = 1;  ///< every N-th frame is analysed
  std::optional<Detector> detector{};    ///< before it; else it looks at whole frames
  std::string shared_model;      ///< sessions of a process with the same text here share a model; empty: its own
  Input input;                   ///< what is analysed
  std::vector<Sink> sinks;       ///< each gets every result
  AnnotatedVideo video;          ///< file, window, both or neither
  bool apart = false;            ///< what decodes a clip or stream runs in a process of its own, which may crash
  std::uint64_t max_frames = 0;  ///< 0: all
  std::chrono::milliseconds stall_limit{30'000};  ///< an input that sends no frame for so long has failed; 0: never
  /// An end that was asked for, in which no frame comes out and no file grows for so long, is given up; later if
  /// frames take long.
  std::chrono::milliseconds end_limit{10'000};
};

/// Pictures, the test source, what starts again at its end, and files that are named as descriptors of this process are
/// decoded here, whatever `apart` says.
bool is_apart(const SessionSpec& spec);

/// What can be seen wrong before anything is opened: kUsage for a video with a container that is not known, two outputs
/// of a session on standard output, and outputs of any of them that would overwrite each other or an input,
/// and pictures that would share an id in COCO's results.
Result<void> check_specs(std::span<const SessionSpec> specs);

/// What annotated videos come in.
enum class Container : std::uint8_t { kMp4, kMov, kMkv, kAvi, kWebm };

/// By the extension of a video file's name; nothing for others.
std::optional<Container> container_of(const std::string& file);

/// The factory name of its muxer.
const char* muxer_of(Container container);

/// "NAME LOCATION", or the location alone: how messages speak of an output.
std::string describe_output(const std::string& name, const std::string& location);

/// The files and folders of a session, in the order of its summary: the video, then the sinks but for standard output.
std::vector<std::string> files_of(const SessionSpec& spec);

}  // namespace posecam
