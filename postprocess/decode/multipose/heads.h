#pragma once
// The maps of a network that finds people by their centres ("CenterNet", Zhou et al. 2019, "Objects as Points") ->
// people in cells of those maps, by the steps that MoveNet's published graphs take behind them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "postprocess/decode/multipose/best_few.h"

namespace posecam {

/// One f32 map of height x width cells with some channels, in either order of dimensions. Borrowed.
struct HeadMap {
  const float* data = nullptr;
  std::size_t cell_step = 1;     ///< values from a cell to the next of its row; rows follow each other
  std::size_t channel_step = 1;  ///< values from a channel to the next

  float at(std::size_t cell, std::size_t channel) const { return data[cell * cell_step + channel * channel_step]; }
};

/// All maps of one frame. Values of "probabilities" are behind the sigmoid; above 1 they count as 1. Pairs are (y, x).
/// Any content.
struct Heads {
  HeadMap centers;      ///< 1 channel: probability that a person's centre is here
  HeadMap regressions;  ///< a pair a part: from the centre's cell to about where the part is, in cells
  HeadMap heatmaps;     ///< a channel a part: probability that one is here, whoever has it
  HeadMap offsets;      ///< a pair a part: from its cell to where exactly it is
  HeadMap box_sizes;    ///< 2 channels: height and width of the person's box in cells; not looked at for kOne
  HeadMap box_offsets;  ///< 2 channels: from the centre's cell to the middle of that box; likewise
  int width = 0;        ///< cells
  int height = 0;       ///< likewise
};

/// A place in cells, fractions allowed. Not finite where a network says so.
struct HeadPoint {
  float y = 0;
  float x = 0;
};

/// A part that was found.
struct HeadPart {
  HeadPoint at;
  float score = 0;  ///< (0,1]; 0: it was not found
};

/// A person that was found.
struct HeadPerson {
  float score = 0;     ///< [0,1]
  HeadPoint box_from;  ///< corners, within the map; kMany only
  HeadPoint box_to;
  std::span<const HeadPart> parts;  ///< in the order of the network's channels
};

/// How many people the network was made for; that decides every step.
enum class HeadPeople : std::uint8_t {
  /// As MoveNet MultiPose v1: centres are maxima of 5x5 cells. A part is where its heatmap times exp(-d^2 / (0.3 * the
  /// map's shorter side)) is largest within the person's box, d cells from the regressed place. That product is the
  /// part's score, with the d of whichever person is nearest, if several have the cell in their boxes. A person's score
  /// is the centre's times the mean of the parts' above 0.127.
  kMany,
  /// As MoveNet SinglePose v4: the centre is the largest probability / (distance from the map's middle + 1.8), a part
  /// the largest probability / (distance from the regressed place + 1.8), with that probability as its score. The
  /// person's score is the mean of all parts'.
  kOne,
};

/// One worker's. Nothing is allocated after construction. The work is bounded by the cells of the map for each person
/// and part, and usually some dozens: cells too far away to win are not looked at.
class HeadDecoder {
 public:
  /// `least_center`: lower probabilities of centres are not looked at; `most_people` is 1 for kOne.
  HeadDecoder(HeadPeople people, std::size_t parts, float least_center, std::size_t most_people);

  /// The people of one frame, the most probable centre first; valid until the next call.
  std::span<const HeadPerson> decode(const Heads& heads);

 private:
  /// Cells from (y0, x0) to before (y1, x1).
  struct Window {
    int y0 = 0;
    int x0 = 0;
    int y1 = 0;
    int x1 = 0;
    bool empty() const { return y0 >= y1 || x0 >= x1; }
  };
  struct Hit {
    float value = 0;
    std::size_t cell = 0;
  };

  void find_centers(const Heads& heads);
  void find_center(const Heads& heads);
  void place(const Heads& heads, std::size_t cell, std::size_t person);
  float weight(float squared_distance) const;
  float reach(float value) const;
  Hit best_cell(const Heads& heads, std::size_t part, HeadPoint near, const Window& within) const;
  void scan(const Heads& heads, std::size_t part, HeadPoint near, const Window& window, Hit& hit) const;
  float claim(const Heads& heads, std::size_t part, std::size_t cell) const;
  void score(HeadPerson& person, std::span<const HeadPart> parts, float center) const;

  HeadPeople kind_;
  std::size_t part_count_;
  float least_center_;
  BestFew centers_;
  float variance_ = 1;  // cells^2
  std::vector<HeadPerson> people_;
  std::vector<Window> boxes_;         // where the parts of each person are looked for
  std::vector<HeadPoint> regressed_;  // part_count_ for each person
  std::vector<HeadPart> parts_;       // likewise
};

}  // namespace posecam
