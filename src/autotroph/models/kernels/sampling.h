/* Sampling, as `Sampling` in `native.py` has it. Names as in `common.h`; N results of at most M tokens each. */
#include "common.h"

#define SLACK (4 * LANES) /* by how much scores may overshoot the positions that there are */

typedef struct {
    Shape is; /* stride and slots: of the rows' own tokens */
    long V, M, prompt_slots, prompt_stride;
    const Layer *layers;
    const number *embedding, *last_norm, *head;
    const float *turns; /* [., D]: cosines, then sines of each position's angles, or null */
    Blas *blas;
    number *prompt_keys, *prompt_values; /* of all layers, [slots, K, stride / LANES, D, LANES] and [slots, K, stride, D] */
    number *keys, *values;
    float *room; /* `sampling_room` floats */

    int64_t *row, *slot, *prompt, *prompt_length; /* of each row that goes on: whose result it is, and where it lies; */
    number *hidden;                               /* what the model made of its last token, [., C] */

    float temperature, top_p, min_p;
    long top_k, min_tokens;
    const uint8_t *is_end; /* [V] */
    const int64_t *limit;  /* [N] */
    const float *spin;     /* [N, M] */

    int64_t *token; /* [N, M] */
    float *logp, *raw;
    float *entropy, *certainty; /* [N], summed over tokens */
    int64_t *length;
    uint8_t *stopped;
    long chosen, passed; /* tokens that were drawn, and those that passed the model after it */
} Sampling;

/* run->hidden after one more token of each of the first `rows` rows. */
void decode(const Sampling *run, long rows, const int64_t *token);
long decode_room(const Sampling *run);
