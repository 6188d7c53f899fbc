/* What decoding and training share. `native.py` compiles all of this folder and calls it.

   Weights and cache are bf16 where BF16 is defined, else float; sums and the residual stream are float. Vectors are of
   sixteen floats, which the compiler maps to whatever the processor has. Names: B rows, H query heads, K key heads,
   D head size, I inner size, C hidden size, S and T positions, V vocabulary. */
#include <math.h>
#include <stdint.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define LANES 16
typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(64)));
typedef int32_t ints_apart __attribute__((vector_size(64), aligned(2), may_alias));
typedef uint32_t bits __attribute__((vector_size(64)));
#define INLINE static inline __attribute__((always_inline))

#ifdef BF16
typedef uint16_t number;
typedef uint16_t halves __attribute__((vector_size(32), aligned(2), may_alias));

INLINE bits widened(halves x) {
#ifdef __AVX512F__ /* what gcc 12 makes of the line below takes four instructions */
    return (bits)_mm512_cvtepu16_epi32((__m256i)x);
#endif
    return __builtin_convertvector(x, bits);
}

INLINE halves narrowed(bits x) {
#ifdef __AVX512F__
    return (halves)_mm512_cvtepi32_epi16((__m512i)x);
#endif
    return __builtin_convertvector(x, halves);
}

INLINE vec load(const number *from) { return (vec)(widened(*(const halves *)from) << 16); }

INLINE void store(number *to, vec x) { /* to the nearest, ties to even */
#ifdef __AVX512BF16__
    *(halves *)to = (halves)_mm512_cvtneps_pbh((__m512)x);
#else
    bits raw = (bits)x;
    *(halves *)to = narrowed((raw + 0x7fff + ((raw >> 16) & 1)) >> 16);
#endif
}
#else
typedef float number;
INLINE vec load(const number *from) { return *(const vec *)from; }
INLINE void store(number *to, vec x) { *(vec *)to = x; }
#endif

INLINE void narrowing(const float *from, number *to, long size) {
    for (long i = 0; i < size; i += LANES) store(to + i, *(const vec *)(from + i));
}

INLINE float sum(vec x) {
    float part[4] = {0};
    for (int i = 0; i < LANES; i += 4)
        for (int j = 0; j < 4; j++) part[j] += x[i + j];
    return part[0] + part[1] + (part[2] + part[3]);
}

INLINE float largest(vec x) {
    float part[4] = {x[0], x[1], x[2], x[3]};
    for (int i = 4; i < LANES; i += 4)
        for (int j = 0; j < 4; j++) part[j] = x[i + j] > part[j] ? x[i + j] : part[j];
    float low = part[0] > part[1] ? part[0] : part[1], high = part[2] > part[3] ? part[2] : part[3];
    return low > high ? low : high;
}

INLINE vec either(ints mask, vec yes, vec no) { return (vec)((mask & (ints)yes) | (~mask & (ints)no)); }

/* A number of positions, in whole vectors. */
INLINE long padded(long T) { return (T + LANES - 1) / LANES * LANES; }

#define NEVER (-1e30f) /* a logit of probability 0 that arithmetic can bear */

/* The `count` numbers that are left of an array, the other lanes NEVER. */
INLINE vec rest(const number *from, long count) {
    number copy[LANES] = {0};
    for (long i = 0; i < count; i++) copy[i] = from[i];
    vec x = load(copy);
    for (long i = count; i < LANES; i++) x[i] = NEVER;
    return x;
}

/* exp(x) by 2^n * p(r) with |r| <= ln 2 / 2; relative error under 2e-7; 0 below -87 and the largest float above 88. */
INLINE vec exponential(vec x) {
    vec zero = {0};
    x = either(x > zero + 88, zero + 88, x);
    ints dead = x < zero - 87;
    vec shifted = x * 1.442695041f + 12582912.0f; /* 1.5 * 2^23: the sum's last bits are the nearest whole number */
    ints whole = (ints)shifted - 0x4b400000;
    vec n = shifted - 12582912.0f;
    vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return either(dead, zero, (vec)((ints)p + (whole << 23)));
}

/* out = weight * x / rms(x), [size]. */
INLINE void normalise(const float *x, const number *weight, float *out, long size, float eps) {
    vec squares = {0};
    for (long i = 0; i < size; i += LANES) squares += *(const vec *)(x + i) * *(const vec *)(x + i);
    float scale = 1 / sqrtf(sum(squares) / size + eps);
    for (long i = 0; i < size; i += LANES) *(vec *)(out + i) = *(const vec *)(x + i) * scale * load(weight + i);
}

/* to = silu(gate) * up. */
INLINE void swiglu(const float *gate, const float *up, number *to, long size) {
    for (long i = 0; i < size; i += LANES) {
        vec x = *(const vec *)(gate + i);
        store(to + i, x / (1 + exponential(-x)) * *(const vec *)(up + i));
    }
}

/* A query or key of one head: normalised where there is a weight, turned where there are angles, times `scale`. */
INLINE void prepare(
    const float *from, const number *weight, float eps, const float *turn, float scale, long D, float *to) {
    for (long d = 0; d < D; d += LANES) *(vec *)(to + d) = *(const vec *)(from + d) * scale;
    if (weight) {
        normalise(from, weight, to, D, eps);
        for (long d = 0; d < D; d += LANES) *(vec *)(to + d) *= scale;
    }
    if (turn)
        for (long d = 0; d < D / 2; d++) {
            float first = to[d], second = to[D / 2 + d], cosine = turn[d], sine = turn[D / 2 + d];
            to[d] = first * cosine - second * sine;
            to[D / 2 + d] = second * cosine + first * sine;
        }
}

typedef struct {
    long C, I, H, K, D, stride, layers, slots; /* stride: positions of a row's cache, a multiple of LANES */
    float eps;
} Shape;

typedef struct { /* weights as torch keeps them, [out, in]; null where the family has none */
    const number *attention_norm, *q, *k, *v, *q_bias, *k_bias, *v_bias, *q_norm, *k_norm, *o;
    const number *mlp_norm, *gate, *up, *down;
} Layer;

INLINE void normalise_rows(const float *x, const number *weight, number *to, long rows, long size, float eps) {
    float wide[size];
    for (long b = 0; b < rows; b++, x += size, to += size) {
        normalise(x, weight, wide, size, eps);
        for (long i = 0; i < size; i += LANES) store(to + i, *(vec *)(wide + i));
    }
}

/* The BLAS of torch, `sgemm_` or, on two arrays of bf16, `gemm_bf16bf16f32_`. */
typedef void Blas(
    const char *op_A, const char *op_B, const int *m, const int *n, const int *k, const float *alpha, const void *A,
    const int *lda, const void *B, const int *ldb, const float *beta, float *C, const int *ldc);

/* to [m, n] = x y + beta to, all row-major, rows so far apart. x is [m, k], or as 'T' [k, m]; y [k, n], or [n, k]. */
INLINE void multiply(
    Blas *blas, char x_as, char y_as, int m, int n, int k, const void *x, int x_apart, const void *y, int y_apart,
    float beta, float *to, int to_apart) {
    const float one = 1; /* BLAS is column-major: it is given the transposed product */
    blas(&y_as, &x_as, &n, &m, &k, &one, y, &y_apart, x, &x_apart, &beta, to, &to_apart);
}

#include "product.h"

/* Weights W [n, k] of a layer are as torch keeps them, or packed where there is no `blas`: as `pack_rows` does for the
   way forward, as `pack_columns` does for the way back. */

/* to = x W^T on rows x [m, k], plus a bias [n] where there is one, added to what is there or not. */
INLINE void project(
    Blas *blas, long m, long n, long k, const number *x, const number *W, const number *bias, int add, float *to,
    long apart) {
#ifdef TILED
    if (!blas) product(m, padded(n), k, x, k, W, add, to, apart);
#endif
    if (blas) multiply(blas, 'N', 'T', m, n, k, x, k, W, k, add, to, apart);
    if (bias)
        for (long b = 0; b < m; b++)
            for (long i = 0; i < n; i += LANES) *(vec *)(to + b * apart + i) += load(bias + i);
}

INLINE vec sigmoid(vec x) { return 1 / (1 + exponential(-x)); }
