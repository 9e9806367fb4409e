#pragma once
// What is under way between the two sides of the element: frames, events and queries of one stream, in one order.

#include <chrono>
#include <memory>
#include <utility>
#include <variant>

#include "elements/base/handles.h"
#include "elements/infer/stream/query_relay.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/sequencer.h"

namespace posecam::gst {

/// One frame, from its arrival to the push downstream.
struct InferFrame {
  using Clock = std::chrono::steady_clock;
  BufferPtr buffer;                     ///< as it came
  Size size;                            ///< of the picture, pixels
  Clock::time_point arrived;            ///< at the sink pad
  Clock::time_point done;               ///< when its result was there
  std::shared_ptr<FrameResult> result;  ///< nobody else has it before it rides on the buffer
};

/// What takes a place in the stream.
using InferItem = std::variant<InferFrame, EventPtr, QueryPlace>;

/// Where results of this stream arrive. The engine may hold it longer than the element.
struct InferStream final : RowClient {
  Sequencer<InferItem> items{1};  // until an engine says how many keep it busy

  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    items.complete(ticket, [&](InferItem& item) {
      auto& frame = std::get<InferFrame>(item);
      frame.result = std::move(result);
      frame.done = InferFrame::Clock::now();
    });
  }
};

}  // namespace posecam::gst
