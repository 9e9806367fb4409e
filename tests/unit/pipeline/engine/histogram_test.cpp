#include "pipeline/engine/histogram.h"

#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(Histogram, HasTheQuantilesOfItsValues) {
  Histogram times;
  EXPECT_EQ(times.quantile(0.5), 0) << "empty";
  for (int ms = 1000; ms > 0; --ms) times.add(static_cast<float>(ms));
  EXPECT_EQ(times.count(), 1000U);
  for (const double q : {0.01, 0.5, 0.9, 0.99, 1.0}) EXPECT_NEAR(times.quantile(q) / (1000 * q), 1, 0.026) << q;
  EXPECT_NEAR(times.quantile(0), 1, 0.026) << "the least";
}

TEST(Histogram, OfTwoIsThatOfTheirValuesTogether) {
  Histogram fast;
  Histogram slow;
  for (int i = 0; i < 90; ++i) fast.add(2);
  for (int i = 0; i < 10; ++i) slow.add(300);
  fast.add(slow);
  EXPECT_EQ(fast.count(), 100U);
  EXPECT_NEAR(fast.quantile(0.9) / 2, 1, 0.026);
  EXPECT_NEAR(fast.quantile(0.91) / 300, 1, 0.026);
}

TEST(Histogram, TakesWhatItCannotTellApartForItsLeastOrMost) {
  Histogram times;
  for (const float ms : {-1.0F, 0.0F, 1e-6F}) times.add(ms);
  EXPECT_NEAR(times.quantile(1) / 1e-3, 1, 0.026);
  times.add(1e9F);
  EXPECT_NEAR(times.quantile(1) / 6e5, 1, 0.026);
}

}  // namespace
}  // namespace posecam
