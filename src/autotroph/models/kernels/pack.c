#include "common.h"

/* What `product` is given of a layer's weights [n, k], on the way forward or back. Returns whether there is a `product`
   at all, if `to` is null does nothing else. */
int pack(const number *W, long n, long k, int back, number *to) {
#ifdef TILED
    if (to && back) pack_columns(W, n, k, to);
    else if (to) pack_rows(W, n, k, to);
    return 1;
#endif
    return 0;
}
