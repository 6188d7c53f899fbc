/* Decoding, one new token a row: a decoder's pass and the choice of a token. */
#include "common.h"

/* out[n, s] = q[n] . k[s] for N queries and `M * LANES` positions; keys are [S / LANES, D, LANES]. */
INLINE void scores(const int N, const int M, const float *q, const number *keys, long stride, long D, float *out) {
    vec total[4][4] = {0};
    for (long d = 0; d < D; d++)
        for (int m = 0; m < M; m++) {
            vec key = load(keys + (m * D + d) * LANES);
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
    const int M = N == 1 ? 4 : 2; /* enough sums at a time to hide how long each takes */
    long s = 0, d = 0;
    for (; s + M * LANES <= stride && s < seen; s += M * LANES) scores(N, M, q, keys + s * D, stride, D, score + s);
    for (; s < seen; s += LANES) scores(N, 1, q, keys + s * D, stride, D, score + s);
    float scale[4];
    for (int n = 0; n < N; n++) {
        float *row = score + n * stride;
        for (long i = seen; i < s; i++) row[i] = -INFINITY;
        vec top = *(vec *)row, total = {0};
        for (long i = LANES; i < seen; i += LANES) top = either(*(vec *)(row + i) > top, *(vec *)(row + i), top);
        float most = largest(top);
        for (long i = 0; i < seen; i += LANES) {
            vec weight = exponential(*(vec *)(row + i) - most);
            *(vec *)(row + i) = weight;
            total += weight;
        }
        scale[n] = 1 / sum(total);
    }
    for (; d + M * LANES <= D; d += M * LANES) mixture(N, M, score, stride, values + d, D, seen, scale, out + d);
    for (; d < D; d += LANES) mixture(N, 1, score, stride, values + d, D, seen, scale, out + d);
}

/* Append a token's keys and values to its row's cache and attend from it to all that the row holds.

   qkv [(H + 2 K) D]; keys [K, stride / LANES, D, LANES]; values [K, stride, D]; `at`: positions that the row has
   already; turns [stride, D]: cosines, then sines of each position's angles, or null; out [H D]. */
INLINE void attend(
    const Shape *is, const Layer *layer, const float *qkv, number *keys, number *values, long at, const float *turns,
    float *score, number *out) {
    const long D = is->D, group = is->H / is->K;
    const float *turn = turns ? turns + at * D : 0, *key = qkv + is->H * D, *value = key + is->K * D;
    float q[group * D], new[D];
    number narrow[D];
    for (long k = 0; k < is->K; k++, keys += is->stride * D, values += is->stride * D, key += D, value += D) {
        for (long i = 0; i <= at * D; i += 64 / sizeof(number)) { /* what the next head will read, by cache lines */
            __builtin_prefetch(keys + is->stride * D + i, 0, 3);
            __builtin_prefetch(values + is->stride * D + i, 0, 3);
        }
        prepare(key, layer->k_norm, is->eps, turn, 1, D, new);
        for (long d = 0; d < D; d += LANES) {
            store(narrow + d, *(vec *)(new + d));
            store(values + at * D + d, *(const vec *)(value + d));
        }
        for (long d = 0; d < D; d++) keys[(at / LANES * D + d) * LANES + at % LANES] = narrow[d];
        for (long h = 0; h < group; h++, qkv += D)
            prepare(qkv, layer->q_norm, is->eps, turn, 1 / sqrtf(D), D, q + h * D);
        long h = 0;
        for (; h + 4 <= group; h += 4, out += 4 * D)
            heads(4, q + h * D, keys, values, is->stride, D, at + 1, score, out);
        for (; h < group; h++, out += D) heads(1, q + h * D, keys, values, is->stride, D, at + 1, score, out);
    }
}

#define AT_ONCE 128 /* rows that go through all layers together, and the part of I that they take at a time: */
#define INNER 512   /* few enough for what is between two products to stay near the core */

/* The parts of the room that `decode` needs, in floats. */
typedef struct {
    long x, wide, narrow, inner, score, end;
} Room;

INLINE Room room_for(const Shape *is) {
    long heads = is->H * is->D, qkv = heads + 2 * is->K * is->D, part = is->I < INNER ? is->I : INNER;
    Room room = {0};
    room.wide = AT_ONCE * is->C;
    room.narrow = room.wide + AT_ONCE * (qkv > 2 * part ? qkv : 2 * part);
    room.inner = room.narrow + AT_ONCE * (heads > is->C ? heads : is->C);
    room.score = room.inner + AT_ONCE * is->I;
    room.end = room.score + 4 * is->stride;
    return room;
}

long decode_room(const Shape *is) { return room_for(is).end; }

/* hidden [B, C] after one more token of each row, from its embedding in the same place.

   keys and values: of all layers, `slots` rows each, of which the first B are these; held [B]: positions of each. */
void decode(
    long rows, const Shape *is, const Layer *layers, const number *last_norm, number *keys, number *values,
    const int64_t *held, const float *turns, Blas *blas, float *room, number *hidden) {
    const long C = is->C, I = is->I, heads = is->H * is->D, groups = is->K * is->D, qkv = heads + 2 * groups;
    const long row = is->K * is->stride * is->D;
    const Room at = room_for(is);
    float *x = room + at.x, *wide = room + at.wide, *score = room + at.score;
    number *narrow = (number *)(room + at.narrow), *inner = (number *)(room + at.inner);
    for (long begin = 0; begin < rows; begin += AT_ONCE) {
        long count = rows - begin < AT_ONCE ? rows - begin : AT_ONCE;
        for (long i = 0; i < count * C; i += LANES) *(vec *)(x + i) = load(hidden + begin * C + i);
        for (long l = 0; l < is->layers; l++) {
            const Layer *layer = layers + l;
            normalise_rows(x, layer->attention_norm, narrow, count, C, is->eps);
            project(blas, count, heads, C, narrow, layer->q, layer->q_bias, wide, qkv);
            project(blas, count, groups, C, narrow, layer->k, layer->k_bias, wide + heads, qkv);
            project(blas, count, groups, C, narrow, layer->v, layer->v_bias, wide + heads + groups, qkv);
            for (long b = 0; b < count; b++) {
                long place = (l * is->slots + begin + b) * row, before = held[begin + b];
                attend(
                    is, layer, wide + b * qkv, keys + place, values + place, before, turns, score, narrow + b * heads);
            }
            multiply(blas, 'N', 'T', count, C, heads, narrow, heads, layer->o, heads, 1, x, C);
            normalise_rows(x, layer->mlp_norm, narrow, count, C, is->eps);
            for (long i = 0; i < I; i += INNER) {
                long part = I - i < INNER ? I - i : INNER;
                project(blas, count, part, C, narrow, layer->gate + i * C, 0, wide, part);
                project(blas, count, part, C, narrow, layer->up + i * C, 0, wide + count * part, part);
                for (long b = 0; b < count; b++)
                    swiglu(wide + b * part, wide + (count + b) * part, inner + b * I + i, part);
            }
            multiply(blas, 'N', 'T', count, C, I, inner, I, layer->down, I, 1, x, C);
        }
        normalise_rows(x, last_norm, hidden + begin * C, count, C, is->eps);
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
            top = either(x > top, x, top);
            odd += x * 0;
            sums += either(x > zero + NEVER, x, zero);
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
            for (long i = 0; i < V; i += LANES) top = either(*(vec *)(wide + i) > top, *(vec *)(wide + i), top);
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
