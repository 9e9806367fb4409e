// What a device or a client throws ends with a worker's turn.

#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/core/finite.h"
#include "pipeline/engine/engine.h"
#include "tests/unit/pipeline/engine/engine_harness.h"

namespace posecam {
namespace {

using test::Collector;
using test::fake_model;
using test::FakeBackend;
using test::make_engine;
using test::submit;
using namespace std::chrono_literals;

/// A client that cannot take a result, for want of memory say; the others are told.
class ThrowingClient final : public RowClient {
 public:
  void row_done(Ticket, std::shared_ptr<FrameResult>) override { throw std::bad_alloc(); }
};

TEST(Engine, AnExceptionOfAClientLeavesTheOtherRowsOfItsBatchUnanalysedAndFailsTheEngine) {
  auto engine = make_engine(4, {.cores = 1, .on_run = {}}, {.max_batch_delay = 1h});
  auto client = std::make_shared<Collector>();
  ASSERT_TRUE(submit(*engine, client, 0, 7));
  ASSERT_TRUE(submit(*engine, std::make_shared<ThrowingClient>(), 1, 7));
  ASSERT_TRUE(submit(*engine, client, 2, 7));
  ASSERT_TRUE(submit(*engine, client, 3, 7));
  const auto results = client->wait_for(3);
  EXPECT_EQ(results.at(0)->status, FrameStatus::kAnalysed) << "decoded before";
  EXPECT_EQ(results.at(2)->status, FrameStatus::kUnanalysed);
  EXPECT_EQ(results.at(3)->status, FrameStatus::kUnanalysed);
  EXPECT_TRUE(results.at(3)->model);
  const auto refused = engine->reserve({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kDevice);
  EXPECT_EQ(refused.error().message, "device fake: std::bad_alloc");
  EXPECT_EQ(engine->first_refusal(), "device fake: std::bad_alloc");
}

/// A slot whose outputs cannot be had, once the network has run.
class ThrowingBackend final : public InferenceBackend {
 public:
  std::string_view name() const override { return "throwing"; }
  std::vector<CoreId> cores() const override { return fake_.cores(); }
  Result<std::unique_ptr<Slot>> make_slot(const ModelSpec& spec, CoreId core) override {
    auto slot = fake_.make_slot(spec, core);
    if (!slot) return slot.error();
    return std::unique_ptr<Slot>(std::make_unique<ThrowingSlot>(std::move(*slot)));
  }

 private:
  class ThrowingSlot final : public Slot {
   public:
    explicit ThrowingSlot(std::unique_ptr<Slot> slot) : slot_(std::move(slot)) {}
    MutableTensorView input() override { return slot_->input(); }
    TensorView output(std::size_t i) const override {
      if (ran_) throw std::runtime_error("no outputs");
      return slot_->output(i);
    }
    Result<void> run(std::uint32_t frames) override {
      ran_ = true;
      return slot_->run(frames);
    }

   private:
    std::unique_ptr<Slot> slot_;
    bool ran_ = false;
  };
  FakeBackend fake_{{.cores = 1, .on_run = {}}};
};

TEST(Engine, AnExceptionOnAWorkerMakesItsBatchUnanalysedAndFailsTheEngine) {
  auto engine = Engine::create(std::make_unique<ThrowingBackend>(), std::make_shared<const ModelSpec>(fake_model(3)),
                               {.max_batch_delay = 1h});
  ASSERT_TRUE(engine) << engine.error().message;
  auto client = std::make_shared<Collector>();
  for (Ticket t = 0; t < 3; ++t) ASSERT_TRUE(submit(**engine, client, t, 7));
  for (const auto& [ticket, result] : client->wait_for(3)) EXPECT_EQ(result->status, FrameStatus::kUnanalysed);
  const auto refused = (*engine)->reserve({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "device throwing: no outputs");
}

/// Cannot make anything of the outputs of a frame of the value 13, or throws at them.
struct SuperstitiousDecoder final : Decoder {
  explicit SuperstitiousDecoder(bool loud) : throws(loud) {}
  bool throws;

  std::string describe() const override { return "superstitious"; }
  Result<std::unique_ptr<Postprocessor>> make(const ModelSpec&, const DecodeOptions&) const override {
    return std::unique_ptr<Postprocessor>(std::make_unique<Work>(throws));
  }

 private:
  struct Work final : Postprocessor {
    explicit Work(bool loud) : throws(loud) {}
    bool throws;

    Result<void> check(std::span<const TensorView>) const override { return {}; }
    Result<void> run(std::span<const TensorView> outputs, const Letterbox&, FrameResult& result) override {
      const float width = std::exp(outputs[0].as<float>()[2]) * test::kFakeRange;
      result.detections.clear();
      if (std::lround(width) != 13) return {};
      if (throws) throw std::runtime_error("thirteen");
      return Error{Errc::kModel, "thirteen"};
    }
  };
};

TEST(Engine, AFrameOfWhichTheNetworkSaysNaNOrInfinityIsUnanalysedAndItsNeighboursAreNot) {
  constexpr int kInfinite = 2;
  constexpr int kNaN = 3;
  test::FakeNetwork network = test::one_detection();
  network.run = [of = network.run](TensorView input, std::span<const MutableTensorView> outputs) {
    of(input, outputs);
    const auto asked = static_cast<int>(input.as<float>()[0]);
    if (asked == kInfinite) outputs[0].as<float>()[5] = -std::numeric_limits<float>::infinity();
    if (asked == kNaN) outputs[0].as<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  };
  auto engine = make_engine(4, {.cores = 1, .on_run = {}, .network = network}, {.max_batch_delay = 1h});
  auto client = std::make_shared<Collector>();
  const std::array values{7, kInfinite, kNaN, 7};
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_TRUE(submit(*engine, client, i, values[i]));
  const auto results = client->wait_for(4);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(results.at(i)->status, values[i] == 7 ? FrameStatus::kAnalysed : FrameStatus::kUnanalysed) << i;
  }
  EXPECT_EQ(engine->first_refusal(), "the network answered NaN or infinity");
}

TEST(AllFinite, FindsWhatIsNoNumberWhereverItIs) {
  std::array<float, 37> values{};
  values.fill(-std::numeric_limits<float>::max());
  EXPECT_TRUE(all_finite(values));
  for (float& value : values) {
    for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN()}) {
      value = bad;
      EXPECT_FALSE(all_finite(values));
    }
    value = std::numeric_limits<float>::denorm_min();
  }
  EXPECT_TRUE(all_finite(values));
  EXPECT_TRUE(all_finite({}));
}

TEST(Engine, AFrameWhoseOutputsCannotBeDecodedIsUnanalysedAndItsNeighboursAreNot) {
  for (const bool throws : {false, true}) {
    ModelSpec spec = fake_model(3);
    test::set_decoder(spec, SuperstitiousDecoder(throws));
    auto engine = Engine::create(std::make_unique<FakeBackend>(test::FakeOptions{.cores = 1, .on_run = {}}),
                                 std::make_shared<const ModelSpec>(spec), {.max_batch_delay = 1h});
    ASSERT_TRUE(engine) << engine.error().message;
    auto client = std::make_shared<Collector>();
    for (const auto& [ticket, value] : {std::pair{0, 12}, {1, 13}, {2, 14}}) {
      ASSERT_TRUE(submit(**engine, client, static_cast<Ticket>(ticket), value));
    }
    const auto results = client->wait_for(3);
    EXPECT_EQ(results.at(0)->status, FrameStatus::kAnalysed);
    EXPECT_EQ(results.at(1)->status, FrameStatus::kUnanalysed);
    EXPECT_EQ(results.at(2)->status, FrameStatus::kAnalysed);
    EXPECT_THAT((*engine)->first_refusal(), testing::HasSubstr("thirteen"));
  }
}

}  // namespace
}  // namespace posecam
