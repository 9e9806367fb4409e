#include "app/eval/evaluation.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/pictures/picture.h"
#include "app/session/spec.h"
#include "models/core/file.h"
#include "pipeline/engine/region_gather.h"
#include "pipeline/image/preprocess.h"
#include "postprocess/draw/regions.h"

namespace posecam {
namespace {

using Clock = std::chrono::steady_clock;

// Keeps each result at the index of its image, which is its ticket.
class Collector final : public RowClient {
 public:
  explicit Collector(std::size_t images) : results_(images) {}

  void row_done(Ticket ticket, std::shared_ptr<FrameResult> result) override {
    // Notified with the lock held: the waiter may destroy this as soon as it sees the last result.
    const std::lock_guard lock(mutex_);
    results_[static_cast<std::size_t>(ticket)] = std::move(result);
    ++done_;
    if (done_ == results_.size()) complete_.notify_one();
  }

  std::vector<std::shared_ptr<const FrameResult>> wait() {
    std::unique_lock lock(mutex_);
    complete_.wait(lock, [&] { return done_ == results_.size(); });
    return std::move(results_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable complete_;
  std::vector<std::shared_ptr<const FrameResult>> results_;
  std::size_t done_ = 0;
};

// Annotations count the pixels as they are stored, whatever orientation a camera noted beside them.
Result<cv::Mat> read_image(const std::filesystem::path& path, Size annotated) {
  auto picture = read_picture(path, Turn::kAsStored);
  if (!picture) {
    return Error{Errc::kMedia, picture.error().message + "; put it right or leave it out of the annotations"};
  }
  const cv::Mat& image = picture->pixels;
  if (annotated != Size{} && annotated != Size{image.cols, image.rows}) {
    return Error{Errc::kMedia,
                 fmt::format("{}: the image has {}x{} pixels and its annotation {}x{}; evaluate the images "
                             "that were annotated",
                             path.string(), image.cols, image.rows, annotated.width, annotated.height)};
  }
  return image;
}

ImageView view_of(const cv::Mat& image) {
  ImageView view;
  view.format = PixelFormat::kBgr;
  view.width = image.cols;
  view.height = image.rows;
  view.planes[0] = image.data;
  view.strides[0] = static_cast<std::ptrdiff_t>(image.step[0]);
  return view;
}

using Letterboxes = std::function<Letterbox(Preprocessor&, MutableTensorView)>;

/// A row of the engine, filled by `write`.
Result<void> feed(Engine& engine, Preprocessor& preprocessor, const Letterboxes& write,
                  std::shared_ptr<RowClient> client, Ticket ticket) {
  auto row = engine.reserve({});
  if (!row) return row.error();
  const auto start = Clock::now();
  const Letterbox letterbox = write(preprocessor, row->input());
  const std::chrono::duration<float, std::milli> took = Clock::now() - start;
  row->commit(std::move(client), ticket, letterbox, took.count());
  return {};
}

using Feed = std::function<Result<void>(Preprocessor&, const ImageView&, const std::shared_ptr<Collector>&, Ticket)>;

/// Every picture as `feed` hands it to the engine.
Result<Analysis> go_through(std::span<const EvalPicture> pictures, const std::filesystem::path& folder, Engine& engine,
                            const std::function<void(std::size_t done)>& progress, const Feed& feed) {
  Analysis analysis;
  const auto collector = std::make_shared<Collector>(pictures.size());
  Preprocessor preprocessor(engine.model().input);
  const auto start = Clock::now();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    progress(i);
    auto image = read_image(folder / pictures[i].file, pictures[i].annotated);
    if (!image) return std::move(image).error();
    analysis.sizes.push_back({image->cols, image->rows});
    if (auto fed = feed(preprocessor, view_of(*image), collector, i); !fed) return fed.error();
  }
  engine.drain();
  analysis.results = collector->wait();
  analysis.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (analysis.results[i]->status == FrameStatus::kAnalysed) continue;
    return Error{Errc::kDevice, fmt::format("{}: could not be analysed by {}; see the log above, or choose another "
                                            "--device",
                                            (folder / pictures[i].file).string(), engine.backend_name())};
  }
  return analysis;
}

std::vector<Region> regions_of(const FrameResult& found, const ModelSpec& model, Size image) {
  std::vector<Region> regions;
  for (const Detection& object : found.detections) {
    if (found.label_of(object) != kDetectedClass) continue;
    auto region = region_for(model, in_whole_pixels(object.box, image), image, 1);
    if (!region) continue;
    region->score = object.score;
    regions.push_back(*region);
  }
  return regions;
}

Result<void> feed_people(Engine& engine, Preprocessor& preprocessor, const ImageView& image,
                         std::span<const Region> people, std::uint32_t left_out,
                         const std::shared_ptr<Collector>& collector, Ticket ticket) {
  auto whole = engine.empty_result(people.empty() ? FrameStatus::kAnalysed : FrameStatus::kUnanalysed);
  whole->left_out = left_out;
  if (people.empty()) {
    collector->row_done(ticket, std::move(whole));
    return {};
  }
  const auto gather = std::make_shared<RegionGather>(collector);
  gather->start(people, {image.width, image.height}, std::move(whole));
  for (Ticket i = 0; i < people.size(); ++i) {
    const auto write = [&](Preprocessor& to, MutableTensorView row) { return write_region(to, image, people[i], row); };
    if (auto fed = feed(engine, preprocessor, write, gather, i); !fed) return fed;
  }
  gather->finish(ticket);
  return {};
}

}  // namespace

Result<std::string> read_media(const std::filesystem::path& path) {
  auto bytes = read_file(path);
  if (bytes) return bytes;
  return Error{Errc::kMedia,
               fmt::format("{}: cannot be read: {}; check the path", path.string(), bytes.error().message)};
}

Result<Analysis> analyse_pictures(std::span<const EvalPicture> pictures, const std::filesystem::path& folder,
                                  Engine& engine, const std::function<void(std::size_t done)>& progress) {
  return go_through(pictures, folder, engine, progress,
                    [&](Preprocessor& preprocessor, const ImageView& image, const auto& collector, Ticket ticket) {
                      const auto write = [&](Preprocessor& to, MutableTensorView row) { return to.write(image, row); };
                      return feed(engine, preprocessor, write, collector, ticket);
                    });
}

Result<Analysis> analyse_people(std::span<const EvalPicture> pictures, const std::filesystem::path& folder,
                                Engine& detector, Engine& engine, std::int32_t max_people,
                                const std::function<void(std::size_t done)>& progress) {
  auto found = analyse_pictures(pictures, folder, detector, progress);
  if (!found) return found;
  auto analysis = go_through(
      pictures, folder, engine, [&](std::size_t done) { progress(pictures.size() + done); },
      [&](Preprocessor& preprocessor, const ImageView& image, const auto& collector, Ticket ticket) {
        auto people = regions_of(*found->results[ticket], engine.model(), {image.width, image.height});
        const auto left_out = keep_surest(people, static_cast<std::size_t>(max_people));
        return feed_people(engine, preprocessor, image, people, left_out, collector, ticket);
      });
  if (analysis) analysis->seconds += found->seconds;
  return analysis;
}

}  // namespace posecam
