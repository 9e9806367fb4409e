#pragma once
// One input on its way: starts its pipeline, understands its bus, finishes or gives up its outputs.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gst/gst.h>

#include "app/cli/summary.h"
#include "app/session/inputs.h"
#include "app/session/outputs.h"
#include "app/session/topology.h"
#include "models/core/result.h"

namespace posecam {

/// All functions on the thread that runs the main loop. Outputs have their final names when finished() without their
/// pipeline having failed; otherwise only what was complete before the failure has.
class Stream {
 public:
  /// `on_finished` is called once, from the main loop; `warn` gets lines for people.
  Stream(Topology topology, Input input, Outputs outputs, std::function<void()> on_finished,
         std::function<void(const std::string&)> warn);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Loads the model and opens files. Fails without on_finished.
  Result<void> open();
  /// Lets frames flow.
  void play();
  /// Ends the input here: what is under way is finished, files are completed. Nothing under way: gives up.
  void end_early();

  bool finished() const { return finished_; }
  /// The first failure, if there was one. What was decoded before a failure of the input has been kept.
  const std::optional<Error>& failure() const { return failure_; }
  /// True if the outputs have their final names.
  bool complete() const { return complete_; }
  StreamStats stats() const;
  /// Frames the whole input has, as far as it tells.
  std::optional<std::uint64_t> expected_frames() const;

  const Input& input() const { return input_; }
  const Outputs& outputs() const { return outputs_; }

 private:
  static gboolean on_message(GstBus* bus, GstMessage* message, gpointer self);
  void handle(GstMessage* message);
  void handle_error(GstMessage* message);
  void handle_warning(GstMessage* message);
  void handle_element_message(GstMessage* message);
  void push_end();
  void complete();
  void give_up();
  void finish();
  void fail(Error error);
  Error to_error(GstMessage* message) const;

  Topology topology_;
  Input input_;
  Outputs outputs_;
  std::function<void()> on_finished_;
  std::function<void(const std::string&)> warn_;
  guint watch_ = 0;
  std::optional<Error> failure_;
  bool ending_ = false;
  bool finished_ = false;
  bool complete_ = false;
  StreamStats last_;
};

}  // namespace posecam
