#pragma once
// The files that `posecam bench` writes.

#include <string>
#include <vector>

#include "app/bench/bench.h"
#include "models/core/result.h"
#include "pipeline/output/result_file.h"

namespace posecam {

/// Empty: not wanted. "-": standard output, for one at most.
struct BenchOutputs {
  std::string json;  ///< a file, as the others
  std::string csv;
  std::string html;
  std::string plot;  ///< ends in .svg or .png
  bool use_stdout() const { return json == "-" || csv == "-" || html == "-"; }
};

/// Open since before the measurement, so that hours of it are not for nothing; under their names once written.
class BenchFiles {
 public:
  /// kUsage, kOutput, or kMedia for a picture that cannot be drawn here. Then no .part is left.
  static Result<BenchFiles> open(const BenchOutputs& outputs);
  BenchFiles(BenchFiles&&) = default;
  BenchFiles& operator=(BenchFiles&&) = delete;
  BenchFiles(const BenchFiles&) = delete;
  BenchFiles& operator=(const BenchFiles&) = delete;
  /// What was not written leaves nothing behind.
  ~BenchFiles();

  /// Every file that can be; why the others cannot. Call it once.
  std::vector<Error> write(const BenchReport& report);

 private:
  using Render = Result<std::string> (*)(const BenchReport& report);
  struct Output {
    ResultFile file;
    Render render;
  };
  BenchFiles() = default;
  std::vector<Output> outputs_;
};

}  // namespace posecam
