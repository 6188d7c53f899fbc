/* Products of bf16 matrices that sum in float, in tiles: with AMX, or else with AVX512-BF16.

   The right side lies as the processor reads it, in tiles [n / 16, k / 32, 16, 16, 2]: sixteen columns, of which two rows
   stand together. For the sizes of small models that is about twice as fast as a BLAS, which arranges them each time. */
#if defined BF16 && defined __AVX512BF16__
#define TILED

/* Turn sixteen vectors of sixteen pairs of numbers: in four passes, blocks of 1, 2, 4, 8 across the diagonal. */
INLINE void turn(ints *rows) {
#pragma GCC unroll 4
    for (int size = 1; size < LANES; size *= 2) {
        ints low, high;
        for (int i = 0; i < LANES; i++) {
            low[i] = i & size ? LANES + i - size : i;
            high[i] = i & size ? LANES + i : i + size;
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            if (!(i & size)) {
                ints first = rows[i], second = rows[i + size];
                rows[i] = __builtin_shuffle(first, second, low);
                rows[i + size] = __builtin_shuffle(first, second, high);
            }
    }
}

/* Pairs of numbers below one another, of two rows of 16; a row that is null counts as zeros. */
INLINE ints paired(const number *upper, const number *lower) {
    const ints above = upper ? (ints)widened(*(const halves *)upper) : (ints){0};
    return lower ? above | (ints)(widened(*(const halves *)lower) << 16) : above;
}

/* The right side of x W^T: tiles of W [n, k], n filled up with zeros to a multiple of 16; k a multiple of 32. */
INLINE void pack_rows(const number *W, long n, long k, number *to) {
    for (long j = 0; j < n; j += LANES)
        for (long i = 0; i < k; i += 32, to += 512) {
            ints rows[LANES] = {0};
            for (long r = 0; r < LANES && j + r < n; r++) rows[r] = *(const ints_apart *)(W + (j + r) * k + i);
            turn(rows);
            for (long r = 0; r < LANES; r++) *(ints_apart *)(to + 32 * r) = rows[r];
        }
}

/* The right side of x Y: tiles of Y [k, n], k filled up with zeros to a multiple of 32; n a multiple of 16. */
INLINE void pack_columns(const number *Y, long k, long n, number *to) {
    for (long j = 0; j < n; j += LANES)
        for (long i = 0; i < k; i += 32, to += 512)
            for (long r = 0; r < 32; r += 2) {
                const number *upper = Y + (i + r) * n + j;
                *(ints_apart *)(to + LANES * r) = paired(i + r < k ? upper : 0, i + r + 1 < k ? upper + n : 0);
            }
}

/* to [n, k filled up to a multiple of 32] = Y^T, of rows Y [k, n] so far apart. */
INLINE void transpose(const number *Y, long k, long n, long apart, number *to) {
    const long filled = (k + 31) / 32 * 32;
    for (long j = 0; j < n; j += LANES)
        for (long i = 0; i < k; i += 32) {
            ints rows[LANES];
            for (long r = 0; r < LANES; r++) {
                const long upper = i + 2 * r;
                rows[r] = paired(
                    upper < k ? Y + upper * apart + j : 0, upper + 1 < k ? Y + (upper + 1) * apart + j : 0);
            }
            turn(rows);
            for (long r = 0; r < LANES; r++) *(ints_apart *)(to + (j + r) * filled + i) = rows[r];
        }
}

#ifdef __AMX_BF16__
typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} Tiles;

/* Accumulators are tiles 0 to 3, of which 2 and 3 are the lower rows; the left side is 4 and 5, the right one 6 and 7. */
INLINE void tiles_of(long rows) {
    Tiles tiles = {1};
    const long upper = rows < 16 ? rows : 16, lower = rows < 16 ? 0 : rows - 16;
    const long of[] = {upper, upper, lower, lower, upper, lower, 16, 16};
    for (int i = 0; i < 8; i++) tiles.rows[i] = of[i], tiles.bytes[i] = of[i] ? 64 : 0;
    _tile_loadconfig(&tiles);
}

#define ACCUMULATORS(act) { act(0) if (wide) act(1) if (tall) act(2) if (wide && tall) act(3) }
#define PLACE(i) (to + 16 * (i % 2) + 16 * (i / 2) * apart)
#define ZERO(i) _tile_zero(i);
#define LOAD(i) _tile_loadd(i, PLACE(i), apart * 4);
#define STORE(i) _tile_stored(i, PLACE(i), apart * 4);

/* Up to 16 or, if tall, 32 rows by 16 or, if wide, 32 columns. */
INLINE void block(
    const int tall, const int wide, long k, const number *left, long left_apart, const number *right, int add, float *to,
    long apart) {
    if (add) ACCUMULATORS(LOAD)
    else ACCUMULATORS(ZERO)
    for (long i = 0; i < k; i += 32, right += 512) {
        _tile_loadd(4, left + i, left_apart * 2);
        _tile_loadd(6, right, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (wide) _tile_loadd(7, right + 16 * k, 64);
        if (wide) _tile_dpbf16ps(1, 4, 7);
        if (tall) _tile_loadd(5, left + 16 * left_apart + i, left_apart * 2);
        if (tall) _tile_dpbf16ps(2, 5, 6);
        if (tall && wide) _tile_dpbf16ps(3, 5, 7);
    }
    ACCUMULATORS(STORE)
}

/* All columns of up to 16 or, if tall, 32 rows. */
INLINE void rows_of(
    const int tall, long n, long k, const number *left, long left_apart, const number *right, int add, float *to,
    long apart) {
    for (; n >= 32; n -= 32, right += 32 * k, to += 32) block(tall, 1, k, left, left_apart, right, add, to, apart);
    if (n) block(tall, 0, k, left, left_apart, right, add, to, apart);
}

#define NEAR (1 << 18) /* numbers that stay in the cache of a core beside other things */

/* to [m, n] = left [m, k] times packed right (n a multiple of 16, k of 32), added to what is there or not. */
static void product(
    long m, long n, long k, const number *left, long left_apart, const number *right, int add, float *to, long apart) {
    const long whole = m / 32 * 32;
    if (whole) tiles_of(32);
    const long step = n * k < NEAR ? n : 32; /* columns whose right side stays near while all rows pass it */
    for (long first = 0; first < n; first += step)
        for (long b = 0; b < whole; b += 32)
            rows_of(1, n - first < step ? n - first : step, k, left + b * left_apart, left_apart, right + first * k, add,
                    to + b * apart + first, apart);
    if (whole < m) {
        tiles_of(m - whole);
        left += whole * left_apart, to += whole * apart;
        if (m - whole > 16) rows_of(1, n, k, left, left_apart, right, add, to, apart);
        else rows_of(0, n, k, left, left_apart, right, add, to, apart);
    }
    _tile_release();
}
#else
/* R rows of the left side by 16 columns. */
INLINE void strip(
    const int R, long k, const number *left, long left_apart, const number *right, int add, float *to, long apart) {
    __m512 total[8];
    for (int r = 0; r < R; r++) total[r] = add ? _mm512_loadu_ps(to + r * apart) : _mm512_setzero_ps();
    for (long i = 0; i < k; i += 2) {
        const __m512bh pairs = (__m512bh)_mm512_loadu_si512(right + LANES * i);
        for (int r = 0; r < R; r++) {
            const __m512bh same = (__m512bh)_mm512_set1_epi32(*(const int32_t *)(left + r * left_apart + i));
            total[r] = _mm512_dpbf16_ps(total[r], same, pairs);
        }
    }
    for (int r = 0; r < R; r++) _mm512_storeu_ps(to + r * apart, total[r]);
}

/* to [m, n] = left [m, k] times packed right (n a multiple of 16, k of 32), added to what is there or not. */
static void product(
    long m, long n, long k, const number *left, long left_apart, const number *right, int add, float *to, long apart) {
    for (long j = 0; j < n; j += LANES, right += LANES * k) {
        long b = 0;
        for (; b + 8 <= m; b += 8) strip(8, k, left + b * left_apart, left_apart, right, add, to + b * apart + j, apart);
        for (; b < m; b++) strip(1, k, left + b * left_apart, left_apart, right, add, to + b * apart + j, apart);
    }
}
#endif
#endif
