/* A decoder's pass over whole sequences: prompts, and in training the gradients of its weights. */
#include "common.h"

#define CHUNK 512 /* tokens that go through all layers together, whole sequences of them */
#define BLOCK 64   /* queries that attend together: what lies after all of them is not even computed */

typedef struct { /* gradients of a layer's weights, which are added to */
    float *attention_norm, *q, *k, *v, *q_bias, *k_bias, *v_bias, *q_norm, *k_norm, *o, *mlp_norm, *gate, *up, *down;
} Gradient;

typedef struct {
    Shape is;
    const Layer *layers, *turned; /* for the way forward, and for the way back */
    const number *last_norm;
    long B, T;                /* sequences, and positions of each */
    const int64_t *positions; /* [B, T], or null where they are counted from 0 */
    const int64_t *branches;  /* [B, T], or null: a position sees earlier ones of branch 0 and of its own */
    const float *turns;       /* [., D]: cosines, then sines of each position's angles, or null */
    Blas *blas, *single;      /* on numbers, and on floats */
    float *tape, *room;       /* `tape_size` floats from forward to backward; `room_size` for the time of a call */
} Pass;

INLINE long qkv_size(const Shape *is) { return (is->H + 2 * is->K) * is->D; }
INLINE long floats(long numbers) { return numbers * (long)sizeof(number) / (long)sizeof(float); }
INLINE long filled(long T) { return (T + 31) / 32 * 32; }
INLINE long sequences(const Pass *pass) { return pass->T < CHUNK ? CHUNK / pass->T : 1; }

/* What backward needs of a layer, from one token on: the residual stream before attention and before the MLP, and what
   the products made. */
typedef struct {
    number *before, *between, *qkv, *mixed, *gate, *up;
} Tape;

INLINE long taped(const Shape *is) { return floats(2 * is->C + qkv_size(is) + is->H * is->D + 2 * is->I); }

INLINE Tape tape(const Pass *pass, long layer, long token) {
    const Shape *is = &pass->is;
    const long M = pass->B * pass->T;
    number *from = (number *)(pass->tape + M * (is->C + layer * taped(is)));
    const long C = is->C, qkv = qkv_size(is), heads = is->H * is->D;
    return (Tape){
        from + token * C, from + (M + token) * C, from + 2 * M * C + token * qkv,
        from + M * (2 * C + qkv) + token * heads, from + M * (2 * C + qkv + heads) + token * is->I,
        from + M * (2 * C + qkv + heads + is->I) + token * is->I};
}

long tape_size(const Pass *pass) { return pass->B * pass->T * (pass->is.C + pass->is.layers * taped(&pass->is)); }

/* The room of a call: of a chunk's tokens, and what one head of one sequence needs. */
typedef struct {
    float *wide, *x, *dx, *dn, *mixed, *bias;
    number *narrow, *other, *inner, *gate, *up, *left, *right;
    float *q, *k, *v, *dq, *dk, *dv, *weights, *dweights;
} Room;

static long lay_out(const Pass *pass, Room *room) {
    const Shape *is = &pass->is;
    const long M = sequences(pass) * pass->T, T = pass->T, TD = T * is->D, qkv = qkv_size(is), heads = is->H * is->D;
    const long width = qkv > is->I ? qkv : is->I, side = floats(filled(M) * (width > is->C ? width : is->C));
    float **parts[] = {&room->wide, &room->x, &room->dx, &room->dn, &room->mixed, &room->bias, (float **)&room->narrow,
        (float **)&room->other, (float **)&room->inner, (float **)&room->gate, (float **)&room->up, (float **)&room->left,
        (float **)&room->right, &room->q, &room->k, &room->v, &room->dq, &room->dk, &room->dv, &room->weights, &room->dweights};
    const long sizes[] = {M * width, M * is->C, M * is->C, M * is->C, M * heads, M * padded(T), M * is->C, M * is->C, M * width,
        M * is->I, M * is->I, side, side, TD, TD, TD, TD, TD, TD, BLOCK * padded(T), BLOCK * padded(T)};
    long size = 0;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *parts[i] = pass->room + size;
        size += padded(sizes[i]);
    }
    return size;
}

long room_size(const Pass *pass) {
    Room room;
    return lay_out(pass, &room);
}

/* bias [T, padded T] of a sequence: 0 where a position sees another, NEVER elsewhere. */
static void seen(const Pass *pass, long sequence, float *bias) {
    const int64_t *branch = pass->branches ? pass->branches + sequence * pass->T : 0;
    for (long t = 0; t < pass->T; t++, bias += padded(pass->T))
        for (long s = 0; s < padded(pass->T); s++)
            bias[s] = s <= t && (!branch || branch[s] == 0 || branch[s] == branch[t]) ? 0 : NEVER;
}

INLINE const float *turn_of(const Pass *pass, long sequence, long t) {
    if (!pass->turns) return 0;
    return pass->turns + (pass->positions ? pass->positions[sequence * pass->T + t] : t) * pass->is.D;
}

/* One head of a sequence as attention sees it, [T, D]; `from`: its part of the first token's qkv. */
INLINE void head(
    const Pass *pass, long sequence, const number *from, const number *norm, int turned, float scale, float *to) {
    const long D = pass->is.D;
    float raw[D];
    for (long t = 0; t < pass->T; t++, from += qkv_size(&pass->is), to += D) {
        for (long d = 0; d < D; d += LANES) *(vec *)(raw + d) = load(from + d);
        prepare(raw, norm, pass->is.eps, turned ? turn_of(pass, sequence, t) : 0, scale, D, to);
    }
}

/* dx += gradient of x, dweight += that of the weight, of weight * x / rms(x) whose gradient is dy; [size]. */
INLINE void normalise_back(
    const float *x, const number *weight, const float *dy, float *dx, float *dweight, long size, float eps) {
    vec squares = {0}, dots = {0};
    for (long i = 0; i < size; i += LANES) {
        vec value = *(const vec *)(x + i);
        squares += value * value;
        dots += value * *(const vec *)(dy + i) * load(weight + i);
    }
    float scale = 1 / sqrtf(sum(squares) / size + eps), pull = sum(dots) * scale * scale * scale / size;
    for (long i = 0; i < size; i += LANES) {
        vec value = *(const vec *)(x + i), slope = *(const vec *)(dy + i) * scale;
        *(vec *)(dx + i) += slope * load(weight + i) - value * pull;
        *(vec *)(dweight + i) += slope * value;
    }
}

/* The way back through `head`: from `dy`, which is spoilt, to the head's part of dqkv. */
INLINE void head_back(
    const Pass *pass, long sequence, const number *from, const number *norm, int turned, float scale, float *dy,
    float *dnorm, float *dqkv) {
    const long D = pass->is.D, qkv = qkv_size(&pass->is);
    float raw[D];
    for (long t = 0; t < pass->T; t++, from += qkv, dy += D, dqkv += qkv) {
        const float *turn = turned ? turn_of(pass, sequence, t) : 0;
        if (turn)
            for (long d = 0; d < D / 2; d++) {
                float first = dy[d], second = dy[D / 2 + d], cosine = turn[d], sine = turn[D / 2 + d];
                dy[d] = first * cosine + second * sine;
                dy[D / 2 + d] = second * cosine - first * sine;
            }
        for (long d = 0; d < D; d += LANES) {
            *(vec *)(dy + d) *= scale;
            *(vec *)(dqkv + d) = norm ? (vec){0} : *(vec *)(dy + d);
            *(vec *)(raw + d) = load(from + d);
        }
        if (norm) normalise_back(raw, norm, dy, dqkv, dnorm, D, pass->is.eps);
    }
}

/* Attention weights [count, padded T] of the queries from `begin` on over the positions up to their last one. */
INLINE void weigh(const Pass *pass, const Room *room, const float *bias, long begin, long count) {
    const long apart = padded(pass->T), D = pass->is.D, end = begin + count;
    multiply(pass->single, 'N', 'T', count, end, D, room->q + begin * D, D, room->k, D, 0, room->weights, apart);
    for (long t = 0; t < count; t++) {
        float *row = room->weights + t * apart;
        const float *hidden = bias + (begin + t) * apart;
        for (long s = end; s < padded(end); s++) row[s] = 0;
        vec top = {0}, total = {0};
        top += NEVER;
        for (long s = 0; s < end; s += LANES) {
            vec score = *(vec *)(row + s) + *(const vec *)(hidden + s);
            *(vec *)(row + s) = score;
            top = either(score > top, score, top);
        }
        float most = largest(top);
        for (long s = 0; s < end; s += LANES) {
            vec weight = exponential(*(vec *)(row + s) - most);
            *(vec *)(row + s) = weight;
            total += weight;
        }
        float share = 1 / sum(total);
        for (long s = 0; s < end; s += LANES) *(vec *)(row + s) *= share;
    }
}

/* Attention of one sequence: mixed [T, H D] of qkv. */
static void mix(
    const Pass *pass, const Room *room, const Layer *layer, long sequence, const float *bias, const number *qkv,
    number *mixed) {
    const Shape *is = &pass->is;
    const long D = is->D, T = pass->T, heads = is->H * D;
    for (long h = 0; h < is->H; h++) {
        const long group = h / (is->H / is->K);
        if (h % (is->H / is->K) == 0) {
            head(pass, sequence, qkv + heads + group * D, layer->k_norm, 1, 1, room->k);
            head(pass, sequence, qkv + heads + (is->K + group) * D, 0, 0, 1, room->v);
        }
        head(pass, sequence, qkv + h * D, layer->q_norm, 1, 1 / sqrtf(D), room->q);
        for (long begin = 0; begin < T; begin += BLOCK) {
            const long count = T - begin < BLOCK ? T - begin : BLOCK, end = begin + count;
            weigh(pass, room, bias, begin, count);
            multiply(pass->single, 'N', 'N', count, D, end, room->weights, padded(T), room->v, D, 0, room->dv, D);
            for (long t = 0; t < count; t++)
                for (long d = 0; d < D; d += LANES)
                    store(mixed + (begin + t) * heads + h * D + d, *(vec *)(room->dv + t * D + d));
        }
    }
}

/* The way back: dqkv [T, (H + 2 K) D] from dmixed [T, H D]. */
static void mix_back(
    const Pass *pass, const Room *room, const Layer *layer, const Gradient *gradient, long sequence, const float *bias,
    const number *qkv, const number *mixed, const float *dmixed, float *dqkv) {
    const Shape *is = &pass->is;
    const long D = is->D, T = pass->T, heads = is->H * D, apart = padded(T), each = is->H / is->K;
    for (long h = 0; h < is->H; h++) {
        const long group = h / each, k_at = heads + group * D, v_at = k_at + is->K * D;
        if (h % each == 0) {
            head(pass, sequence, qkv + k_at, layer->k_norm, 1, 1, room->k);
            head(pass, sequence, qkv + v_at, 0, 0, 1, room->v);
            for (long i = 0; i < T * D; i++) room->dk[i] = room->dv[i] = 0;
        }
        head(pass, sequence, qkv + h * D, layer->q_norm, 1, 1 / sqrtf(D), room->q);
        for (long begin = 0; begin < T; begin += BLOCK) {
            const long count = T - begin < BLOCK ? T - begin : BLOCK, end = begin + count;
            const float *dout = dmixed + begin * heads + h * D;
            weigh(pass, room, bias, begin, count);
            multiply(pass->single, 'T', 'N', end, D, count, room->weights, apart, dout, heads, 1, room->dv, D);
            multiply(pass->single, 'N', 'T', count, end, D, dout, heads, room->v, D, 0, room->dweights, apart);
            for (long t = 0; t < count; t++) {
                float *slope = room->dweights + t * apart;
                vec dots = {0};
                for (long d = 0; d < D; d += LANES)
                    dots += *(const vec *)(dout + t * heads + d) * load(mixed + (begin + t) * heads + h * D + d);
                float dot = sum(dots);
                for (long s = 0; s < end; s += LANES)
                    *(vec *)(slope + s) = (*(vec *)(slope + s) - dot) * *(vec *)(room->weights + t * apart + s);
            }
            multiply(
                pass->single, 'N', 'N', count, D, end, room->dweights, apart, room->k, D, 0, room->dq + begin * D, D);
            multiply(
                pass->single, 'T', 'N', end, D, count, room->dweights, apart, room->q + begin * D, D, 1, room->dk, D);
        }
        head_back(
            pass, sequence, qkv + h * D, layer->q_norm, 1, 1 / sqrtf(D), room->dq, gradient->q_norm, dqkv + h * D);
        if (h % each == each - 1) {
            head_back(pass, sequence, qkv + k_at, layer->k_norm, 1, 1, room->dk, gradient->k_norm, dqkv + k_at);
            head_back(pass, sequence, qkv + v_at, 0, 0, 1, room->dv, 0, dqkv + v_at);
        }
    }
}

INLINE void copy(const float *from, float *to, long size) {
    for (long i = 0; i < size; i += LANES) *(vec *)(to + i) = *(const vec *)(from + i);
}

/* hidden [B T, C] from embeddings in the same place; fills the tape. */
void forward(const Pass *pass, number *hidden) {
    const Shape *is = &pass->is;
    const long C = is->C, I = is->I, heads = is->H * is->D, groups = is->K * is->D, qkv = heads + 2 * groups, T = pass->T;
    Room room;
    lay_out(pass, &room);
    for (long first = 0; first < pass->B; first += sequences(pass)) {
        const long some = pass->B - first < sequences(pass) ? pass->B - first : sequences(pass);
        const long m = some * T, token = first * T;
        float *x = room.dx;
        for (long i = 0; i < m * C; i += LANES) *(vec *)(x + i) = load(hidden + token * C + i);
        for (long b = 0; b < some; b++) seen(pass, first + b, room.bias + b * T * padded(T));
        for (long l = 0; l < is->layers; l++) {
            const Layer *layer = pass->layers + l;
            const Tape now = tape(pass, l, token);
            narrowing(x, now.before, m * C);
            normalise_rows(x, layer->attention_norm, room.narrow, m, C, is->eps);
            project(pass->blas, m, heads, C, room.narrow, layer->q, layer->q_bias, 0, room.wide, qkv);
            project(pass->blas, m, groups, C, room.narrow, layer->k, layer->k_bias, 0, room.wide + heads, qkv);
            project(pass->blas, m, groups, C, room.narrow, layer->v, layer->v_bias, 0, room.wide + heads + groups, qkv);
            narrowing(room.wide, now.qkv, m * qkv);
            for (long b = 0; b < some; b++)
                mix(pass, &room, layer, first + b, room.bias + b * T * padded(T), now.qkv + b * T * qkv,
                    now.mixed + b * T * heads);
            project(pass->blas, m, C, heads, now.mixed, layer->o, 0, 1, x, C);
            narrowing(x, now.between, m * C);
            normalise_rows(x, layer->mlp_norm, room.narrow, m, C, is->eps);
            project(pass->blas, m, I, C, room.narrow, layer->gate, 0, 0, room.wide, I);
            narrowing(room.wide, now.gate, m * I);
            project(pass->blas, m, I, C, room.narrow, layer->up, 0, 0, room.wide, I);
            for (long i = 0; i < m * I; i += LANES) {
                vec gate = load(now.gate + i), up = *(vec *)(room.wide + i);
                store(now.up + i, up);
                store(room.inner + i, gate * sigmoid(gate) * up);
            }
            project(pass->blas, m, C, I, room.inner, layer->down, 0, 1, x, C);
        }
        copy(x, pass->tape + token * C, m * C);
        normalise_rows(x, pass->last_norm, hidden + token * C, m, C, is->eps);
    }
}

/* Put keys and values of the sequences of a pass into slots [B] of a cache of the shape `kept`. */
void remember(const Pass *pass, const Shape *kept, const int64_t *slot, number *keys, number *values) {
    const long D = kept->D, K = kept->K, T = pass->T, heads = kept->H * D;
    float raw[D], key[D];
    number narrow[D];
    for (long l = 0; l < kept->layers; l++)
        for (long b = 0; b < pass->B; b++)
            for (long t = 0; t < T; t++)
                for (long k = 0; k < K; k++) {
                    const number *from = tape(pass, l, b * T + t).qkv + heads + k * D;
                    const long row = ((l * kept->slots + slot[b]) * K + k) * kept->stride * D;
                    for (long d = 0; d < D; d += LANES) *(vec *)(raw + d) = load(from + d);
                    prepare(raw, pass->layers[l].k_norm, kept->eps, turn_of(pass, b, t), 1, D, key);
                    narrowing(key, narrow, D);
                    for (long d = 0; d < D; d++) {
                        keys[row + (t / LANES * D + d) * LANES + t % LANES] = narrow[d];
                        values[row + t * D + d] = from[K * D + d];
                    }
                }
}

INLINE void widening(const number *from, float *to, long size) {
    for (long i = 0; i < size; i += LANES) *(vec *)(to + i) = load(from + i);
}

/* dx [m, k] of x W^T, W [n, k], whose gradient is dy [m, n] in rows so far apart; added to what is there or not. */
INLINE void project_back(
    Blas *blas, long m, long n, long k, const number *dy, long apart, const number *W, int add, float *dx) {
#ifdef TILED
    if (!blas) product(m, k, n, dy, apart, W, add, dx, k);
#endif
    if (blas) multiply(blas, 'N', 'N', m, k, n, dy, apart, W, k, add, dx, k);
}

/* x [m, k] as `learn` takes it. */
INLINE const number *learnable(const Pass *pass, const Room *room, long m, long k, const number *x) {
#ifdef TILED
    if (!pass->blas) return pack_columns(x, m, k, room->right), room->right;
#endif
    return x;
}

/* Add the gradient of W [n, k], which gave x W^T on m rows; dy [m, n] in rows so far apart. */
INLINE void learn(
    const Pass *pass, const Room *room, long m, long n, long k, const number *dy, long apart, const number *x,
    float *gradient) {
#ifdef TILED
    if (!pass->blas) {
        transpose(dy, m, n, apart, room->left);
        product(n, k, filled(m), room->left, filled(m), x, 1, gradient, k);
    }
#endif
    if (pass->blas) multiply(pass->blas, 'T', 'N', n, k, m, dy, apart, x, k, 1, gradient, k);
}

/* dx, the gradient of the stream after a chunk's MLP, becomes that of the stream before it. */
static void mlp_back(const Pass *pass, const Room *room, long l, const Gradient *gradient, Tape was, long m) {
    const Layer *layer = pass->layers + l, *turned = pass->turned + l;
    const long C = pass->is.C, I = pass->is.I;
    narrowing(room->dx, room->narrow, m * C);
    project_back(pass->blas, m, C, I, room->narrow, C, turned->down, 0, room->wide);
    for (long i = 0; i < m * I; i += LANES) {
        vec gate = load(was.gate + i), up = load(was.up + i), open = sigmoid(gate), slope = *(vec *)(room->wide + i);
        store(room->inner + i, gate * open * up);
        store(room->gate + i, slope * up * open * (1 + gate * (1 - open)));
        store(room->up + i, slope * gate * open);
    }
    learn(pass, room, m, C, I, room->narrow, C, learnable(pass, room, m, I, room->inner), gradient->down);
    widening(was.between, room->x, m * C);
    normalise_rows(room->x, layer->mlp_norm, room->other, m, C, pass->is.eps);
    const number *x = learnable(pass, room, m, C, room->other);
    learn(pass, room, m, I, C, room->gate, I, x, gradient->gate);
    learn(pass, room, m, I, C, room->up, I, x, gradient->up);
    project_back(pass->blas, m, I, C, room->gate, I, turned->gate, 0, room->dn);
    project_back(pass->blas, m, I, C, room->up, I, turned->up, 1, room->dn);
    for (long b = 0; b < m; b++)
        normalise_back(
            room->x + b * C, layer->mlp_norm, room->dn + b * C, room->dx + b * C, gradient->mlp_norm, C,
            pass->is.eps);
}

/* The same for its attention. */
static void attention_back(
    const Pass *pass, const Room *room, long l, const Gradient *gradient, Tape was, long first, long some) {
    const Layer *layer = pass->layers + l, *turned = pass->turned + l;
    const Shape *is = &pass->is;
    const long C = is->C, T = pass->T, m = some * T, heads = is->H * is->D, groups = is->K * is->D;
    const long qkv = heads + 2 * groups;
    narrowing(room->dx, room->narrow, m * C);
    learn(pass, room, m, C, heads, room->narrow, C, learnable(pass, room, m, heads, was.mixed), gradient->o);
    project_back(pass->blas, m, C, heads, room->narrow, C, turned->o, 0, room->mixed);
    for (long b = 0; b < some; b++)
        mix_back(pass, room, layer, gradient, first + b, room->bias + b * T * padded(T), was.qkv + b * T * qkv,
            was.mixed + b * T * heads, room->mixed + b * T * heads, room->wide + b * T * qkv);
    narrowing(room->wide, room->inner, m * qkv);
    widening(was.before, room->x, m * C);
    normalise_rows(room->x, layer->attention_norm, room->other, m, C, is->eps);
    const number *x = learnable(pass, room, m, C, room->other);
    const struct {
        long at, size;
        const number *weight;
        float *gradient, *bias;
    } parts[] = {
        {0, heads, turned->q, gradient->q, gradient->q_bias},
        {heads, groups, turned->k, gradient->k, gradient->k_bias},
        {heads + groups, groups, turned->v, gradient->v, gradient->v_bias}};
    for (int i = 0; i < 3; i++) {
        const long at = parts[i].at, size = parts[i].size;
        learn(pass, room, m, size, C, room->inner + at, qkv, x, parts[i].gradient);
        project_back(pass->blas, m, size, C, room->inner + at, qkv, parts[i].weight, i > 0, room->dn);
        if (parts[i].bias)
            for (long b = 0; b < m; b++)
                for (long j = 0; j < size; j += LANES)
                    *(vec *)(parts[i].bias + j) += *(vec *)(room->wide + b * qkv + at + j);
    }
    for (long b = 0; b < m; b++)
        normalise_back(
            room->x + b * C, layer->attention_norm, room->dn + b * C, room->dx + b * C, gradient->attention_norm, C,
            is->eps);
}

/* From the gradient of hidden [B T, C] to that of the embeddings, in the same place; the weights' are added to. */
void backward(const Pass *pass, const Gradient *gradients, float *last_norm, number *dhidden) {
    const Shape *is = &pass->is;
    const long C = is->C, T = pass->T;
    Room room;
    lay_out(pass, &room);
    for (long first = 0; first < pass->B; first += sequences(pass)) {
        const long some = pass->B - first < sequences(pass) ? pass->B - first : sequences(pass);
        const long m = some * T, token = first * T;
        for (long i = 0; i < m * C; i += LANES) {
            *(vec *)(room.dn + i) = load(dhidden + token * C + i);
            *(vec *)(room.dx + i) = (vec){0};
        }
        for (long b = 0; b < m; b++)
            normalise_back(
                pass->tape + (token + b) * C, pass->last_norm, room.dn + b * C, room.dx + b * C, last_norm, C, is->eps);
        for (long b = 0; b < some; b++) seen(pass, first + b, room.bias + b * T * padded(T));
        for (long l = is->layers - 1; l >= 0; l--) {
            mlp_back(pass, &room, l, gradients + l, tape(pass, l, token), m);
            attention_back(pass, &room, l, gradients + l, tape(pass, l, token), first, some);
        }
        narrowing(room.dx, dhidden + token * C, m * C);
    }
}
