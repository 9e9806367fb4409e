#include "pipeline/backend/host_memory.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <gtest/gtest.h>

namespace posecam {
namespace {

TEST(HostMemory, BeginsOnACacheLineAndIsZero) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{1000}}) {
    const HostMemory memory(bytes);
    ASSERT_NE(memory.data(), nullptr) << bytes;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 64, 0U) << bytes;
    EXPECT_TRUE(std::all_of(memory.data(), memory.data() + bytes, [](std::byte b) { return b == std::byte{}; }));
  }
}

TEST(HostMemory, MovesWithItsContent) {
  HostMemory from(3);
  from.data()[2] = std::byte{7};
  const std::byte* const where = from.data();
  const HostMemory to = std::move(from);
  EXPECT_EQ(to.data(), where);
  EXPECT_EQ(to.data()[2], std::byte{7});
  EXPECT_EQ(HostMemory().data(), nullptr);
}

}  // namespace
}  // namespace posecam
