#include "models/core/skeleton.h"

#include <algorithm>
#include <cctype>

namespace posecam {
namespace {

using std::string_view;

// Order and PAF channels: OpenPose POSE_MAP_INDEX (poseParameters.cpp) for COCO and BODY_25; tf-pose's COCOPAIRS and
// COCOPAIRS_NET agree for COCO.
constexpr string_view kCoco18Parts[]{"Nose",   "Neck",   "RShoulder", "RElbow", "RWrist", "LShoulder",
                                     "LElbow", "LWrist", "RHip",      "RKnee",  "RAnkle", "LHip",
                                     "LKnee",  "LAnkle", "REye",      "LEye",   "REar",   "LEar"};
constexpr Limb kCoco18Limbs[]{{1, 2, 12, 13},   {1, 5, 20, 21},         {2, 3, 14, 15},        {3, 4, 16, 17},
                              {5, 6, 22, 23},   {6, 7, 24, 25},         {1, 8, 0, 1},          {8, 9, 2, 3},
                              {9, 10, 4, 5},    {1, 11, 6, 7},          {11, 12, 8, 9},        {12, 13, 10, 11},
                              {1, 0, 28, 29},   {0, 14, 30, 31},        {14, 16, 34, 35},      {0, 15, 32, 33},
                              {15, 17, 36, 37}, {2, 16, 18, 19, false}, {5, 17, 26, 27, false}};

constexpr string_view kBody25Parts[]{"Nose",   "Neck",    "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow",
                                     "LWrist", "MidHip",  "RHip",      "RKnee",  "RAnkle", "LHip",      "LKnee",
                                     "LAnkle", "REye",    "LEye",      "REar",   "LEar",   "LBigToe",   "LSmallToe",
                                     "LHeel",  "RBigToe", "RSmallToe", "RHeel"};
constexpr Limb kBody25Limbs[]{{1, 8, 0, 1},     {1, 2, 14, 15},   {1, 5, 22, 23},         {2, 3, 16, 17},
                              {3, 4, 18, 19},   {5, 6, 24, 25},   {6, 7, 26, 27},         {8, 9, 6, 7},
                              {9, 10, 2, 3},    {10, 11, 4, 5},   {8, 12, 8, 9},          {12, 13, 10, 11},
                              {13, 14, 12, 13}, {1, 0, 30, 31},   {0, 15, 32, 33},        {15, 17, 36, 37},
                              {0, 16, 34, 35},  {16, 18, 38, 39}, {2, 17, 20, 21, false}, {5, 18, 28, 29, false},
                              {14, 19, 40, 41}, {19, 20, 42, 43}, {14, 21, 44, 45},       {11, 22, 46, 47},
                              {22, 23, 48, 49}, {11, 24, 50, 51}};

constexpr string_view kCoco17Parts[]{"nose",          "left_eye",       "right_eye",  "left_ear",    "right_ear",
                                     "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
                                     "right_wrist",   "left_hip",       "right_hip",  "left_knee",   "right_knee",
                                     "left_ankle",    "right_ankle"};
constexpr string_view kCoco17Camel[]{"nose",         "leftEye",       "rightEye",  "leftEar",    "rightEar",
                                     "leftShoulder", "rightShoulder", "leftElbow", "rightElbow", "leftWrist",
                                     "rightWrist",   "leftHip",       "rightHip",  "leftKnee",   "rightKnee",
                                     "leftAnkle",    "rightAnkle"};
// The `skeleton` of COCO's person category (person_keypoints_val2017.json), zero-based, each limb from the trunk
// outwards.
constexpr Limb kCoco17Limbs[]{{13, 15}, {11, 13}, {14, 16}, {12, 14}, {11, 12}, {5, 11}, {6, 12},
                              {5, 6},   {5, 7},   {6, 8},   {7, 9},   {8, 10},  {1, 2},  {0, 1},
                              {0, 2},   {1, 3},   {2, 4},   {3, 5},   {4, 6}};

// AlphaPose, docs of the Halpe-FullBody dataset: keypoints 0 to 25.
constexpr string_view kHalpe26Parts[]{"Nose",    "LEye",      "REye",      "LEar",   "REar", "LShoulder", "RShoulder",
                                      "LElbow",  "RElbow",    "LWrist",    "RWrist", "LHip", "RHip",      "LKnee",
                                      "RKnee",   "LAnkle",    "RAnkle",    "Head",   "Neck", "Hip",       "LBigToe",
                                      "RBigToe", "LSmallToe", "RSmallToe", "LHeel",  "RHeel"};
constexpr Limb kHalpe26Limbs[]{{0, 1},   {0, 2},   {1, 3},   {2, 4},   {18, 5},  {18, 6},  {5, 7},   {7, 9},
                               {6, 8},   {8, 10},  {18, 17}, {19, 18}, {19, 11}, {19, 12}, {11, 13}, {12, 14},
                               {13, 15}, {14, 16}, {24, 20}, {25, 21}, {25, 23}, {24, 22}, {15, 24}, {16, 25}};

// MediaPipe, POSE_CONNECTIONS and the enumeration PoseLandmark (mediapipe/python/solutions/pose.py).
constexpr string_view kBlazePose33Parts[]{
    "nose",        "left_eye_inner",  "left_eye",        "left_eye_outer", "right_eye_inner",
    "right_eye",   "right_eye_outer", "left_ear",        "right_ear",      "mouth_left",
    "mouth_right", "left_shoulder",   "right_shoulder",  "left_elbow",     "right_elbow",
    "left_wrist",  "right_wrist",     "left_pinky",      "right_pinky",    "left_index",
    "right_index", "left_thumb",      "right_thumb",     "left_hip",       "right_hip",
    "left_knee",   "right_knee",      "left_ankle",      "right_ankle",    "left_heel",
    "right_heel",  "left_foot_index", "right_foot_index"};
constexpr Limb kBlazePose33Limbs[]{{0, 1},   {1, 2},   {2, 3},   {3, 7},   {0, 4},   {4, 5},   {5, 6},
                                   {6, 8},   {9, 10},  {11, 12}, {11, 13}, {13, 15}, {15, 17}, {15, 19},
                                   {15, 21}, {19, 17}, {12, 14}, {14, 16}, {16, 18}, {16, 20}, {16, 22},
                                   {20, 18}, {11, 23}, {12, 24}, {23, 24}, {23, 25}, {24, 26}, {25, 27},
                                   {26, 28}, {27, 29}, {28, 30}, {29, 31}, {30, 32}, {27, 31}, {28, 32}};

// MPII Human Pose (Andriluka et al. 2014), the order of its annotations.
constexpr string_view kMpii16Parts[]{"right_ankle",    "right_knee",    "right_hip",   "left_hip",
                                     "left_knee",      "left_ankle",    "pelvis",      "thorax",
                                     "upper_neck",     "head_top",      "right_wrist", "right_elbow",
                                     "right_shoulder", "left_shoulder", "left_elbow",  "left_wrist"};
constexpr Limb kMpii16Limbs[]{{6, 2}, {2, 1},  {1, 0},   {6, 3},   {3, 4},  {4, 5},   {6, 7},  {7, 8},
                              {8, 9}, {7, 12}, {12, 11}, {11, 10}, {7, 13}, {13, 14}, {14, 15}};

// AI Challenger keypoints (Wu et al. 2017), the order of its annotations.
constexpr string_view kAiChallenger14Parts[]{
    "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist", "right_hip",
    "right_knee",     "right_ankle", "left_hip",    "left_knee",     "left_ankle", "head_top",   "neck"};
constexpr Limb kAiChallenger14Limbs[]{{13, 0}, {0, 1}, {1, 2}, {13, 3}, {3, 4},   {4, 5},   {0, 6},
                                      {6, 7},  {7, 8}, {3, 9}, {9, 10}, {10, 11}, {13, 12}, {6, 9}};

struct Format {
  string_view name;
  string_view tag;
  std::span<const string_view> parts;
  std::span<const Limb> limbs;
};
constexpr Format kFormats[]{
    {"coco-17", "body-pose/coco-17", kCoco17Parts, kCoco17Limbs},
    {"coco-18", "body-pose/openpose-18", kCoco18Parts, kCoco18Limbs},
    {"body-25", "body-pose/openpose-25", kBody25Parts, kBody25Limbs},
    {"halpe-26", "body-pose/halpe-26", kHalpe26Parts, kHalpe26Limbs},
    {"blazepose-33", "body-pose/blazepose-33", kBlazePose33Parts, kBlazePose33Limbs},
    {"mpii-16", "body-pose/mpii-16", kMpii16Parts, kMpii16Limbs},
    {"ai-challenger-14", "body-pose/ai-challenger-14", kAiChallenger14Parts, kAiChallenger14Limbs},
};
constexpr std::size_t kFormatCount = std::size(kFormats);

std::shared_ptr<const Skeleton> make(const Format& format) {
  auto skeleton = std::make_shared<Skeleton>();
  skeleton->name = format.name;
  skeleton->tag = format.tag;
  skeleton->parts.assign(format.parts.begin(), format.parts.end());
  skeleton->limbs.assign(format.limbs.begin(), format.limbs.end());
  find_parts(*skeleton);
  return skeleton;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// "LShoulder", "left_shoulder", "leftShoulder" -> "left shoulder" without the space: "leftshoulder".
std::string plain(std::string_view part) {
  std::string text;
  const bool short_side =
      part.size() > 1 && (is_upper(part[1]) || std::string_view("_- ").find(part[1]) != std::string_view::npos);
  const char side = part.empty() ? '\0' : static_cast<char>(std::tolower(static_cast<unsigned char>(part[0])));
  if (short_side && (side == 'l' || side == 'r')) {
    text = side == 'l' ? "left" : "right";
    part.remove_prefix(1);
  }
  for (const char c : part) {
    if (c != '_' && c != ' ' && c != '-') text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

}  // namespace

void find_parts(Skeleton& skeleton) {
  const auto camel = coco17_camel_names();
  for (std::size_t part = 0; part < skeleton.parts.size(); ++part) {
    const std::string name = plain(skeleton.parts[part]);
    const auto index = static_cast<std::uint8_t>(part);
    for (std::size_t k = 0; k < camel.size(); ++k) {
      if (name == plain(camel[k]) && !skeleton.to_coco17[k]) skeleton.to_coco17[k] = index;
    }
    if ((name == "neck" || name == "upperneck") && !skeleton.neck) skeleton.neck = index;
  }
}

std::span<const string_view> skeleton_names() {
  static constexpr auto kNames = [] {
    std::array<string_view, kFormatCount> names;
    std::ranges::transform(kFormats, names.begin(), &Format::name);
    return names;
  }();
  return kNames;
}

std::shared_ptr<const Skeleton> find_skeleton(string_view name) {
  static const auto skeletons = [] {
    std::array<std::shared_ptr<const Skeleton>, kFormatCount> made;
    std::ranges::transform(kFormats, made.begin(), make);
    return made;
  }();
  const auto found =
      std::ranges::find(skeletons, name, [](const auto& skeleton) { return string_view(skeleton->name); });
  return found == skeletons.end() ? nullptr : *found;
}

const Skeleton& coco17() {
  static const auto skeleton = find_skeleton("coco-17");
  return *skeleton;
}

const Skeleton& coco18() {
  static const auto skeleton = find_skeleton("coco-18");
  return *skeleton;
}

const Skeleton& body25() {
  static const auto skeleton = find_skeleton("body-25");
  return *skeleton;
}

std::span<const string_view, 17> coco17_camel_names() { return kCoco17Camel; }

}  // namespace posecam
