#pragma once
// posecam eval: COCO keypoint accuracy of a model on annotated images, or of a results file.

namespace CLI {
class App;
}  // namespace CLI

namespace posecam {

/// Adds `eval`. When it has run, `exit_code` (must outlive the parsing) is its result; failures are one line on stderr.
void add_eval_command(CLI::App& app, int& exit_code);

}  // namespace posecam
