/* Decoding, one new token a row: all that stands between the matrix products, fused. `native.py` compiles and calls it.

   Arrays are row-major and hold bf16 where BF16 is defined, else float; arithmetic is float throughout. Vectors are of
   sixteen floats, which the compiler maps to whatever the processor has. Names: B rows, H query heads, K key heads,
   D head size, I inner size, C hidden size, S cached positions. */
#include <math.h>
#include <stdint.h>

#define LANES 16
typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(64)));
typedef uint32_t bits __attribute__((vector_size(64)));
#define INLINE static inline __attribute__((always_inline))

#ifdef BF16
typedef uint16_t number;
typedef uint16_t halves __attribute__((vector_size(32), aligned(2), may_alias));

INLINE vec load(const number *from) {
    return (vec)(__builtin_convertvector(*(const halves *)from, bits) << 16);
}

INLINE void store(number *to, vec x) { /* to the nearest, ties to even */
    bits raw = (bits)x;
    *(halves *)to = __builtin_convertvector((raw + 0x7fff + ((raw >> 16) & 1)) >> 16, halves);
}
#else
typedef float number;
INLINE vec load(const number *from) { return *(const vec *)from; }
INLINE void store(number *to, vec x) { *(vec *)to = x; }
#endif

INLINE float sum(vec x) {
    float total = 0;
    for (int i = 0; i < LANES; i++) total += x[i];
    return total;
}

INLINE float largest(vec x) {
    float most = x[0];
    for (int i = 1; i < LANES; i++) most = x[i] > most ? x[i] : most;
    return most;
}

INLINE vec select(ints mask, vec yes, vec no) { return (vec)((mask & (ints)yes) | (~mask & (ints)no)); }

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
    x = select(x > zero + 88, zero + 88, x);
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
    return select(dead, zero, (vec)((ints)p + (whole << 23)));
}

/* out = weight * x / rms(x), [size]; `x` may be `out`. */
INLINE void normalise(const float *x, const number *weight, float *out, long size, float eps) {
    vec squares = {0};
    for (long i = 0; i < size; i += LANES) squares += *(const vec *)(x + i) * *(const vec *)(x + i);
    float scale = 1 / sqrtf(sum(squares) / size + eps);
    for (long i = 0; i < size; i += LANES) *(vec *)(out + i) = *(const vec *)(x + i) * scale * load(weight + i);
}

/* x += delta (unless it is null), then out = weight * x / rms(x); [B, C] each. */
void rms_norm(long rows, long size, number *x, const number *delta, const number *weight, float eps, number *out) {
    float wide[size];
    for (long b = 0; b < rows; b++, x += size, out += size) {
        for (long i = 0; i < size; i += LANES) {
            if (delta) store(x + i, load(x + i) + load(delta + b * size + i));
            *(vec *)(wide + i) = load(x + i);
        }
        normalise(wide, weight, wide, size, eps);
        for (long i = 0; i < size; i += LANES) store(out + i, *(vec *)(wide + i));
    }
}

/* out = silu(gate) * up, [B, I], of gate and up side by side, [B, 2 I]. */
void swiglu(long rows, long size, const number *gate_up, number *out) {
    for (long b = 0; b < rows; b++, gate_up += 2 * size, out += size)
        for (long i = 0; i < size; i += LANES) {
            vec gate = load(gate_up + i);
            store(out + i, gate / (1 + exponential(-gate)) * load(gate_up + size + i));
        }
}

/* scores[n, s] = q[n] . k[:, s] for N queries and `M * LANES` positions from `s` on; keys are [D, stride]. */
INLINE void scores(const int N, const int M, const float *q, const number *keys, long stride, long D, float *out) {
    vec total[4][4] = {0};
    for (long d = 0; d < D; d++)
        for (int m = 0; m < M; m++) {
            vec key = load(keys + d * stride + m * LANES);
            for (int n = 0; n < N; n++) total[n][m] += q[n * D + d] * key;
        }
    for (int n = 0; n < N; n++)
        for (int m = 0; m < M; m++) *(vec *)(out + n * stride + m * LANES) = total[n][m];
}

/* out[n] = sum over s of weight[n, s] * v[s] for N queries and `M * LANES` of the D dimensions; values are [S, D]. */
INLINE void mixture(
    const int N, const int M, const float *weight, long stride, const number *values, long D, long seen,
    const float *scale, number *out) {
    vec total[4][4] = {0};
    for (long s = 0; s < seen; s++)
        for (int m = 0; m < M; m++) {
            vec value = load(values + s * D + m * LANES);
            for (int n = 0; n < N; n++) total[n][m] += weight[n * stride + s] * value;
        }
    for (int n = 0; n < N; n++)
        for (int m = 0; m < M; m++) store(out + n * D + m * LANES, total[n][m] * scale[n]);
}

/* Attention of N query heads that share a key head; `stride` positions are allocated, a multiple of LANES. */
INLINE void heads(
    const int N, const float *q, const number *keys, const number *values, long stride, long D, long seen, float *score,
    number *out) {
    long s = 0;
    for (; s + 2 * LANES <= stride && s < seen; s += 2 * LANES) scores(N, 2, q, keys + s, stride, D, score + s);
    for (; s < seen; s += LANES) scores(N, 1, q, keys + s, stride, D, score + s);
    float scale[4];
    for (int n = 0; n < N; n++) {
        float *row = score + n * stride;
        for (long i = seen; i < s; i++) row[i] = -INFINITY;
        vec top = *(vec *)row, total = {0};
        for (long i = LANES; i < seen; i += LANES) top = select(*(vec *)(row + i) > top, *(vec *)(row + i), top);
        float most = largest(top);
        for (long i = 0; i < seen; i += LANES) {
            vec weight = exponential(*(vec *)(row + i) - most);
            *(vec *)(row + i) = weight;
            total += weight;
        }
        scale[n] = 1 / sum(total);
    }
    long d = 0;
    for (; d + 2 * LANES <= D; d += 2 * LANES) mixture(N, 2, score, stride, values + d, D, seen, scale, out + d);
    for (; d < D; d += LANES) mixture(N, 1, score, stride, values + d, D, seen, scale, out + d);
}

/* q, k or v of one head as floats: normalised where there is a weight, turned where there are angles. */
INLINE void prepare(const number *from, const number *weight, float eps, const float *turn, long D, float *to) {
    for (long d = 0; d < D; d += LANES) *(vec *)(to + d) = load(from + d);
    if (weight) normalise(to, weight, to, D, eps);
    if (turn)
        for (long d = 0; d < D / 2; d++) {
            float first = to[d], second = to[D / 2 + d], cosine = turn[d], sine = turn[D / 2 + d];
            to[d] = first * cosine - second * sine;
            to[D / 2 + d] = second * cosine + first * sine;
        }
}

/* Append a token's keys and values to each row's cache and attend from it to all that its row holds.

   qkv [B, (H + 2 K) D]; keys [., K, D, stride] and values [., K, stride, D] from the first row on; held [B]: positions
   that each row has already, where the new one goes; turns [stride, D]: cosines, then sines of each position, or null;
   out [B, H D]. */
void attend(
    long rows, long H, long K, long D, long stride, const number *qkv, number *keys, number *values,
    const int64_t *held, const float *turns, const number *q_weight, const number *k_weight, float eps, number *out) {
    long group = H / K;
    float q[group * D], new[D], score[4 * stride];
    for (long b = 0; b < rows; b++, qkv += (H + 2 * K) * D, out += H * D) {
        long at = held[b], seen = at + 1;
        const float *turn = turns ? turns + at * D : 0;
        for (long k = 0; k < K; k++, keys += D * stride, values += stride * D) {
            prepare(qkv + (H + k) * D, k_weight, eps, turn, D, new);
#ifdef BF16
            number narrow[D];
            for (long d = 0; d < D; d += LANES) store(narrow + d, *(vec *)(new + d));
#else
            const number *narrow = new;
#endif
            for (long d = 0; d < D; d++) {
                keys[d * stride + at] = narrow[d];
                values[at * D + d] = qkv[(H + K + k) * D + d];
            }
            for (long h = 0; h < group; h++) {
                prepare(qkv + (k * group + h) * D, q_weight, eps, turn, D, q + h * D);
                for (long d = 0; d < D; d++) q[h * D + d] *= 1 / sqrtf(D);
            }
            number *to = out + k * group * D;
            long h = 0;
            for (; h + 4 <= group; h += 4) heads(4, q + h * D, keys, values, stride, D, seen, score, to + h * D);
            for (; h < group; h++) heads(1, q + h * D, keys, values, stride, D, seen, score, to + h * D);
        }
    }
}

/* A token for each row of logits [B, V], and what the distributions say of it.

   The token is where the cumulative distribution of logits / temperature passes `spin` [B], in (0, 1); at temperature 0
   it is the likeliest one. Rows that are `early` [B] get none that is an end [V]. Out, [B] each: the token; its
   log-probability in the distribution that it was drawn from, and `raw` in that of the logits alone; the latter's
   entropy and mean log-probability. `wide` is room for V floats, rounded up. Returns whether all logits are finite. */
int choose(
    long rows, long V, const number *logits, const float *spin, const uint8_t *early, const uint8_t *is_end,
    float temperature, float *wide, int64_t *token, float *drawn, float *raw, float *entropy, float *mean) {
    for (long b = 0; b < rows; b++, logits += V) {
        vec zero = {0}, top = zero + NEVER, sums = zero, odd = zero, totals = zero, moments = zero;
        for (long i = 0; i < V; i += LANES) {
            vec x = i + LANES <= V ? load(logits + i) : rest(logits + i, V - i);
            *(vec *)(wide + i) = x;
            top = select(x > top, x, top);
            odd += x * 0;
            sums += select(x > zero + NEVER, x, zero);
        }
        if (sum(odd) != 0) return 0;
        float most = largest(top);
        for (long i = 0; i < V; i += LANES) {
            vec x = *(vec *)(wide + i) - most, weight = exponential(x);
            totals += weight;
            moments += weight * x;
        }
        float total = sum(totals), logs = logf(total);
        entropy[b] = logs - sum(moments) / total;
        mean[b] = sum(sums) / V - most - logs;

        if (early[b]) {
            for (long i = 0; i < V; i++)
                if (is_end[i]) wide[i] = NEVER;
            top = zero + NEVER;
            for (long i = 0; i < V; i += LANES) top = select(*(vec *)(wide + i) > top, *(vec *)(wide + i), top);
        }
        float first = largest(top);
        long chosen = 0;
        if (temperature == 0) {
            while (wide[chosen] != first) chosen++;
            drawn[b] = 0;
        } else {
            totals = zero;
            for (long i = 0; i < V; i += LANES) {
                vec weight = exponential((*(vec *)(wide + i) - first) / temperature);
                *(vec *)(wide + i) = weight;
                totals += weight;
            }
            total = sum(totals);
            float passed = 0, goal = spin[b] * total;
            for (long i = 0; i < V && passed <= goal; i++)
                if (wide[i] > 0) passed += wide[i], chosen = i;
            drawn[b] = logf(wide[chosen] / total);
        }
        token[b] = chosen;
        vec x = chosen + LANES <= V ? load(logits + chosen) : rest(logits + chosen, V - chosen);
        raw[b] = x[0] - most - logs;
    }
    return 1;
}
