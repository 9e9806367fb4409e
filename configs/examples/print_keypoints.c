/* Prints where the keypoints of everybody in a video are, frame by frame, in pixels.
 *
 *     cc print_keypoints.c -o print_keypoints $(pkg-config --cflags --libs neuronmeta)
 *     ./print_keypoints clip.mp4 [MODEL]
 */
#include <posecam/neuronmeta.h>

#include <gst/video/video.h>

static const char* kPipeline =
    "filesrc name=file ! decodebin ! videoconvert ! neuroninfer name=infer ! fakesink name=sink signal-handoffs=true";

static void print_frame(GstElement* sink, GstBuffer* buffer, GstPad* pad, gpointer unused) {
  GstNeuronResultMeta* meta = gst_buffer_get_neuron_result_meta(buffer);
  GstCaps* caps = gst_pad_get_current_caps(pad);
  GstVideoInfo info;
  guint person, keypoint;
  gfloat x, y, score;
  (void)sink, (void)unused;
  if (gst_video_info_from_caps(&info, caps)) {
    for (person = 0; person < gst_neuron_result_meta_get_n_people(meta); ++person) {
      for (keypoint = 0; keypoint < gst_neuron_result_meta_get_n_keypoints(meta); ++keypoint) {
        if (!gst_neuron_result_meta_get_keypoint(meta, person, keypoint, &x, &y, &score)) continue; /* not seen */
        g_print("%" GST_TIME_FORMAT " person %u %s %.1f %.1f %.2f\n", GST_TIME_ARGS(GST_BUFFER_PTS(buffer)), person,
                gst_neuron_result_meta_get_keypoint_name(meta, keypoint), x * info.width, y * info.height, score);
      }
    }
  }
  gst_caps_unref(caps);
}

int main(int argc, char** argv) {
  GError* error = NULL;
  gst_init(&argc, &argv);
  if (argc < 2) {
    g_printerr("usage: %s VIDEO [MODEL]\n", argv[0]);
    return 2;
  }
  GstElement* pipeline = gst_parse_launch(kPipeline, &error);
  if (error) {
    g_printerr("%s\n", error->message);
    return 1;
  }
  gst_child_proxy_set(GST_CHILD_PROXY(pipeline), "file::location", argv[1], "infer::model", argc > 2 ? argv[2] : "",
                      "sink::sync", FALSE, NULL);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  g_signal_connect(sink, "handoff", G_CALLBACK(print_frame), NULL);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);

  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* last = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE(last) == GST_MESSAGE_ERROR) gst_message_parse_error(last, &error, NULL);
  if (error) g_printerr("%s\n", error->message);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_message_unref(last);
  gst_object_unref(bus);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  return error ? 1 : 0;
}
