#ifndef POSECAM_NEURONMETA_H
#define POSECAM_NEURONMETA_H
/*
 * What neuroninfer found in a frame, for applications in C or C++: `pkg-config --cflags --libs neuronmeta`.
 *
 *     GstNeuronResultMeta *meta = gst_buffer_get_neuron_result_meta (buffer);
 *     for (guint i = 0; i < gst_neuron_result_meta_get_n_people (meta); ++i) ...
 *
 * Coordinates are fractions of the picture: x from 0 (left edge) to 1 (right edge), y from 0 (top) to 1 (bottom). A
 * keypoint may lie a little outside, below 0 or above 1, where a network knows of a part beyond the edge. They
 * stay right when the video is scaled; the pixel is x * width, y * height of the caps where the buffer is read. Where
 * pixels are not square (pixel-aspect-ratio) these are pixels all the same: for distances multiply x by that ratio.
 *
 * People and objects are numbered from 0, the best score first; keypoints and limbs from 0 in the order of the
 * skeleton. A number beyond the last is answered with FALSE, NULL or 0. Every out parameter may be NULL; it is written
 * only when TRUE is returned. A NULL meta is a frame that nobody analysed: no people, no objects,
 * GST_NEURON_STATUS_UNANALYSED.
 *
 * Ownership: the meta belongs to its buffer and strings belong to the meta; both are valid while the buffer keeps the
 * meta, that is at least as long as you hold a reference on the buffer. Free nothing; copy (g_strdup) what must live
 * longer.
 *
 * Threads: every function may be called from any thread that holds a reference on the buffer. A result never changes.
 * No function allocates (but for the registration of the type, once) or waits.
 */

#include <gst/gst.h>

G_BEGIN_DECLS

/* NOLINTBEGIN(modernize-use-using, readability-identifier-naming): this is C, with the names of GObject. */

#if defined(__GNUC__)
#define GST_NEURON_META_API __attribute__((visibility("default"))) extern
#else
#define GST_NEURON_META_API extern
#endif

/* Opaque; begins with a GstMeta. Since: 0.1 */
typedef struct GstNeuronResultMeta GstNeuronResultMeta;

/* Whether the network saw the frame. Since: 0.1
 * ANALYSED: it did; no people means that it found nobody.
 * SKIPPED: left out on purpose (inference-interval, quality of service, a GAP buffer).
 * UNANALYSED: it could not be analysed (a failure of the device, a corrupted frame). */
typedef enum {
  GST_NEURON_STATUS_ANALYSED = 0,
  GST_NEURON_STATUS_SKIPPED = 1,
  GST_NEURON_STATUS_UNANALYSED = 2
} GstNeuronStatus;

/* The API type of the meta, "GstNeuronResultMetaAPI", with the tags video, orientation and size: for
 * gst_buffer_iterate_meta_filtered() and its like. Since: 0.1 */
#define GST_NEURON_RESULT_META_API_TYPE (gst_neuron_result_meta_api_get_type())
GST_NEURON_META_API GType gst_neuron_result_meta_api_get_type(void);

/* The result on a buffer (there is at most one), or NULL when no neuroninfer has seen it or an element on the way
 * dropped it. Since: 0.1 */
GST_NEURON_META_API GstNeuronResultMeta* gst_buffer_get_neuron_result_meta(GstBuffer* buffer);

/* ---- the frame ---- */

/* Since: 0.1 */
GST_NEURON_META_API GstNeuronStatus gst_neuron_result_meta_get_status(const GstNeuronResultMeta* meta);

/* Name of the network that ran ("openpose"); where two ran one after the other, of the one that found the people.
 * NULL for a NULL meta. Since: 0.1 */
GST_NEURON_META_API const gchar* gst_neuron_result_meta_get_model_name(const GstNeuronResultMeta* meta);

/* Name of the network that found the objects, or NULL when none looked for objects. Since: 0.1 */
GST_NEURON_META_API const gchar* gst_neuron_result_meta_get_detector_name(const GstNeuronResultMeta* meta);

/* The network that said what the whole picture shows; NULL when none did. Since: 0.1 */
GST_NEURON_META_API const gchar* gst_neuron_result_meta_get_classifier_name(const GstNeuronResultMeta* meta);

/* ---- the skeleton: how the keypoints of every person in this frame are numbered ---- */

/* "body-pose/openpose-18", "body-pose/coco-17" (docs/models.md has all); NULL when no network looked for keypoints.
 * Since: 0.1 */
GST_NEURON_META_API const gchar* gst_neuron_result_meta_get_keypoint_format(const GstNeuronResultMeta* meta);

/* Keypoints of a whole person, at most 133; 0 when no network looked for keypoints. Since: 0.1 */
GST_NEURON_META_API guint gst_neuron_result_meta_get_n_keypoints(const GstNeuronResultMeta* meta);

/* "Nose", "RShoulder" (in coco-17 "right_shoulder"). Right is the person's own right. Since: 0.1 */
GST_NEURON_META_API const gchar* gst_neuron_result_meta_get_keypoint_name(const GstNeuronResultMeta* meta,
                                                                          guint keypoint);

/* Limbs to draw: limb number `limb` is a line between two keypoints. Since: 0.1 */
GST_NEURON_META_API guint gst_neuron_result_meta_get_n_limbs(const GstNeuronResultMeta* meta);
GST_NEURON_META_API gboolean gst_neuron_result_meta_get_limb(const GstNeuronResultMeta* meta, guint limb,
                                                             guint* from_keypoint, guint* to_keypoint);

/* ---- people ---- */

/* Since: 0.1 */
GST_NEURON_META_API guint gst_neuron_result_meta_get_n_people(const GstNeuronResultMeta* meta);

/* Where a keypoint is, and its score in (0,1]; FALSE when it was not found. Since: 0.1 */
GST_NEURON_META_API gboolean gst_neuron_result_meta_get_keypoint(const GstNeuronResultMeta* meta, guint person,
                                                                 guint keypoint, gfloat* x, gfloat* y, gfloat* score);

/* Confidence in the person, comparable within one network only. Since: 0.1 */
GST_NEURON_META_API gfloat gst_neuron_result_meta_get_person_score(const GstNeuronResultMeta* meta, guint person);

/* The identity that a tracker gave; FALSE when none did. Since: 0.1 */
GST_NEURON_META_API gboolean gst_neuron_result_meta_get_person_id(const GstNeuronResultMeta* meta, guint person,
                                                                  gint64* id);

/* The box that the network, or the detector before it, gave the person; else the smallest one around the keypoints that
 * were found: corner (left, top) and extent, in fractions of the picture.
 * Since: 0.1 */
GST_NEURON_META_API gboolean gst_neuron_result_meta_get_person_box(const GstNeuronResultMeta* meta, guint person,
                                                                   gfloat* x, gfloat* y, gfloat* width, gfloat* height);

/* ---- objects ---- */

/* Since: 0.1 */
GST_NEURON_META_API guint gst_neuron_result_meta_get_n_objects(const GstNeuronResultMeta* meta);

/* "person", "car"; NULL when the network has no name for it. Since: 0.1 */
GST_NEURON_META_API const gchar* gst_neuron_result_meta_get_object_label(const GstNeuronResultMeta* meta, guint object);

/* Confidence in (0,1]. Since: 0.1 */
GST_NEURON_META_API gfloat gst_neuron_result_meta_get_object_score(const GstNeuronResultMeta* meta, guint object);

/* As for people. Since: 0.1 */
GST_NEURON_META_API gboolean gst_neuron_result_meta_get_object_id(const GstNeuronResultMeta* meta, guint object,
                                                                  gint64* id);
GST_NEURON_META_API gboolean gst_neuron_result_meta_get_object_box(const GstNeuronResultMeta* meta, guint object,
                                                                   gfloat* x, gfloat* y, gfloat* width, gfloat* height);

/* ---- classes of the whole picture, the likeliest first ---- */

/* Since: 0.1 */
GST_NEURON_META_API guint gst_neuron_result_meta_get_n_classes(const GstNeuronResultMeta* meta);

/* "tabby", "cheeseburger"; NULL when the network has no name for it. Since: 0.1 */
GST_NEURON_META_API const gchar* gst_neuron_result_meta_get_class_label(const GstNeuronResultMeta* meta, guint number);

/* Probability in (0,1]. Since: 0.1 */
GST_NEURON_META_API gfloat gst_neuron_result_meta_get_class_score(const GstNeuronResultMeta* meta, guint number);

/* NOLINTEND(modernize-use-using, readability-identifier-naming) */

G_END_DECLS

#endif
