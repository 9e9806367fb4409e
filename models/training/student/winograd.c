// Transforms of Winograd's F(4x4, 3x3) and their adjoints on pictures of (row, column, channel), 16 channels at a time.
// A dilated convolution is one convolution for each of dilation x dilation grids of every dilation-th pixel.

#include <stddef.h>

enum { TILE = 4, WINDOW = 6, PLANES = WINDOW * WINDOW, LANES = 8, HALVES = 2, STEP = LANES * HALVES };

typedef float Lane __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float))));

struct Shape {
  int pictures, height, width, channels, dilation;
};

static int tiles_along(int length, int dilation) { return (length / dilation + TILE - 1) / TILE; }

// B^T
static void window_transform(const Lane in[WINDOW], int step, Lane* out, int out_step) {
  const Lane a = in[0], b = in[step], c = in[2 * step], d = in[3 * step], e = in[4 * step], f = in[5 * step];
  const Lane p = e - 4 * c, q = d - 4 * b, r = e - c, s = 2 * (d - b);
  out[0] = 4 * a - 5 * c + e;
  out[out_step] = p + q;
  out[2 * out_step] = p - q;
  out[3 * out_step] = r + s;
  out[4 * out_step] = r - s;
  out[5 * out_step] = 4 * b - 5 * d + f;
}

// B
static void window_adjoint(const Lane* in, int step, Lane* out, int out_step) {
  const Lane a = in[0], b = in[step], c = in[2 * step], d = in[3 * step], e = in[4 * step], f = in[5 * step];
  const Lane sum = b + c, difference = b - c, far_sum = d + e, far_difference = 2 * (d - e);
  out[0] = 4 * a;
  out[out_step] = 4 * f - 4 * difference - far_difference;
  out[2 * out_step] = -5 * a - 4 * sum - far_sum;
  out[3 * out_step] = difference + far_difference - 5 * f;
  out[4 * out_step] = a + sum + far_sum;
  out[5 * out_step] = f;
}

// A^T
static void tile_transform(const Lane* in, int step, Lane* out, int out_step) {
  const Lane sum = in[step] + in[2 * step], difference = in[step] - in[2 * step];
  const Lane far_sum = in[3 * step] + in[4 * step], far_difference = in[3 * step] - in[4 * step];
  out[0] = in[0] + sum + far_sum;
  out[out_step] = difference + 2 * far_difference;
  out[2 * out_step] = sum + 4 * far_sum;
  out[3 * out_step] = difference + 8 * far_difference + in[5 * step];
}

// A
static void tile_adjoint(const Lane* in, int step, Lane* out, int out_step) {
  const Lane even = in[0] + in[2 * step], odd = in[step] + in[3 * step];
  const Lane far_even = in[0] + 4 * in[2 * step], far_odd = 2 * in[step] + 8 * in[3 * step];
  out[0] = in[0];
  out[out_step] = even + odd;
  out[2 * out_step] = even - odd;
  out[3 * out_step] = far_even + far_odd;
  out[4 * out_step] = far_even - far_odd;
  out[5 * out_step] = in[3 * step];
}

// What a visitor is given: 16 channels of the planes of one tile, and the pixel at its upper left corner.
typedef void (*Visit)(float* planes, size_t plane, float* picture, const struct Shape* shape, int row, int column);

static void visit_tiles(float* planes, float* pictures, struct Shape shape, int begin, int end, Visit visit) {
  const int d = shape.dilation, rows = tiles_along(shape.height, d), columns = tiles_along(shape.width, d);
  const int steps = shape.channels / STEP, tiles = d * d * rows * columns;
  const size_t plane = (size_t)shape.pictures * tiles * shape.channels;
  for (int task = begin; task < end; ++task) {
    const int picture = task / steps, channel = task % steps * STEP;
    float* pixels = pictures + (size_t)picture * shape.height * shape.width * shape.channels + channel;
    for (int tile = 0; tile < tiles; ++tile) {
      const int column = tile % columns, row = tile / columns % rows, grid = tile / columns / rows;
      visit(planes + ((size_t)picture * tiles + tile) * shape.channels + channel, plane, pixels, &shape,
            row * TILE * d + grid / d, column * TILE * d + grid % d);
    }
  }
}

static float* pixel(float* picture, const struct Shape* shape, int row, int column) {
  const int inside = row >= 0 && column >= 0 && row < shape->height && column < shape->width;
  return inside ? picture + ((size_t)row * shape->width + column) * shape->channels : NULL;
}

static void window_to_planes(float* planes, size_t plane, float* picture, const struct Shape* shape, int row,
                             int column) {
  const int d = shape->dilation;
  Lane first[HALVES][PLANES];
  for (int x = 0; x < WINDOW; ++x) {
    Lane line[HALVES][WINDOW];
    for (int y = 0; y < WINDOW; ++y) {
      const float* at = pixel(picture, shape, row + (y - 1) * d, column + (x - 1) * d);
      for (int h = 0; h < HALVES; ++h) line[h][y] = at ? *(const Lane*)(at + LANES * h) : (Lane){0};
    }
    for (int h = 0; h < HALVES; ++h) window_transform(line[h], 1, first[h] + x, WINDOW);
  }
  for (int y = 0; y < WINDOW; ++y) {
    Lane line[HALVES][WINDOW];
    for (int h = 0; h < HALVES; ++h) window_transform(first[h] + WINDOW * y, 1, line[h], 1);
    for (int x = 0; x < WINDOW; ++x)
      for (int h = 0; h < HALVES; ++h) *(Lane*)(planes + (WINDOW * y + x) * plane + LANES * h) = line[h][x];
  }
}

static void add_planes_to_window(float* planes, size_t plane, float* picture, const struct Shape* shape, int row,
                                 int column) {
  const int d = shape->dilation;
  Lane first[HALVES][PLANES];
  for (int y = 0; y < WINDOW; ++y) {
    Lane line[HALVES][WINDOW];
    for (int x = 0; x < WINDOW; ++x)
      for (int h = 0; h < HALVES; ++h) line[h][x] = *(const Lane*)(planes + (WINDOW * y + x) * plane + LANES * h);
    for (int h = 0; h < HALVES; ++h) window_adjoint(line[h], 1, first[h] + WINDOW * y, 1);
  }
  for (int x = 0; x < WINDOW; ++x) {
    Lane line[HALVES][WINDOW];
    for (int h = 0; h < HALVES; ++h) window_adjoint(first[h] + x, WINDOW, line[h], 1);
    for (int y = 0; y < WINDOW; ++y) {
      float* at = pixel(picture, shape, row + (y - 1) * d, column + (x - 1) * d);
      for (int h = 0; at && h < HALVES; ++h) *(Lane*)(at + LANES * h) += line[h][y];
    }
  }
}

static void planes_to_tile(float* planes, size_t plane, float* picture, const struct Shape* shape, int row,
                           int column) {
  const int d = shape->dilation;
  Lane first[HALVES][WINDOW * TILE];
  for (int y = 0; y < WINDOW; ++y) {
    Lane line[HALVES][WINDOW];
    for (int x = 0; x < WINDOW; ++x)
      for (int h = 0; h < HALVES; ++h) line[h][x] = *(const Lane*)(planes + (WINDOW * y + x) * plane + LANES * h);
    for (int h = 0; h < HALVES; ++h) tile_transform(line[h], 1, first[h] + TILE * y, 1);
  }
  for (int x = 0; x < TILE; ++x) {
    Lane line[HALVES][TILE];
    for (int h = 0; h < HALVES; ++h) tile_transform(first[h] + x, TILE, line[h], 1);
    for (int y = 0; y < TILE; ++y) {
      float* at = pixel(picture, shape, row + y * d, column + x * d);
      for (int h = 0; at && h < HALVES; ++h) *(Lane*)(at + LANES * h) = line[h][y];
    }
  }
}

static void tile_to_planes(float* planes, size_t plane, float* picture, const struct Shape* shape, int row,
                           int column) {
  const int d = shape->dilation;
  Lane first[HALVES][WINDOW * TILE];
  for (int x = 0; x < TILE; ++x) {
    Lane line[HALVES][TILE];
    for (int y = 0; y < TILE; ++y) {
      const float* at = pixel(picture, shape, row + y * d, column + x * d);
      for (int h = 0; h < HALVES; ++h) line[h][y] = at ? *(const Lane*)(at + LANES * h) : (Lane){0};
    }
    for (int h = 0; h < HALVES; ++h) tile_adjoint(line[h], 1, first[h] + x, TILE);
  }
  for (int y = 0; y < WINDOW; ++y) {
    Lane line[HALVES][WINDOW];
    for (int h = 0; h < HALVES; ++h) tile_adjoint(first[h] + TILE * y, 1, line[h], 1);
    for (int x = 0; x < WINDOW; ++x)
      for (int h = 0; h < HALVES; ++h) *(Lane*)(planes + (WINDOW * y + x) * plane + LANES * h) = line[h][x];
  }
}

// Each works on tasks begin to end, of pictures x channels / 16.
void windows_to_planes(float* planes, float* pictures, struct Shape shape, int begin, int end) {
  visit_tiles(planes, pictures, shape, begin, end, window_to_planes);
}

void add_planes_to_windows(float* planes, float* pictures, struct Shape shape, int begin, int end) {
  visit_tiles(planes, pictures, shape, begin, end, add_planes_to_window);
}

void planes_to_tiles(float* planes, float* pictures, struct Shape shape, int begin, int end) {
  visit_tiles(planes, pictures, shape, begin, end, planes_to_tile);
}

void tiles_to_planes(float* planes, float* pictures, struct Shape shape, int begin, int end) {
  visit_tiles(planes, pictures, shape, begin, end, tile_to_planes);
}
