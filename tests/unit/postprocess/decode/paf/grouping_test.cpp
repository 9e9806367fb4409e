#include "postprocess/decode/paf/grouping.h"

#include <gtest/gtest.h>

#include "models/core/skeleton.h"

namespace posecam {
namespace {

// COCO-18 limbs and parts by name, for reading.
constexpr std::size_t kNeckRShoulder = 0;
constexpr std::size_t kRShoulderRElbow = 2;
constexpr std::size_t kNeckNose = 12;
constexpr std::size_t kNoseREye = 13;
constexpr std::size_t kREyeREar = 14;
constexpr std::size_t kRShoulderREar = 17;
constexpr std::size_t kNose = 0;
constexpr std::size_t kREar = 16;

struct Fixture {
  PeakTable peaks;
  std::array<std::vector<LimbCandidate>, 19> limbs;

  Fixture() {
    for (std::size_t part = 0; part < 18; ++part) {
      peaks.add(part, {1, 1, 0.5F});
      peaks.add(part, {9, 1, 0.5F});
    }
  }

  std::vector<GroupedPerson> group(const GroupingLimits& limits) {
    Connections connections;
    connections.clear();
    for (std::size_t l = 0; l < limbs.size(); ++l) connections.select(l, limbs[l]);
    std::vector<GroupedPerson> people;
    group_people(coco18(), peaks, connections, limits, people);
    return people;
  }
};

constexpr GroupingLimits kKeepAll{1, 0};

TEST(Grouping, BetterCandidateTakesThePeakFirst) {
  Fixture f;
  f.limbs[kNeckRShoulder] = {{0, 0, 0.4F}, {0, 1, 0.9F}, {1, 1, 0.8F}, {1, 0, 0.1F}};
  const auto people = f.group(kKeepAll);
  ASSERT_EQ(people.size(), 2U);
  EXPECT_EQ(people[0].peaks[2], 1);
  EXPECT_EQ(people[1].peaks[2], 0);
}

TEST(Grouping, LimbsThatShareAPeakAreOnePerson) {
  Fixture f;
  f.limbs[kNeckRShoulder] = {{0, 0, 0.5F}};
  f.limbs[kRShoulderRElbow] = {{0, 1, 0.5F}};
  const auto people = f.group(kKeepAll);
  ASSERT_EQ(people.size(), 1U);
  EXPECT_EQ(people[0].parts, 3);
  EXPECT_FLOAT_EQ(people[0].score_sum, 3 * 0.5F + 2 * 0.5F);
}

TEST(Grouping, LimbBetweenTwoPartialPeopleJoinsThem) {
  Fixture f;
  f.limbs[kNeckRShoulder] = {{0, 0, 0.5F}};
  f.limbs[kNoseREye] = {{0, 0, 0.5F}};
  f.limbs[kREyeREar] = {{0, 0, 0.5F}};
  f.limbs[kRShoulderREar] = {{0, 0, 0.5F}};
  const auto people = f.group(kKeepAll);
  ASSERT_EQ(people.size(), 1U);
  EXPECT_EQ(people[0].parts, 5);
}

// The nose of the first person is peak 0 of part 0: pafprocess.cpp tests its id with `> 0`, finds no part that both
// have, and makes one person of the two.
TEST(Grouping, PeopleWhoBothHaveANoseStayTwoThoughOneIsPeakZero) {
  Fixture f;
  f.limbs[kNeckRShoulder] = {{0, 0, 0.5F}};
  f.limbs[kNeckNose] = {{0, 1, 0.5F}};
  f.limbs[kNoseREye] = {{0, 0, 0.5F}};
  f.limbs[kREyeREar] = {{0, 0, 0.5F}};
  f.limbs[kRShoulderREar] = {{0, 0, 0.5F}};
  const auto people = f.group(kKeepAll);
  ASSERT_EQ(people.size(), 2U);
  EXPECT_EQ(people[0].peaks[kNose], 1);
  EXPECT_EQ(people[1].peaks[kNose], 0);
  EXPECT_EQ(people[0].peaks[kREar], 0);
}

TEST(Grouping, ScoringLimbStartsNobody) {
  Fixture f;
  f.limbs[kRShoulderREar] = {{0, 0, 0.9F}};
  EXPECT_TRUE(f.group(kKeepAll).empty());
}

TEST(Grouping, DropsPeopleOfTooFewPartsOrTooLowScore) {
  Fixture f;
  f.limbs[kNeckRShoulder] = {{0, 0, 0.5F}};
  f.limbs[kRShoulderRElbow] = {{0, 0, 0.5F}};
  EXPECT_EQ(f.group({3, 0.3F}).size(), 1U);
  EXPECT_TRUE(f.group({4, 0.3F}).empty());
  EXPECT_TRUE(f.group({3, 0.9F}).empty());
}

TEST(PeakTable, KeepsTheBestOfAFullPartInScanOrder) {
  PeakTable peaks;
  const int count = 3 * static_cast<int>(PeakTable::kCapacity);
  for (int i = 0; i < count; ++i) peaks.add(4, {static_cast<float>(i), 0, static_cast<float>(i % 3)});
  peaks.finish(4);
  ASSERT_EQ(peaks.of(4).size(), PeakTable::kCapacity);
  for (std::size_t i = 0; i < PeakTable::kCapacity; ++i) {
    EXPECT_EQ(peaks.of(4)[i].score, 2);
    EXPECT_EQ(peaks.of(4)[i].x, static_cast<float>(3 * i + 2));
  }
}

}  // namespace
}  // namespace posecam
