#pragma once
// The keypoint document of motion-analysis services: one person, frame by frame. Which person it is can only be said
// at the end of the clip, so the people of all frames are remembered, in 80 bytes each.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/spec/frame_result.h"

namespace posecam {

/// People are linked from frame to frame, nearest pair first, by the mean distance of the parts both frames have, with
/// the earlier pose moved on at its last speed. The person of the clip is the chain with the largest sum over its
/// frames of size x centrality: the one who is large, central and there throughout.
///
/// One per clip; one thread at a time. Memory: 80 bytes a person and frame, at most kMaxPeople (the largest) a frame.
class MotionDocument {
 public:
  static constexpr std::size_t kMaxPeople = 8;  ///< of a frame

  /// The next frame of the clip, in order; `size` in pixels, > 0. Frames that were not analysed count as empty.
  void add(Size size, const FrameResult& result);

  /// Appends the whole document: a list with an object a frame, part name (COCO-17 in camelCase) -> [x, y] in whole
  /// pixels inside the frame. Parts not found are left out; a frame without the person, or that was not analysed, is
  /// {}: the place in the list is the frame's number.
  void append_to(std::string& out) const;

 private:
  struct Part {
    std::uint16_t x = 0;
    std::uint16_t y = 0;
  };
  struct Person {
    std::array<Part, 17> parts{};
    std::uint32_t found = 0;  ///< bit k: part k was found
    std::uint32_t frame = 0;
    std::uint32_t chain = 0;
  };
  struct Chain {
    std::uint32_t id = 0;
    Person last;
    Point speed;  ///< pixels a frame, of the centre
  };
  struct Link {
    float distance = 0;
    std::uint32_t chain = 0;   ///< index into active_
    std::uint32_t person = 0;  ///< index into people_
  };

  static std::optional<Person> person_of(const Pose& pose, const Skeleton& skeleton, Size size);
  static Box box_of(const Person& person);
  static std::optional<float> distance(const Chain& chain, const Person& person);
  void collect(Size size, const FrameResult& result);
  void link(std::size_t first_person);
  void follow(Chain& chain, const Person& person);
  std::optional<std::uint32_t> best_chain() const;

  std::uint32_t frames_ = 0;
  std::vector<Person> people_;  ///< of all frames, in order
  std::vector<double> scores_;  ///< by chain
  std::vector<Chain> active_;   ///< those seen lately
  std::vector<Link> links_;     ///< scratch
};

}  // namespace posecam
