// Draws the project's own clip: people-like figures that walk, wave and cross before a textured background. Writes raw
// BGR frames to standard output (media/render.sh pipes them into an encoder) and, if asked, the true joint positions as
// COCO keypoint annotations: render_clip [ANNOTATIONS.json]

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <numbers>
#include <vector>

#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

namespace {

constexpr int kWidth = 640;
constexpr int kHeight = 360;
constexpr int kFps = 25;
constexpr int kFrames = 10 * kFps;

/// Keypoints in COCO's order.
enum Joint {
  kNose,
  kLeftEye,
  kRightEye,
  kLeftEar,
  kRightEar,
  kLeftShoulder,
  kRightShoulder,
  kLeftElbow,
  kRightElbow,
  kLeftWrist,
  kRightWrist,
  kLeftHip,
  kRightHip,
  kLeftKnee,
  kRightKnee,
  kLeftAnkle,
  kRightAnkle,
  kJoints
};
using Pose = std::array<cv::Point2f, kJoints>;

struct Figure {
  float start_x;  ///< pixels at frame 0
  float speed;    ///< pixels a frame; negative: to the left
  float ground;   ///< y of the feet
  float height;   ///< pixels
  float phase;    ///< of the gait, radians
  bool waves;
  cv::Scalar shirt, trousers, skin;
};

cv::Point2f along(cv::Point2f from, float length, float angle) {
  return from + length * cv::Point2f(std::sin(angle), std::cos(angle));
}

/// Joints at time t. Angles are from straight down; limb lengths are shares of the height, as artists measure them.
Pose pose_at(const Figure& f, int frame) {
  const float h = f.height;
  const float stride = 0.018F * std::abs(f.speed) * 10;
  const float gait = f.phase + static_cast<float>(frame) * 2 * std::numbers::pi_v<float> / kFps;
  const float facing = f.speed == 0 ? 0.F : (f.speed > 0 ? 1.F : -1.F);
  const float x = f.start_x + f.speed * static_cast<float>(frame);
  const float bob = 0.01F * h * std::abs(std::sin(gait)) * (stride > 0 ? 1.F : 0.3F);
  const cv::Point2f hips(x, f.ground - 0.48F * h - bob);
  const cv::Point2f neck(x + 0.02F * h * facing, f.ground - 0.82F * h - bob);
  const cv::Point2f head(neck.x + 0.02F * h * facing, neck.y - 0.10F * h);
  const float turn = facing == 0 ? 1.F : 0.45F;  // a figure in profile shows narrow shoulders

  Pose p;
  p[kNose] = head + cv::Point2f(0.035F * h * facing, 0.01F * h);
  for (const int side : {0, 1}) {  // 0: left, which is on the right of a picture that faces us
    const float sign = side == 0 ? 1.F : -1.F;
    const float swing = sign * stride * std::sin(gait);
    p[kLeftEye + side] = head + cv::Point2f(sign * 0.022F * h * turn + 0.02F * h * facing, -0.012F * h);
    p[kLeftEar + side] = head + cv::Point2f(sign * 0.048F * h * turn - 0.01F * h * facing, 0);
    p[kLeftShoulder + side] = neck + cv::Point2f(sign * 0.11F * h * turn, 0.03F * h);
    p[kLeftHip + side] = hips + cv::Point2f(sign * 0.07F * h * turn, 0);
    const bool waving = f.waves && side == 1;
    const float upper = waving ? -2.3F : -swing + sign * 0.12F;
    const float lower = waving ? -2.9F + 0.6F * std::sin(2 * gait) : upper + 0.35F * facing;
    p[kLeftElbow + side] = along(p[kLeftShoulder + side], 0.17F * h, upper);
    p[kLeftWrist + side] = along(p[kLeftElbow + side], 0.16F * h, lower);
    const float bend = facing * 0.9F * stride * std::max(0.F, sign * std::cos(gait));
    p[kLeftKnee + side] = along(p[kLeftHip + side], 0.24F * h, swing + bend * 0.5F);
    p[kLeftAnkle + side] = along(p[kLeftKnee + side], 0.23F * h, swing - bend * 0.8F);
  }
  return p;
}

void limb(cv::Mat& image, cv::Point2f a, cv::Point2f b, float width, const cv::Scalar& color) {
  constexpr int kShift = 4;  // fractional bits: limbs move by less than a pixel
  const auto fixed = [](cv::Point2f p) { return cv::Point(cvRound(p.x * 16), cvRound(p.y * 16)); };
  cv::line(image, fixed(a), fixed(b), color, std::max(1, cvRound(width)), cv::LINE_AA, kShift);
}

void draw(cv::Mat& image, const Figure& f, const Pose& p) {
  const float h = f.height;
  const cv::Scalar shade = f.shirt * 0.75;
  cv::ellipse(image, cv::Point2f((p[kLeftAnkle] + p[kRightAnkle]) / 2) + cv::Point2f(0, 0.02F * h),
              cv::Size2f(0.14F * h, 0.025F * h), 0, 0, 360, cv::Scalar(40, 48, 44), cv::FILLED, cv::LINE_AA);
  for (const int side : {0, 1}) {
    const cv::Scalar cloth = side == 0 ? f.trousers : f.trousers * 0.8;
    limb(image, p[kLeftHip + side], p[kLeftKnee + side], 0.085F * h, cloth);
    limb(image, p[kLeftKnee + side], p[kLeftAnkle + side], 0.065F * h, cloth);
    limb(image, p[kLeftAnkle + side],
         p[kLeftAnkle + side] + cv::Point2f(0.05F * h * (f.speed < 0 ? -1.F : 1.F), 0.015F * h), 0.05F * h,
         cv::Scalar(30, 30, 34));
  }
  std::vector<cv::Point> torso;
  for (const int joint : {kLeftShoulder, kRightShoulder, kRightHip, kLeftHip}) torso.emplace_back(p[joint]);
  cv::fillConvexPoly(image, torso, f.shirt, cv::LINE_AA);
  limb(image, (p[kLeftShoulder] + p[kRightShoulder]) / 2, (p[kLeftHip] + p[kRightHip]) / 2, 0.13F * h, f.shirt);
  limb(image, p[kLeftShoulder], p[kRightShoulder], 0.07F * h, f.shirt);
  const cv::Point2f head = (p[kLeftEar] + p[kRightEar]) / 2;
  limb(image, (p[kLeftShoulder] + p[kRightShoulder]) / 2, head, 0.05F * h, f.skin);
  cv::ellipse(image, head, cv::Size2f(0.055F * h, 0.07F * h), 0, 0, 360, f.skin, cv::FILLED, cv::LINE_AA);
  cv::ellipse(image, head - cv::Point2f(0, 0.02F * h), cv::Size2f(0.057F * h, 0.052F * h), 0, 180, 360,
              f.trousers * 0.5, cv::FILLED, cv::LINE_AA);
  for (const int eye : {kLeftEye, kRightEye}) {
    cv::circle(image, p[eye], std::max(1, cvRound(0.008F * h)), cv::Scalar(30, 26, 24), cv::FILLED, cv::LINE_AA);
  }
  for (const int side : {0, 1}) {
    limb(image, p[kLeftShoulder + side], p[kLeftElbow + side], 0.06F * h, side == 0 ? shade : f.shirt);
    limb(image, p[kLeftElbow + side], p[kLeftWrist + side], 0.045F * h, f.skin);
    cv::circle(image, p[kLeftWrist + side], std::max(1, cvRound(0.028F * h)), f.skin, cv::FILLED, cv::LINE_AA);
  }
}

/// A wall, a floor and smooth noise over both, the same in every run.
cv::Mat background() {
  cv::Mat image(kHeight, kWidth, CV_8UC3);
  for (int y = 0; y < kHeight; ++y) {
    const double t = static_cast<double>(y) / kHeight;
    image.row(y).setTo(t < 0.55 ? cv::Scalar(168 - 40 * t, 160 - 30 * t, 150 - 20 * t)
                                : cv::Scalar(70 + 60 * t, 86 + 60 * t, 92 + 60 * t));
  }
  for (int x = 40; x < kWidth; x += 120) {
    cv::rectangle(image, {x, 40, 56, 84}, cv::Scalar(196, 184, 160), cv::FILLED);
    cv::rectangle(image, {x, 40, 56, 84}, cv::Scalar(90, 92, 96), 2);
  }
  cv::Mat noise(kHeight / 4, kWidth / 4, CV_8UC3);
  cv::RNG(7).fill(noise, cv::RNG::UNIFORM, 0, 50);
  cv::resize(noise, noise, image.size(), 0, 0, cv::INTER_CUBIC);
  cv::add(image, noise, image);
  return image;
}

nlohmann::json annotation(const Pose& pose, const Figure& figure, int image_id, int id) {
  std::vector<float> flat;
  float left = kWidth, top = kHeight, right = 0, bottom = 0;
  int visible = 0;
  for (const cv::Point2f& p : pose) {
    const bool inside = p.x >= 0 && p.y >= 0 && p.x < kWidth && p.y < kHeight;
    const auto rounded = [](float v) { return std::round(v * 100) / 100; };
    flat.insert(flat.end(), {inside ? rounded(p.x) : 0.F, inside ? rounded(p.y) : 0.F, inside ? 2.F : 0.F});
    visible += inside ? 1 : 0;
    left = std::clamp(std::min(left, p.x), 0.F, float{kWidth});
    right = std::clamp(std::max(right, p.x), 0.F, float{kWidth});
    top = std::clamp(std::min(top, p.y - 0.08F * figure.height), 0.F, float{kHeight});
    bottom = std::clamp(std::max(bottom, p.y), 0.F, float{kHeight});
  }
  const float width = std::max(0.F, right - left);
  const float height = std::max(0.F, bottom - top);
  return {{"id", id},
          {"image_id", image_id},
          {"category_id", 1},
          {"iscrowd", 0},
          {"num_keypoints", visible},
          {"keypoints", flat},
          {"bbox", {left, top, width, height}},
          {"area", 0.5F * width * height}};
}

const std::vector<Figure>& figures() {
  static const std::vector<Figure> all{
      {40, 2.0F, 262, 150, 0.F, false, {60, 60, 190}, {90, 60, 40}, {150, 180, 225}},
      {600, -2.2F, 290, 185, 1.3F, false, {150, 110, 40}, {60, 60, 66}, {110, 140, 190}},
      {330, 0.F, 318, 225, 0.4F, true, {70, 150, 60}, {110, 70, 50}, {140, 170, 215}},
      {-60, 2.9F, 338, 250, 2.1F, false, {40, 160, 200}, {50, 50, 90}, {80, 105, 150}},
  };
  return all;
}

}  // namespace

int main(int argc, char** argv) try {
  const cv::Mat wall = background();
  nlohmann::json images = nlohmann::json::array();
  nlohmann::json annotations = nlohmann::json::array();
  cv::Mat image;
  for (int frame = 0; frame < kFrames; ++frame) {
    wall.copyTo(image);
    images.push_back(
        {{"id", frame}, {"width", kWidth}, {"height", kHeight}, {"file_name", "frame " + std::to_string(frame)}});
    for (const Figure& figure : figures()) {
      const Pose pose = pose_at(figure, frame);
      draw(image, figure, pose);
      auto truth = annotation(pose, figure, frame, static_cast<int>(annotations.size()) + 1);
      if (truth["num_keypoints"] > 0) annotations.push_back(std::move(truth));
    }
    if (std::fwrite(image.data, 1, image.total() * image.elemSize(), stdout) != image.total() * image.elemSize()) {
      std::cerr << "render_clip: cannot write to standard output; pipe it into an encoder (media/render.sh)\n";
      return 5;
    }
  }
  if (argc > 1) {
    std::ofstream file(argv[1]);
    file << nlohmann::json{
        {"images", images}, {"annotations", annotations}, {"categories", {{{"id", 1}, {"name", "person"}}}}};
    if (!file.flush()) {
      std::cerr << "render_clip: cannot write " << argv[1] << '\n';
      return 5;
    }
  }
  return 0;
} catch (const std::exception& e) {
  std::cerr << "render_clip: " << e.what() << '\n';
  return 1;
}
