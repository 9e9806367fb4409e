#pragma once
// The curves of a bench: throughput and latency against batch size, throughput against cores.

#include <string>

#include "app/bench/bench.h"

namespace posecam {

/// The curves as one SVG picture of 900 pixels width.
std::string bench_svg(const BenchReport& report);

/// One self-contained page (no script, nothing fetched) with table and curves, also for narrow screens.
std::string bench_page(const BenchReport& report);

}  // namespace posecam
