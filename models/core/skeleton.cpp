#include "models/core/skeleton.h"

namespace posecam {
namespace {

using std::string_view;

// Order and PAF channels: OpenPose POSE_MAP_INDEX (poseParameters.cpp) for COCO and BODY_25; tf-pose's COCOPAIRS and
// COCOPAIRS_NET agree for COCO.
constexpr std::array<string_view, 18> kCoco18Parts{"Nose",   "Neck",   "RShoulder", "RElbow", "RWrist", "LShoulder",
                                                   "LElbow", "LWrist", "RHip",      "RKnee",  "RAnkle", "LHip",
                                                   "LKnee",  "LAnkle", "REye",      "LEye",   "REar",   "LEar"};
constexpr std::array<Limb, 19> kCoco18Limbs{{{1, 2, 12, 13},
                                             {1, 5, 20, 21},
                                             {2, 3, 14, 15},
                                             {3, 4, 16, 17},
                                             {5, 6, 22, 23},
                                             {6, 7, 24, 25},
                                             {1, 8, 0, 1},
                                             {8, 9, 2, 3},
                                             {9, 10, 4, 5},
                                             {1, 11, 6, 7},
                                             {11, 12, 8, 9},
                                             {12, 13, 10, 11},
                                             {1, 0, 28, 29},
                                             {0, 14, 30, 31},
                                             {14, 16, 34, 35},
                                             {0, 15, 32, 33},
                                             {15, 17, 36, 37},
                                             {2, 16, 18, 19, false},
                                             {5, 17, 26, 27, false}}};

constexpr std::array<string_view, 25> kBody25Parts{
    "Nose", "Neck",    "RShoulder", "RElbow", "RWrist",  "LShoulder", "LElbow", "LWrist", "MidHip",
    "RHip", "RKnee",   "RAnkle",    "LHip",   "LKnee",   "LAnkle",    "REye",   "LEye",   "REar",
    "LEar", "LBigToe", "LSmallToe", "LHeel",  "RBigToe", "RSmallToe", "RHeel"};
constexpr std::array<Limb, 26> kBody25Limbs{
    {{1, 8, 0, 1},     {1, 2, 14, 15},   {1, 5, 22, 23},   {2, 3, 16, 17},         {3, 4, 18, 19},
     {5, 6, 24, 25},   {6, 7, 26, 27},   {8, 9, 6, 7},     {9, 10, 2, 3},          {10, 11, 4, 5},
     {8, 12, 8, 9},    {12, 13, 10, 11}, {13, 14, 12, 13}, {1, 0, 30, 31},         {0, 15, 32, 33},
     {15, 17, 36, 37}, {0, 16, 34, 35},  {16, 18, 38, 39}, {2, 17, 20, 21, false}, {5, 18, 28, 29, false},
     {14, 19, 40, 41}, {19, 20, 42, 43}, {14, 21, 44, 45}, {11, 22, 46, 47},       {22, 23, 48, 49},
     {11, 24, 50, 51}}};

constexpr std::array<string_view, 17> kCoco17Parts{
    "nose",           "left_eye",   "right_eye",   "left_ear",   "right_ear",   "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip",      "left_knee",  "right_knee",  "left_ankle", "right_ankle"};
constexpr std::array<string_view, 17> kCoco17Camel{
    "nose",          "leftEye",   "rightEye",   "leftEar",   "rightEar",   "leftShoulder",
    "rightShoulder", "leftElbow", "rightElbow", "leftWrist", "rightWrist", "leftHip",
    "rightHip",      "leftKnee",  "rightKnee",  "leftAnkle", "rightAnkle"};
// The `skeleton` of COCO's person category (person_keypoints_val2017.json), zero-based.
constexpr std::array<Limb, 19> kCoco17Limbs{{{15, 13},
                                             {13, 11},
                                             {16, 14},
                                             {14, 12},
                                             {11, 12},
                                             {5, 11},
                                             {6, 12},
                                             {5, 6},
                                             {5, 7},
                                             {6, 8},
                                             {7, 9},
                                             {8, 10},
                                             {1, 2},
                                             {0, 1},
                                             {0, 2},
                                             {1, 3},
                                             {2, 4},
                                             {3, 5},
                                             {4, 6}}};

}  // namespace

const Skeleton& coco18() {
  static constexpr Skeleton kSkeleton{"coco-18",
                                      "body-pose/openpose-18",
                                      kCoco18Parts,
                                      kCoco18Limbs,
                                      {0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10}};
  return kSkeleton;
}

const Skeleton& body25() {
  static constexpr Skeleton kSkeleton{"body-25",
                                      "body-pose/openpose-25",
                                      kBody25Parts,
                                      kBody25Limbs,
                                      {0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11}};
  return kSkeleton;
}

const Skeleton& coco17() {
  static constexpr Skeleton kSkeleton{"coco-17",
                                      "body-pose/coco-17",
                                      kCoco17Parts,
                                      kCoco17Limbs,
                                      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  return kSkeleton;
}

const Skeleton* find_skeleton(std::string_view name) {
  for (const Skeleton* s : {&coco18(), &body25(), &coco17()}) {
    if (s->name == name) return s;
  }
  return nullptr;
}

std::span<const std::string_view, 17> coco17_camel_names() { return kCoco17Camel; }

}  // namespace posecam
