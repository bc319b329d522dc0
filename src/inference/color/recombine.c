/*
 * The row kernel of the colour pipeline, compiled to WebAssembly SIMD (see recombine.ts for its
 * use, scripts beside it for building). Everything is float32, rows of one picture at a time.
 *
 * Lightness is f = (L* + 16) / 116; chroma is u = a* / 500 and v = -b* / 200, so that
 * X/Xn = cube(f + u), Y = cube(f), Z/Zn = cube(f + v) above the knee of CIE L*a*b*.
 *
 * Vectors of four pixels may run past the end of a run of pixels; what they write there is written
 * again by the next run or row. Buffers therefore end with PADDING pixels to spare.
 */
#include <stdint.h>
#include <wasm_simd128.h>

typedef uint32_t __attribute__((aligned(1), may_alias)) unaligned_t;

#define EXPORT __attribute__((visibility("default")))

static const float F_KNEE = 6.0f / 29.0f;
static const float F_BLACK = 16.0f / 116.0f;
static const float KNEE_INVERSE = 108.0f / 841.0f;

/* Linear sRGB from X/Xn, Y, Z/Zn (D65), rows R, G, B. */
static const float M[3][3] = {
    {3.240479f * 0.950456f, -1.53715f, -0.498535f * 1.088754f},
    {-0.969256f * 0.950456f, 1.875991f, 0.041556f * 1.088754f},
    {0.055648f * 0.950456f, -0.204043f, 1.057311f * 1.088754f},
};

/* Steps of linear light before the sRGB curve. */
#define CURVE_STEPS 16384
/* Table of the farthest chroma in gamut: lightness rows, diamond-angle columns (gamut.ts). */
#define GAMUT_ROWS 128
#define GAMUT_COLUMNS 256
/* Steps of Y in the table of roots. */
#define ROOT_STEPS 16384

/* 2^23: added to 0 .. 2^22 it leaves the nearest whole number in the low bits of the float. */
#define MAGIC 8388608.0f
#define INDEX_MASK 0x7fff

static inline v128_t nearest(v128_t steps) { return wasm_f32x4_add(steps, wasm_f32x4_splat(MAGIC)); }

static inline v128_t index_of(v128_t near) {
  return wasm_v128_and(near, wasm_i32x4_splat(INDEX_MASK));
}

/* 0 .. top; what is not a number becomes 0, for these instructions keep their first operand then. */
static inline v128_t clamped(v128_t x, v128_t top) {
  return wasm_f32x4_pmin(top, wasm_f32x4_pmax(wasm_f32x4_splat(0), x));
}

/* Whole part of 0 .. last + 1 as an index, at most `last`, and what is left over. */
typedef struct {
  v128_t index, share;
} Split;

static inline Split split(v128_t steps, float last) {
  v128_t lower = wasm_f32x4_sub(steps, wasm_f32x4_splat(0.5f));
  lower = clamped(lower, wasm_f32x4_splat(last));
  v128_t near = nearest(lower);
  return (Split){index_of(near),
                 wasm_f32x4_sub(steps, wasm_f32x4_sub(near, wasm_f32x4_splat(MAGIC)))};
}

/* On straight lines between each table entry and the next. */
static inline v128_t interpolated(const float *table, v128_t i, v128_t share) {
  v128_t left = wasm_v128_load64_zero(table + wasm_i32x4_extract_lane(i, 0));
  v128_t right = wasm_v128_load64_zero(table + wasm_i32x4_extract_lane(i, 2));
  left = wasm_v128_load64_lane(table + wasm_i32x4_extract_lane(i, 1), left, 1);
  right = wasm_v128_load64_lane(table + wasm_i32x4_extract_lane(i, 3), right, 1);
  v128_t low = wasm_i32x4_shuffle(left, right, 0, 2, 4, 6);
  v128_t high = wasm_i32x4_shuffle(left, right, 1, 3, 5, 7);
  return wasm_f32x4_add(low, wasm_f32x4_mul(wasm_f32x4_sub(high, low), share));
}

/*
 * Samples to f. red, green, blue: each code's share of Y, in steps of `roots`; grey: f of each
 * code; roots: Y to f.
 */
#define LIGHTNESS(NAME, SAMPLE)                                                                \
  EXPORT void NAME(const SAMPLE *in, int channels, int width, const float *red,                \
                   const float *green, const float *blue, const float *grey,                   \
                   const float *roots, float *f) {                                             \
    if (channels < 3) {                                                                        \
      for (int x = 0; x < width; x++, in += channels) f[x] = grey[*in];                        \
      return;                                                                                  \
    }                                                                                          \
    for (int x = 0; x < width; x += 4, in += 4 * channels) {                                   \
      const SAMPLE *p = in, *q = p + channels, *r = q + channels, *s = r + channels;           \
      int coloured = (p[0] ^ p[1]) | (p[1] ^ p[2]) | (q[0] ^ q[1]) | (q[1] ^ q[2]) |           \
                     (r[0] ^ r[1]) | (r[1] ^ r[2]) | (s[0] ^ s[1]) | (s[1] ^ s[2]);            \
      if (coloured == 0) {                                                                     \
        f[x] = grey[*p], f[x + 1] = grey[*q], f[x + 2] = grey[*r], f[x + 3] = grey[*s];        \
        continue;                                                                              \
      }                                                                                        \
      v128_t y = wasm_f32x4_make(red[p[0]] + green[p[1]] + blue[p[2]],                         \
                                 red[q[0]] + green[q[1]] + blue[q[2]],                         \
                                 red[r[0]] + green[r[1]] + blue[r[2]],                         \
                                 red[s[0]] + green[s[1]] + blue[s[2]]);                        \
      Split at = split(y, ROOT_STEPS);                                                         \
      wasm_v128_store(f + x, interpolated(roots, at.index, at.share));                         \
    }                                                                                          \
  }

LIGHTNESS(lightness8, uint8_t)
LIGHTNESS(lightness16, uint16_t)

/* One row of the grid between rows `top` and `bottom`, `planes` planes of `size` numbers. */
EXPORT void grid_row(const float *grid, int planes, int size, int width, int top, int bottom,
                     float t, float *row) {
  for (int p = 0; p < planes; p++) {
    const float *a = grid + p * size + top * width;
    const float *b = grid + p * size + bottom * width;
    float *to = row + p * width;
    for (int x = 0; x < width; x++) to[x] = a[x] + (b[x] - a[x]) * t;
  }
}

static inline v128_t fma4(v128_t a, v128_t b, v128_t c) {
  return wasm_f32x4_add(wasm_f32x4_mul(a, b), c);
}

static inline v128_t power3(v128_t f) { return wasm_f32x4_mul(wasm_f32x4_mul(f, f), f); }

static inline v128_t cube(v128_t f) {
  v128_t line = wasm_f32x4_mul(wasm_f32x4_sub(f, wasm_f32x4_splat(F_BLACK)),
                               wasm_f32x4_splat(KNEE_INVERSE));
  return wasm_v128_bitselect(power3(f), line, wasm_f32x4_gt(f, wasm_f32x4_splat(F_KNEE)));
}

/* Factors 0..1 that bring (u, v) at lightness f into gamut along their hue; as gamut.ts. */
static inline v128_t gamut_factor(const float *table, v128_t f, v128_t u, v128_t v) {
  const v128_t one = wasm_f32x4_splat(1);
  v128_t length = wasm_f32x4_add(wasm_f32x4_abs(u), wasm_f32x4_abs(v));
  length = wasm_f32x4_pmax(length, wasm_f32x4_splat(1e-9f));
  v128_t t = wasm_f32x4_div(u, length);
  v128_t angle = wasm_v128_bitselect(wasm_f32x4_sub(one, t), wasm_f32x4_add(wasm_f32x4_splat(3), t),
                                     wasm_f32x4_ge(v, wasm_f32x4_splat(0)));
  v128_t above = wasm_f32x4_sub(f, wasm_f32x4_splat(F_BLACK));
  Split row = split(wasm_f32x4_mul(above, wasm_f32x4_splat(GAMUT_ROWS / (1 - F_BLACK))),
                    GAMUT_ROWS - 1);
  Split column = split(wasm_f32x4_mul(angle, wasm_f32x4_splat(GAMUT_COLUMNS / 4)),
                       GAMUT_COLUMNS - 1);
  v128_t i = wasm_i32x4_add(
      wasm_i32x4_mul(row.index, wasm_i32x4_splat(GAMUT_COLUMNS + 1)), column.index);
  v128_t a = interpolated(table, i, column.share);
  v128_t b = interpolated(table + GAMUT_COLUMNS + 1, i, column.share);
  v128_t reach = fma4(wasm_f32x4_sub(b, a), row.share, a);
  return clamped(wasm_f32x4_div(reach, length), one);
}

typedef struct {
  v128_t r, g, b;
} Light;

static inline Light light_of(v128_t f, v128_t u, v128_t v) {
  v128_t fx = wasm_f32x4_add(f, u), fz = wasm_f32x4_add(f, v), x, y, z;
  v128_t lowest = wasm_f32x4_pmin(wasm_f32x4_pmin(fx, fz), f);
  /* But for the darkest pixels all are above the knee. */
  if (__builtin_expect(wasm_i32x4_all_true(wasm_f32x4_gt(lowest, wasm_f32x4_splat(F_KNEE))), 1))
    x = power3(fx), y = power3(f), z = power3(fz);
  else
    x = cube(fx), y = cube(f), z = cube(fz);
#define CHANNEL(i)                                                                             \
  fma4(wasm_f32x4_splat(M[i][0]), x,                                                           \
       fma4(wasm_f32x4_splat(M[i][1]), y, wasm_f32x4_mul(wasm_f32x4_splat(M[i][2]), z)))
  return (Light){CHANNEL(0), CHANNEL(1), CHANNEL(2)};
#undef CHANNEL
}

/*
 * Four pixels to linear RGB, 0 .. 1; out of gamut chroma shrinks (gamut table) or RGB is clipped
 * (none).
 */
static inline Light shade(v128_t f, v128_t u, v128_t v, const float *gamut) {
  Light light = light_of(f, u, v);
  v128_t low = wasm_f32x4_pmin(wasm_f32x4_pmin(light.r, light.g), light.b);
  v128_t high = wasm_f32x4_pmax(wasm_f32x4_pmax(light.r, light.g), light.b);
  const v128_t one = wasm_f32x4_splat(1);
  v128_t inside = wasm_v128_and(wasm_f32x4_ge(low, wasm_f32x4_splat(0)), wasm_f32x4_le(high, one));
  /* False as well for what is not a number, as lanes behind the end of a row may be. */
  if (__builtin_expect(wasm_i32x4_all_true(inside), 1)) return light;
  if (gamut) {
    v128_t k = wasm_v128_bitselect(one, gamut_factor(gamut, f, u, v), inside);
    light = light_of(f, wasm_f32x4_mul(u, k), wasm_f32x4_mul(v, k));
  }
  return (Light){clamped(light.r, one), clamped(light.g, one), clamped(light.b, one)};
}

static inline v128_t steps_of(v128_t light) {
  return wasm_f32x4_mul(light, wasm_f32x4_splat(CURVE_STEPS));
}

/* Linear light to codes: 8 bit by the nearest of 16,384 steps, 16 bit by interpolation. */
static inline void store8(Light l, uint8_t *out, int channels, const uint8_t *codes) {
  v128_t r = index_of(nearest(steps_of(l.r)));
  v128_t g = index_of(nearest(steps_of(l.g)));
  v128_t b = index_of(nearest(steps_of(l.b)));
  /* Of three channels the fourth byte is the next pixel's, which is written after it. */
#define PIXEL(i)                                                                               \
  {                                                                                            \
    uint32_t red = codes[wasm_i32x4_extract_lane(r, i)];                                       \
    uint32_t green = codes[wasm_i32x4_extract_lane(g, i)];                                     \
    uint32_t blue = codes[wasm_i32x4_extract_lane(b, i)];                                      \
    uint8_t *to = out + i * channels;                                                          \
    if (channels == 3) {                                                                       \
      *(unaligned_t *)to = red | green << 8 | blue << 16;                                      \
    } else                                                                                     \
      to[0] = red, to[1] = green, to[2] = blue;                                                \
  }
  PIXEL(0) PIXEL(1) PIXEL(2) PIXEL(3)
#undef PIXEL
}

static inline void store16(Light l, uint16_t *out, int channels, const float *curve) {
  const v128_t planes[3] = {steps_of(l.r), steps_of(l.g), steps_of(l.b)};
  for (int c = 0; c < 3; c++) {
    Split at = split(planes[c], CURVE_STEPS);
    v128_t codes = wasm_i32x4_trunc_sat_f32x4(interpolated(curve, at.index, at.share));
    out[c] = wasm_i32x4_extract_lane(codes, 0);
    out[channels + c] = wasm_i32x4_extract_lane(codes, 1);
    out[2 * channels + c] = wasm_i32x4_extract_lane(codes, 2);
    out[3 * channels + c] = wasm_i32x4_extract_lane(codes, 3);
  }
}

/* Runs of pixels between the same two grid columns (chroma-grid.ts). */
typedef struct {
  const int32_t *start;
  const int32_t *cell;
  const float *phase;
  const float *step;
  int32_t count;
} Segments;

/* What recombine.ts fills in; offsets are into this module's memory. */
typedef struct {
  const float *f, *guide, *row;
  int32_t grid_width, guided, depth16, channels;
  Segments segments;
  const float *gamut; /* 0: clip instead */
  const void *curve;  /* uint8 codes or float curve */
  void *out;
} Row;

/* A plane between two grid columns: value at the left one and difference to the right one. */
typedef struct {
  v128_t at, rise;
} Ramp;

static inline Ramp ramp_of(const float *line, int k, int k1) {
  return (Ramp){wasm_f32x4_splat(line[k]), wasm_f32x4_splat(line[k1] - line[k])};
}

static inline v128_t climb(Ramp ramp, v128_t t) { return fma4(ramp.rise, t, ramp.at); }

static inline void run(const Row *row, int s, const int guided, const int depth16,
                       const int channels) {
  const int w = row->grid_width;
  const int k = row->segments.cell[s], k1 = k + 1 < w ? k + 1 : k;
  const int end = row->segments.start[s + 1];
  const float *grid = row->row, *f_row = row->f, *guide_row = row->guide, *gamut = row->gamut;
  const void *curve = row->curve;
  uint8_t *out = row->out;
  const float step = row->segments.step[s], phase = row->segments.phase[s];
  const v128_t stride = wasm_f32x4_splat(4 * step);
  const Ramp offset_u = ramp_of(grid, k, k1), offset_v = ramp_of(grid + w, k, k1);
  Ramp slope_u, slope_v, low, high;
  if (guided) {
    slope_u = ramp_of(grid + 2 * w, k, k1);
    slope_v = ramp_of(grid + 3 * w, k, k1);
    low = ramp_of(grid + 4 * w, k, k1);
    high = ramp_of(grid + 5 * w, k, k1);
  }
  v128_t t = wasm_f32x4_make(phase, phase + step, phase + 2 * step, phase + 3 * step);
  for (int x = row->segments.start[s]; x < end; x += 4, t = wasm_f32x4_add(t, stride)) {
    v128_t f = wasm_v128_load(f_row + x);
    v128_t u = climb(offset_u, t), v = climb(offset_v, t);
    if (guided) {
      v128_t held = wasm_f32x4_pmax(
          climb(low, t), wasm_f32x4_pmin(climb(high, t), wasm_v128_load(guide_row + x)));
      u = fma4(climb(slope_u, t), held, u);
      v = fma4(climb(slope_v, t), held, v);
    }
    Light light = shade(f, u, v, gamut);
    if (depth16)
      store16(light, (uint16_t *)out + x * channels, channels, curve);
    else
      store8(light, out + x * channels, channels, curve);
  }
}

#define ALL_RUNS(GUIDED, DEPTH16, CHANNELS)                                                    \
  for (int s = 0; s < row->segments.count; s++) run(row, s, GUIDED, DEPTH16, CHANNELS)

/* Lightness and chroma of one row to sRGB codes. */
EXPORT void combine(const Row *row) {
  if (row->depth16) {
    if (row->guided) ALL_RUNS(1, 1, row->channels);
    else ALL_RUNS(0, 1, row->channels);
  } else if (row->guided) {
    if (row->channels == 3) ALL_RUNS(1, 0, 3);
    else ALL_RUNS(1, 0, 4);
  } else if (row->channels == 3) ALL_RUNS(0, 0, 3);
  else ALL_RUNS(0, 0, 4);
}

/* Mean over 3 x 3, windows cut at the border. */
static void box_mean(const float *restrict in, int w, int h, float *restrict rows,
                     float *restrict out) {
  for (int y = 0; y < h; y++) {
    const float *a = in + y * w;
    float *to = rows + y * w;
    if (w == 1) {
      to[0] = a[0];
      continue;
    }
    to[0] = (a[0] + a[1]) / 2;
    for (int x = 1; x < w - 1; x++) to[x] = (a[x - 1] + a[x] + a[x + 1]) * (1.0f / 3);
    to[w - 1] = (a[w - 2] + a[w - 1]) / 2;
  }
  for (int y = 0; y < h; y++) {
    const float *at = rows + y * w;
    const float *above = y > 0 ? at - w : at, *below = y < h - 1 ? at + w : at;
    float *to = out + y * w;
    if (h == 1)
      for (int x = 0; x < w; x++) to[x] = at[x];
    else if (above == at || below == at)
      for (int x = 0; x < w; x++) to[x] = (above[x] + below[x]) / 2;
    else
      for (int x = 0; x < w; x++) to[x] = (above[x] + at[x] + below[x]) * (1.0f / 3);
  }
}

static inline float lower(float a, float b) { return b < a ? b : a; }
static inline float higher(float a, float b) { return a < b ? b : a; }

/* Lowest and highest value of each 3 x 3. */
static void neighbourhood(const float *restrict in, int w, int h, float *restrict rows,
                          float *restrict low, float *restrict high) {
#define EXTREME(PICK, OUT)                                                                     \
  for (int y = 0; y < h; y++) {                                                                \
    const float *a = in + y * w;                                                               \
    float *to = rows + y * w;                                                                  \
    for (int x = 1; x < w - 1; x++) to[x] = PICK(PICK(a[x - 1], a[x + 1]), a[x]);              \
    to[0] = w > 1 ? PICK(a[0], a[1]) : a[0];                                                   \
    if (w > 1) to[w - 1] = PICK(a[w - 2], a[w - 1]);                                           \
  }                                                                                            \
  for (int y = 0; y < h; y++) {                                                                \
    const float *at = rows + y * w;                                                            \
    const float *above = y > 0 ? at - w : at, *below = y < h - 1 ? at + w : at;                \
    float *to = OUT + y * w;                                                                   \
    for (int x = 0; x < w; x++) to[x] = PICK(PICK(above[x], below[x]), at[x]);                 \
  }
  EXTREME(lower, low)
  EXTREME(higher, high)
#undef EXTREME
}

/*
 * The planes of a guided grid (guided-filter.ts) from lightness f and chroma u, v, each w x h:
 * offset u, offset v, slope u, slope v, low, high. Scratch holds five planes.
 */
EXPORT void guided_grid(const float *restrict f, const float *u, const float *v, int w, int h,
                        float epsilon, float *restrict planes, float *restrict scratch) {
  const int count = w * h;
  float *mean = scratch, *spread = mean + count, *mean_p = spread + count;
  float *product = mean_p + count, *rows = product + count;
  box_mean(f, w, h, rows, mean);
  for (int i = 0; i < count; i++) product[i] = f[i] * f[i];
  box_mean(product, w, h, rows, spread);
  for (int i = 0; i < count; i++)
    spread[i] = higher(0, spread[i] - mean[i] * mean[i]) + epsilon;
  for (int plane = 0; plane < 2; plane++) {
    const float *p = plane == 0 ? u : v;
    float *offset = planes + plane * count, *slope = planes + (2 + plane) * count;
    box_mean(p, w, h, rows, mean_p);
    for (int i = 0; i < count; i++) product[i] = p[i] * f[i];
    box_mean(product, w, h, rows, slope);
    for (int i = 0; i < count; i++) product[i] = (slope[i] - mean[i] * mean_p[i]) / spread[i];
    box_mean(product, w, h, rows, slope);
    for (int i = 0; i < count; i++) offset[i] = p[i] - slope[i] * f[i];
  }
  neighbourhood(f, w, h, rows, planes + 4 * count, planes + 5 * count);
}
