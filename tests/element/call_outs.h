#pragma once
// Every call that the elements under test make into GStreamer and that may call back into them (call_outs.cpp stands in
// for those functions): the program aborts when one is made with a lock of ours held.

#include <cstdint>

namespace posecam::test {

/// So many were made so far.
std::uint64_t call_outs();

}  // namespace posecam::test
