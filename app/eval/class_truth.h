#pragma once
// Which class each picture shows, as people write it down, and how often a classifier says so.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/eval/evaluation.h"
#include "models/core/result.h"

namespace posecam {

/// Pictures and, for each, the label id of its class.
struct ClassTruth {
  std::vector<EvalPicture> pictures;
  std::vector<int> label_ids;
};

/// Lines "PICTURE CLASS", as of ImageNet's val.txt; empty lines are skipped. The picture ends at the first tab, or if
/// there is none at the first space. The class is one of `labels`, or else a label id: they count from 0. kMedia with
/// `where` and the line.
Result<ClassTruth> parse_class_list(std::string_view text, const std::string& where,
                                    std::span<const std::string> labels);

/// A folder of folders, each called like a class (as above) and holding its pictures; what is hidden or no picture is
/// left out. kMedia with the folder.
Result<ClassTruth> read_class_folders(const std::filesystem::path& folder, std::span<const std::string> labels);

/// In [0,1].
struct ClassStats {
  double top1 = 0;  ///< part of the pictures whose likeliest class is the right one
  double top5 = 0;  ///< part of them with the right one among the five likeliest; less where the model tells fewer
};

/// `truth` has a picture or more, and `analysis` is of them.
ClassStats score_classes(const ClassTruth& truth, const Analysis& analysis);

}  // namespace posecam
