#include "postprocess/decode/paf/grouping.h"

#include <bitset>

namespace posecam {
namespace {

struct Matches {
  std::size_t first = 0;
  std::size_t second = 0;
  int count = 0;
};

Matches people_with(const LimbCandidate& limb, const Limb& ends, std::span<const GroupedPerson> people) {
  Matches found;
  for (std::size_t i = 0; i < people.size(); ++i) {
    if (people[i].peaks[ends.from] != limb.from && people[i].peaks[ends.to] != limb.to) continue;
    if (found.count == 0) found.first = i;
    if (found.count == 1) found.second = i;
    ++found.count;
  }
  return found;
}

bool share_a_part(const GroupedPerson& a, const GroupedPerson& b) {
  for (std::size_t part = 0; part < kMaxPafParts; ++part) {
    if (a.peaks[part] && b.peaks[part]) return true;
  }
  return false;
}

void absorb(GroupedPerson& person, const GroupedPerson& other, float limb_score) {
  for (std::size_t part = 0; part < kMaxPafParts; ++part) {
    if (other.peaks[part]) person.peaks[part] = other.peaks[part];
  }
  person.parts += other.parts;
  person.score_sum += other.score_sum + limb_score;
}

void extend(GroupedPerson& person, const LimbCandidate& limb, const Limb& ends, float peak_score) {
  person.peaks[ends.to] = limb.to;
  ++person.parts;
  person.score_sum += peak_score + limb.score;
}

void join(const LimbCandidate& limb, const Limb& ends, const PeakTable& peaks, std::vector<GroupedPerson>& people) {
  const Matches found = people_with(limb, ends, people);
  const float to_score = peaks.of(ends.to)[limb.to].score;
  if (found.count == 0 && ends.drawn) {
    GroupedPerson person;
    person.peaks[ends.from] = limb.from;
    person.peaks[ends.to] = limb.to;
    person.parts = 2;
    person.score_sum = peaks.of(ends.from)[limb.from].score + to_score + limb.score;
    people.push_back(person);
  } else if (found.count == 1) {
    GroupedPerson& person = people[found.first];
    if (person.peaks[ends.to] != limb.to) extend(person, limb, ends, to_score);
  } else if (found.count == 2) {
    GroupedPerson& person = people[found.first];
    if (share_a_part(person, people[found.second])) {
      extend(person, limb, ends, to_score);
    } else {
      absorb(person, people[found.second], limb.score);
      people.erase(people.begin() + static_cast<std::ptrdiff_t>(found.second));
    }
  }
}

}  // namespace

void Connections::select(std::size_t limb, std::vector<LimbCandidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const LimbCandidate& a, const LimbCandidate& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.from != b.from ? a.from < b.from : a.to < b.to;
  });
  std::bitset<PeakTable::kCapacity> from_taken;
  std::bitset<PeakTable::kCapacity> to_taken;
  for (const LimbCandidate& candidate : candidates) {
    if (from_taken[candidate.from] || to_taken[candidate.to]) continue;
    from_taken.set(candidate.from);
    to_taken.set(candidate.to);
    items_.push_back(candidate);
  }
  ends_[limb] = items_.size();
}

void group_people(const Skeleton& skeleton, const PeakTable& peaks, const Connections& connections,
                  const GroupingLimits& limits, std::vector<GroupedPerson>& people) {
  people.clear();
  for (std::size_t l = 0; l < skeleton.limbs.size(); ++l) {
    for (const LimbCandidate& limb : connections.of(l)) join(limb, skeleton.limbs[l], peaks, people);
  }
  std::erase_if(people, [&limits](const GroupedPerson& person) {
    return person.parts < limits.min_parts || !(person.score() >= limits.min_score);
  });
}

}  // namespace posecam
