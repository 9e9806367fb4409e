#include "app/bench/bench_png.h"

#include <fmt/format.h>
#include <gst/gst.h>

#include "app/session/handles.h"

namespace posecam {

Result<std::string> render_png(const std::string& svg) {
  gst_init(nullptr, nullptr);
  GError* error = nullptr;
  GstElement* made = gst_parse_launch(
      "appsrc name=src caps=image/svg+xml ! rsvgdec ! videoconvert ! pngenc ! appsink name=sink sync=false", &error);
  if (error) {
    Error failure{Errc::kMedia, fmt::format("--plot FILE.png: {}; apt install gstreamer1.0-plugins-bad, or use .svg",
                                            error->message)};
    g_error_free(error);
    if (made) gst_object_unref(made);
    return failure;
  }
  const ElementPtr pipeline(made);
  const ElementPtr source(gst_bin_get_by_name(GST_BIN(made), "src"));
  const ElementPtr sink(gst_bin_get_by_name(GST_BIN(made), "sink"));
  gst_element_set_state(made, GST_STATE_PLAYING);
  GstBuffer* const in = gst_buffer_new_memdup(svg.data(), svg.size());
  GstFlowReturn flow = GST_FLOW_OK;
  g_signal_emit_by_name(source.get(), "push-buffer", in, &flow);
  gst_buffer_unref(in);
  g_signal_emit_by_name(source.get(), "end-of-stream", &flow);
  GstSample* sample = nullptr;
  g_signal_emit_by_name(sink.get(), "try-pull-sample", 30 * GST_SECOND, &sample);
  std::string png;
  if (sample) {
    GstBuffer* const out = gst_sample_get_buffer(sample);
    png.resize(gst_buffer_get_size(out));
    gst_buffer_extract(out, 0, png.data(), png.size());
    gst_sample_unref(sample);
  }
  gst_element_set_state(made, GST_STATE_NULL);
  if (png.empty()) return Error{Errc::kMedia, "--plot FILE.png: the picture could not be drawn; use .svg"};
  return png;
}

}  // namespace posecam
