/* From hidden states to tokens, and on to the next ones. */
#include "sampling.h"

INLINE float larger(float a, float b) { return a > b ? a : b; }

/* How many of V weights are `least` at least, or their sum. */
INLINE float mass(const float *weight, long V, float least, int counted) {
    vec total = {0}, one = total + 1;
    for (long i = 0; i < V; i += LANES) {
        vec x = *(const vec *)(weight + i);
        total += either(x >= total * 0 + least, counted ? one : x, (vec){0});
    }
    return sum(total);
}

/* The largest number such that the weights, in [0, 1], that are no smaller have a count, or a sum, of `enough`; at least
   `low`. Floats that are not negative are in the order of their bits. */
INLINE float threshold(const float *weight, long V, float low, float enough, int counted) {
    union { float number; uint32_t bits; } yes = {low}, no = {1}, middle;
    no.bits++;
    while (no.bits - yes.bits > 1) {
        middle.bits = yes.bits + (no.bits - yes.bits) / 2;
        if (mass(weight, V, middle.number, counted) >= enough) yes = middle;
        else no = middle;
    }
    return yes.number;
}

/* A token for each row of logits [B, V], and what the distributions say of it.

   The token is where the cumulative distribution of logits / temperature, cut off at top_k, top_p and min_p, passes
   `spin` [B], in (0, 1); at temperature 0 it is the likeliest one. Rows that are `early` [B] get none that is an end
   [V]. Out, [B] each: the token; its log-probability in the distribution that it was drawn from, and `raw` in that of
   the logits alone; the latter's entropy and mean log-probability. `wide` is room for V floats, rounded up. Returns
   whether all logits are finite. */
int choose(
    long rows, long V, const number *logits, const float *spin, const uint8_t *early, const uint8_t *is_end,
    float temperature, long top_k, float top_p, float min_p, float *wide, int64_t *token, float *drawn, float *raw,
    float *entropy, float *mean) {
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
            for (long i = 0; i < V; i += LANES)
                *(vec *)(wide + i) = exponential((*(vec *)(wide + i) - first) / temperature);
            float least = top_k > 0 && top_k < V ? threshold(wide, V, 0, top_k, 1) : 0;
            if (top_p < 1) least = threshold(wide, V, least, top_p * mass(wide, V, least, 0), 0);
            least = larger(least, min_p);
            total = mass(wide, V, least, 0);
            float passed = 0, goal = spin[b] * total;
            for (long i = 0; i < V && passed <= goal; i++)
                if (wide[i] > 0 && wide[i] >= least) passed += wide[i], chosen = i;
            drawn[b] = logf(wide[chosen] / total);
        }
        token[b] = chosen;
        vec x = chosen + LANES <= V ? load(logits + chosen) : rest(logits + chosen, V - chosen);
        raw[b] = x[0] - most - logs;
    }
    return 1;
}

/* Rows whose logits are made together: as few as a large vocabulary asks for. */
INLINE long at_once(long V) { return V < 8192 ? 128 : 32; }

/* The room of a choice, in floats. */
typedef struct {
    long wide, logits, one, token, figures, spin, early, end;
} Room;

INLINE Room room_for(const Sampling *run) {
    const long some = at_once(run->V);
    Room room = {0};
    room.wide = decode_room(run);
    room.logits = room.wide + some * padded(run->V);
    room.one = room.logits + some * padded(run->V);
    room.token = room.one + padded(run->V);
    room.figures = room.token + 2 * run->is.slots;
    room.spin = room.figures + 4 * some;
    room.early = room.spin + some;
    room.end = room.early + some;
    return room;
}

long sampling_room(const Sampling *run) { return room_for(run).end; }

/* A token [rows] for each row's hidden state, noted in its result. Returns whether all logits are finite. */
static int draw(Sampling *run, long rows, int64_t *token) {
    const long V = run->V, C = run->is.C, some = at_once(V);
    const Room at = room_for(run);
    float *wide = run->room + at.wide, *figures = run->room + at.figures, *spin = run->room + at.spin;
    number *logits = (number *)(run->room + at.logits);
    uint8_t *early = (uint8_t *)(run->room + at.early);
    for (long begin = 0; begin < rows; begin += some, token += some) {
        const long count = rows - begin < some ? rows - begin : some;
        const int64_t *row = run->row + begin;
        for (long b = 0; b < count; b++) {
            spin[b] = run->spin[row[b] * run->M + run->length[row[b]]];
            early[b] = run->length[row[b]] < run->min_tokens;
        }
        project(run->blas, count, V, C, run->hidden + begin * C, run->head, 0, 0, wide, padded(V));
        for (long b = 0; b < count; b++) narrowing(wide + b * padded(V), logits + b * V, V);
        float *drawn = figures, *raw = drawn + some, *entropy = raw + some, *mean = entropy + some;
        if (!choose(count, V, logits, spin, early, run->is_end, run->temperature, run->top_k, run->top_p, run->min_p,
                run->room + at.one, token, drawn, raw, entropy, mean))
            return 0;
        for (long b = 0; b < count; b++) {
            const long place = row[b] * run->M + run->length[row[b]]++;
            run->token[place] = token[b], run->logp[place] = drawn[b], run->raw[place] = raw[b];
            run->entropy[row[b]] += entropy[b];
            run->certainty[row[b]] -= mean[b] + logf(V);
            run->stopped[row[b]] = run->is_end[token[b]];
        }
    }
    return 1;
}

/* Move the rows that go on to the front, in their order, and the slots of the others behind them; returns how many. */
static long keep(const Sampling *run, long rows, int64_t *token) {
    long kept = 0;
    for (long b = 0; b < rows; b++) {
        const long row = run->row[b], slot = run->slot[b];
        if (run->stopped[row] || run->length[row] == run->limit[row]) continue;
        run->slot[b] = run->slot[kept], run->slot[kept] = slot;
        run->row[kept] = row, run->prompt[kept] = run->prompt[b];
        run->prompt_length[kept] = run->prompt_length[b];
        token[kept++] = token[b];
    }
    return kept;
}

/* Go on with the first `rows` rows until no more than `least` of them do, or for so many steps.
   Returns how many go on still, or -1 where a logit is not finite. */
long sample(Sampling *run, long rows, long least, long steps) {
    int64_t *token = (int64_t *)(run->room + room_for(run).token);
    for (; rows > least && steps > 0; steps--) {
        if (!draw(run, rows, token)) return -1;
        run->chosen += rows;
        rows = keep(run, rows, token);
        decode(run, rows, token);
        run->passed += rows;
    }
    return rows;
}
