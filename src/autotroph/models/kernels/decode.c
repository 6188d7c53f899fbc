/* A decoder's pass over one new token of each row. */
#include "sampling.h"

/* Some positions that a row sees: keys [stride / LANES, D, LANES] and values [stride, D], the first `seen` of them.
   `ahead`: how many numbers further lies what will be read next, and is fetched meanwhile. */
typedef struct {
    const number *keys, *values;
    long stride, seen, ahead;
} Part;

/* out[n, i] = q[n] . k[s + i] for N queries and `M * LANES` positions. */
INLINE void scores(const int N, const int M, const float *q, const Part *part, long s, long D, long apart, float *out) {
    const number *keys = part->keys + s * D;
    vec total[4][4] = {0};
    for (long d = 0; d < D; d++)
        for (int m = 0; m < M; m++) {
            const number *from = keys + (m * D + d) * LANES;
            __builtin_prefetch(from + part->ahead);
            vec key = load(from);
            for (int n = 0; n < N; n++) total[n][m] += q[n * D + d] * key;
        }
    for (int n = 0; n < N; n++)
        for (int m = 0; m < M; m++) *(vec *)(out + n * apart + m * LANES) = total[n][m];
}

/* out[n] = sum over s of weight[n, s] * v[s] for N queries and `M * LANES` of the D dimensions, from `at` on. */
INLINE void mixture(
    const int N, const int M, const float *weight, long apart, const Part *parts, long D, long at, const float *scale,
    number *out) {
    vec total[4][4] = {0};
    for (const Part *part = parts; part < parts + 2; weight += padded(part->seen), part++)
        for (long s = 0; s < part->seen; s++)
            for (int m = 0; m < M; m++) {
                const number *from = part->values + s * D + at + m * LANES;
                __builtin_prefetch(from + part->ahead);
                vec value = load(from);
                for (int n = 0; n < N; n++) total[n][m] += weight[n * apart + s] * value;
            }
    for (int n = 0; n < N; n++)
        for (int m = 0; m < M; m++) store(out + n * D + at + m * LANES, total[n][m] * scale[n]);
}

/* Attention of N query heads that share a key head; `score` has room for `apart` positions of each. */
INLINE void heads(const int N, const float *q, const Part *parts, long D, float *score, long apart, number *out) {
    const int M = N == 1 ? 4 : 2; /* enough sums at a time to hide how long each takes */
    long total_seen = 0, d = 0;
    for (const Part *part = parts; part < parts + 2; total_seen += padded(part->seen), part++) {
        float *place = score + total_seen;
        long s = 0;
        for (; s + M * LANES <= part->stride && s < part->seen; s += M * LANES)
            scores(N, M, q, part, s, D, apart, place + s);
        for (; s < part->seen; s += LANES) scores(N, 1, q, part, s, D, apart, place + s);
        for (int n = 0; n < N; n++)
            for (long i = part->seen; i < padded(part->seen); i++) place[n * apart + i] = -INFINITY;
    }
    float scale[4];
    for (int n = 0; n < N; n++) {
        float *row = score + n * apart;
        vec top = *(vec *)row, total = {0};
        for (long i = LANES; i < total_seen; i += LANES) top = either(*(vec *)(row + i) > top, *(vec *)(row + i), top);
        float most = largest(top);
        for (long i = 0; i < total_seen; i += LANES) {
            vec weight = exponential(*(vec *)(row + i) - most);
            *(vec *)(row + i) = weight;
            total += weight;
        }
        scale[n] = 1 / sum(total);
    }
    for (; d + M * LANES <= D; d += M * LANES) mixture(N, M, score, apart, parts, D, d, scale, out);
    for (; d < D; d += LANES) mixture(N, 1, score, apart, parts, D, d, scale, out);
}

/* Append a token's keys and values to its row's own and attend from it to them and to the prompt's.

   qkv [(H + 2 K) D]; `prompt` and the row's keys and values are those of the first key head; `at`: own positions that
   the row has already; out [H D]. What will be read next are the next head's, and after the last one those of another
   row, `next_prompt` and `next` numbers from this one's first. */
INLINE void attend(
    const Sampling *run, const Layer *layer, const float *qkv, Part prompt, number *keys, number *values, long at,
    long next_prompt, long next, float *score, number *out) {
    const Shape *is = &run->is;
    const long D = is->D, group = is->H / is->K, apart = run->prompt_stride + is->stride + SLACK;
    const float *turn = run->turns ? run->turns + (prompt.seen + at) * D : 0;
    const float *key = qkv + is->H * D, *value = key + is->K * D;
    float q[group * D], new[D];
    number narrow[D];
    for (long k = 0; k < is->K; k++, key += D, value += D) {
        const int last = k == is->K - 1;
        prompt.ahead = last ? next_prompt - k * run->prompt_stride * D : run->prompt_stride * D;
        const Part parts[2] = {
            prompt, {keys, values, is->stride, at + 1, last ? next - k * is->stride * D : is->stride * D}};
        prepare(key, layer->k_norm, is->eps, turn, 1, D, new);
        for (long d = 0; d < D; d += LANES) {
            store(narrow + d, *(vec *)(new + d));
            store(values + at * D + d, *(const vec *)(value + d));
        }
        for (long d = 0; d < D; d++) keys[(at / LANES * D + d) * LANES + at % LANES] = narrow[d];
        for (long h = 0; h < group; h++, qkv += D)
            prepare(qkv, layer->q_norm, is->eps, turn, 1 / sqrtf(D), D, q + h * D);
        long h = 0;
        for (; h + 4 <= group; h += 4, out += 4 * D) heads(4, q + h * D, parts, D, score, apart, out);
        for (; h < group; h++, out += D) heads(1, q + h * D, parts, D, score, apart, out);
        prompt.keys += run->prompt_stride * D, prompt.values += run->prompt_stride * D;
        keys += is->stride * D, values += is->stride * D;
    }
}

#define AT_ONCE 128 /* rows that go through all layers together, and the part of I that they take at a time: */
#define INNER 512   /* few enough for what is between two products to stay near the core */

/* The parts of the room that `decode` needs, in floats. */
typedef struct {
    long x, wide, narrow, inner, score, end;
} Room;

INLINE Room room_for(const Sampling *run) {
    const Shape *is = &run->is;
    long heads = is->H * is->D, qkv = heads + 2 * is->K * is->D, part = is->I < INNER ? is->I : INNER;
    Room room = {0};
    room.wide = AT_ONCE * is->C;
    room.narrow = room.wide + AT_ONCE * (qkv > 2 * part ? qkv : 2 * part);
    room.inner = room.narrow + AT_ONCE * (heads > is->C ? heads : is->C);
    room.score = room.inner + AT_ONCE * is->I;
    room.end = room.score + 4 * (run->prompt_stride + is->stride + SLACK);
    return room;
}

long decode_room(const Sampling *run) { return room_for(run).end; }

void decode(const Sampling *run, long rows, const int64_t *token) {
    const Shape *is = &run->is;
    const long C = is->C, I = is->I, D = is->D, heads = is->H * D, groups = is->K * D, qkv = heads + 2 * groups;
    const long row = groups * is->stride, prompt_row = groups * run->prompt_stride;
    const Room at = room_for(run);
    float *x = run->room + at.x, *wide = run->room + at.wide, *score = run->room + at.score;
    number *narrow = (number *)(run->room + at.narrow), *inner = (number *)(run->room + at.inner);
    for (long begin = 0; begin < rows; begin += AT_ONCE) {
        const long count = rows - begin < AT_ONCE ? rows - begin : AT_ONCE;
        for (long b = 0; b < count; b++)
            for (long i = 0; i < C; i += LANES)
                *(vec *)(x + b * C + i) = load(run->embedding + token[begin + b] * C + i);
        for (long l = 0; l < is->layers; l++) {
            const Layer *layer = run->layers + l;
            normalise_rows(x, layer->attention_norm, narrow, count, C, is->eps);
            project(run->blas, count, heads, C, narrow, layer->q, layer->q_bias, 0, wide, qkv);
            project(run->blas, count, groups, C, narrow, layer->k, layer->k_bias, 0, wide + heads, qkv);
            project(run->blas, count, groups, C, narrow, layer->v, layer->v_bias, 0, wide + heads + groups, qkv);
            for (long b = 0; b < count; b++) {
                const long r = begin + b, further = b + 1 < count, shared = run->prompt[r], own = run->slot[r];
                const Part prompt = {
                    run->prompt_keys + (l * run->prompt_slots + shared) * prompt_row,
                    run->prompt_values + (l * run->prompt_slots + shared) * prompt_row, run->prompt_stride,
                    run->prompt_length[r], 0};
                attend(
                    run, layer, wide + b * qkv, prompt, run->keys + (l * is->slots + own) * row,
                    run->values + (l * is->slots + own) * row, run->length[run->row[r]] - 1,
                    further ? (run->prompt[r + 1] - shared) * prompt_row : 0,
                    further ? (run->slot[r + 1] - own) * row : 0, score, narrow + b * heads);
            }
            project(run->blas, count, C, heads, narrow, layer->o, 0, 1, x, C);
            normalise_rows(x, layer->mlp_norm, narrow, count, C, is->eps);
            for (long i = 0; i < I; i += INNER) {
                const long part = I - i < INNER ? I - i : INNER;
                project(run->blas, count, part, C, narrow, layer->gate + i * C, 0, 0, wide, part);
                project(run->blas, count, part, C, narrow, layer->up + i * C, 0, 0, wide + count * part, part);
                for (long b = 0; b < count; b++)
                    swiglu(wide + b * part, wide + (count + b) * part, inner + b * I + i, part);
            }
            project(run->blas, count, C, I, inner, layer->down, 0, 1, x, C);
        }
        normalise_rows(x, run->last_norm, run->hidden + begin * C, count, C, is->eps);
    }
}
