/* Nothing: what a call costs, so that it can be told from the work. */
#include "bench.h"

BENCH(empty, data, end) { return data > end; }
