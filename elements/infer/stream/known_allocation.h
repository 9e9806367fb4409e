#pragma once
// What downstream said to an ALLOCATION query, for those that follow: GStreamer's decoders may ask before every frame,
// and an answer that had to come from downstream each time would let only one frame be under way.

#include <cstdint>
#include <memory>
#include <vector>

#include <gst/gst.h>

#include "models/core/own_mutex.h"

namespace posecam::gst {

/// Thread-safe.
class KnownAllocation {
 public:
  /// Fills in the answer to the query if it is known: to one of the same caps, and nothing changed since.
  bool answer(GstQuery* query) const;
  /// Before downstream is asked: what remember() wants to be told.
  std::uint64_t changes() const;
  /// Downstream has answered this, unless something changed after `changes`.
  void remember(GstQuery* answered, std::uint64_t changes);
  /// Downstream may answer differently from now on.
  void forget();

 private:
  struct ObjectUnref {
    void operator()(gpointer object) const { gst_object_unref(object); }
  };
  struct CapsUnref {
    void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  };
  struct StructureFree {
    void operator()(GstStructure* structure) const { gst_structure_free(structure); }
  };
  struct Pool {
    std::unique_ptr<GstBufferPool, ObjectUnref> pool;  ///< may be null
    guint size = 0;
    guint min = 0;
    guint max = 0;
  };
  struct Param {
    std::unique_ptr<GstAllocator, ObjectUnref> allocator;  ///< may be null
    GstAllocationParams params{};
  };
  struct Meta {
    GType api;
    std::unique_ptr<GstStructure, StructureFree> params;  ///< may be null
  };
  /// The parts of a query: gst_query_copy() would share them.
  struct Answer {
    std::unique_ptr<GstCaps, CapsUnref> caps;
    bool need_pool = false;
    std::vector<Pool> pools;
    std::vector<Param> params;
    std::vector<Meta> metas;
  };
  static std::shared_ptr<const Answer> read(GstQuery* query);

  mutable OwnMutex mutex_;  // never held while calling out
  std::shared_ptr<const Answer> known_;
  std::uint64_t changes_ = 0;
};

}  // namespace posecam::gst
