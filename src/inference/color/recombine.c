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

static inline float root_of(const float *roots, float y) {
  float at = y * ROOT_STEPS;
  int i = (int)at;
  return roots[i] + (roots[i + 1] - roots[i]) * (at - (float)i);
}

/* Samples to f. light: linear light of each code; grey: f of each code; roots: Y to f. */
#define LIGHTNESS(NAME, SAMPLE)                                                                \
  EXPORT void NAME(const SAMPLE *in, int channels, int width, const float *light,              \
                   const float *grey, const float *roots, float *f) {                          \
    if (channels < 3) {                                                                        \
      for (int x = 0; x < width; x++, in += channels) f[x] = grey[*in];                        \
      return;                                                                                  \
    }                                                                                          \
    for (int x = 0; x < width; x++, in += channels) {                                          \
      SAMPLE r = in[0], g = in[1], b = in[2];                                                  \
      f[x] = r == g && g == b                                                                  \
                 ? grey[r]                                                                     \
                 : root_of(roots, 0.212671f * light[r] + 0.71516f * light[g] +                 \
                                      0.072169f * light[b]);                                   \
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

static inline v128_t cube(v128_t f) {
  v128_t power = wasm_f32x4_mul(wasm_f32x4_mul(f, f), f);
  v128_t line = wasm_f32x4_mul(wasm_f32x4_sub(f, wasm_f32x4_splat(F_BLACK)),
                               wasm_f32x4_splat(KNEE_INVERSE));
  return wasm_v128_bitselect(power, line, wasm_f32x4_gt(f, wasm_f32x4_splat(F_KNEE)));
}

static inline float absolute(float x) { return __builtin_fabsf(x); }

/* Factor 0..1 that brings (u, v) at lightness f into gamut along its hue; as gamut.ts. */
static float gamut_factor(const float *table, float f, float u, float v) {
  float length = absolute(u) + absolute(v);
  if (length < 1e-9f) return 1;
  float t = u / length;
  float angle = v >= 0 ? 1 - t : 3 + t;
  float row = (f - F_BLACK) * (GAMUT_ROWS / (1 - F_BLACK));
  float column = angle * (GAMUT_COLUMNS / 4);
  row = row < 0 ? 0 : row > GAMUT_ROWS ? GAMUT_ROWS : row;
  int i = (int)row, j = (int)column;
  i = i < GAMUT_ROWS ? i : GAMUT_ROWS - 1;
  j = j < 0 ? 0 : j < GAMUT_COLUMNS ? j : GAMUT_COLUMNS - 1;
  const float *upper = table + i * (GAMUT_COLUMNS + 1) + j;
  const float *lower = upper + GAMUT_COLUMNS + 1;
  float p = column - (float)j;
  float a = upper[0] + (upper[1] - upper[0]) * p;
  float b = lower[0] + (lower[1] - lower[0]) * p;
  float factor = (a + (b - a) * (row - (float)i)) / length;
  return factor < 1 ? factor : 1;
}

typedef struct {
  v128_t r, g, b;
} Light;

static inline Light light_of(v128_t y, v128_t f, v128_t u, v128_t v) {
  v128_t x = cube(wasm_f32x4_add(f, u)), z = cube(wasm_f32x4_add(f, v));
#define CHANNEL(i)                                                                             \
  fma4(wasm_f32x4_splat(M[i][0]), x,                                                           \
       fma4(wasm_f32x4_splat(M[i][1]), y, wasm_f32x4_mul(wasm_f32x4_splat(M[i][2]), z)))
  return (Light){CHANNEL(0), CHANNEL(1), CHANNEL(2)};
#undef CHANNEL
}

/* Four pixels to linear RGB; out of gamut chroma shrinks (gamut table) or RGB is clipped (none). */
static inline Light shade(v128_t f, v128_t u, v128_t v, const float *gamut) {
  v128_t y = cube(f);
  Light light = light_of(y, f, u, v);
  v128_t low = wasm_f32x4_pmin(wasm_f32x4_pmin(light.r, light.g), light.b);
  v128_t high = wasm_f32x4_pmax(wasm_f32x4_pmax(light.r, light.g), light.b);
  v128_t outside = wasm_v128_or(wasm_f32x4_lt(low, wasm_f32x4_splat(0)),
                                wasm_f32x4_gt(high, wasm_f32x4_splat(1)));
  if (gamut && __builtin_expect(wasm_v128_any_true(outside), 0)) {
    float fs[4], us[4], vs[4], factor[4];
    wasm_v128_store(fs, f);
    wasm_v128_store(us, u);
    wasm_v128_store(vs, v);
    for (int i = 0; i < 4; i++) factor[i] = gamut_factor(gamut, fs[i], us[i], vs[i]);
    v128_t k = wasm_v128_bitselect(wasm_v128_load(factor), wasm_f32x4_splat(1), outside);
    light = light_of(y, f, wasm_f32x4_mul(u, k), wasm_f32x4_mul(v, k));
  }
  return light;
}

static inline v128_t clamped(v128_t light) {
  return wasm_f32x4_mul(
      wasm_f32x4_pmin(wasm_f32x4_pmax(light, wasm_f32x4_splat(0)), wasm_f32x4_splat(1)),
      wasm_f32x4_splat(CURVE_STEPS));
}

/* Linear light to codes: 8 bit by the nearest of 16,384 steps, 16 bit by interpolation. */
static inline void store8(Light l, uint8_t *out, int channels, const uint8_t *codes) {
  const v128_t half = wasm_f32x4_splat(0.5f);
  v128_t r = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_add(clamped(l.r), half));
  v128_t g = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_add(clamped(l.g), half));
  v128_t b = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_add(clamped(l.b), half));
#define PIXEL(i)                                                                               \
  out[i * channels] = codes[wasm_i32x4_extract_lane(r, i)];                                    \
  out[i * channels + 1] = codes[wasm_i32x4_extract_lane(g, i)];                                \
  out[i * channels + 2] = codes[wasm_i32x4_extract_lane(b, i)];
  PIXEL(0) PIXEL(1) PIXEL(2) PIXEL(3)
#undef PIXEL
}

static inline void store16(Light l, uint16_t *out, int channels, const float *curve) {
  const v128_t planes[3] = {clamped(l.r), clamped(l.g), clamped(l.b)};
  for (int c = 0; c < 3; c++) {
    float at[4];
    wasm_v128_store(at, planes[c]);
    for (int i = 0; i < 4; i++) {
      int k = (int)at[i];
      out[i * channels + c] =
          (uint16_t)(curve[k] + (curve[k + 1] - curve[k]) * (at[i] - (float)k));
    }
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
