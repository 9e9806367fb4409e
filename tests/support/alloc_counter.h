#pragma once
// Counts heap allocations of the whole test program: link tests/support/alloc_counter.cpp into it.

#include <cstddef>

namespace posecam::test {

/// Calls of operator new since the program began, by all threads.
std::size_t allocation_count();

}  // namespace posecam::test
