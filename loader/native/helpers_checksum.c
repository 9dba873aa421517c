/* Internet checksums (RFC 1071) as net/core/filter.c offers them: sums of 16-bit words in host order
 * with end-around carry. A sum of nonzero words never folds to zero; the results rely on it. */
#include <errno.h>
#include <string.h>

#include "helpers.h"

static uint32_t fold64(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  return (uint32_t)sum;
}

static uint16_t fold(uint32_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)(sum + (sum >> 16));
}

static uint32_t add(uint32_t a, uint32_t b) { return fold64((uint64_t)a + b); }

static uint32_t sum_of(const uint8_t *data, uint32_t bytes, uint32_t seed) {
  uint64_t sum = seed;
  for (uint32_t i = 0; i + 4 <= bytes; i += 4) {
    uint32_t word;
    memcpy(&word, data + i, 4);
    sum += word;
  }
  return fold64(sum);
}

/* Folded to 16 bits on every architecture since Linux 6.13. */
static RF_HELPER(csum_diff) {
  uint32_t from_bytes = (uint32_t)r2, to_bytes = (uint32_t)r4, seed = (uint32_t)r5;
  if (((from_bytes | to_bytes) & 3) != 0) return (uint64_t)-EINVAL;
  const uint8_t *from = rf_pointer(r1), *to = rf_pointer(r3);
  if (from_bytes != 0 && to_bytes != 0)
    return fold(add(sum_of(to, to_bytes, seed), ~sum_of(from, from_bytes, 0)));
  if (to_bytes != 0) return fold(sum_of(to, to_bytes, seed));
  if (from_bytes != 0) return fold(~sum_of(from, from_bytes, ~seed));
  return seed;
}

/* The two bytes of a checksum field inside the packet; NULL with an error otherwise. */
static uint8_t *field_at(struct rf_run *run, uint32_t offset) {
  uint64_t length = (uint64_t)(run->end - run->data);
  if (offset > 0xffff || (offset & 1) != 0 || length < 2 || offset > length - 2) return NULL;
  return run->data + offset;
}

static uint16_t replaced_by_difference(uint16_t sum, uint32_t difference) {
  return (uint16_t)~fold(add(difference, ~(uint32_t)sum));
}

static uint16_t replaced4(uint16_t sum, uint32_t from, uint32_t to) {
  return (uint16_t)~fold(add(add(~(uint32_t)sum, ~from), to));
}

static uint16_t add16(uint16_t a, uint16_t b) {
  uint32_t sum = (uint32_t)a + b;
  return (uint16_t)(sum + (sum >> 16));
}

static uint16_t replaced2(uint16_t sum, uint16_t from, uint16_t to) {
  return (uint16_t)~add16(add16((uint16_t)~sum, (uint16_t)~from), to);
}

enum { SIZE_MASK = 0xf, PSEUDO = 0x10, MANGLED_ZERO = 0x20, ENFORCE = 0x40, IPV6 = 0x80 };

static RF_HELPER(l3_csum_replace) {
  uint8_t *field = field_at(run, (uint32_t)r2);
  uint16_t sum;
  if (r5 & ~(uint64_t)SIZE_MASK) return (uint64_t)-EINVAL;
  if (field == NULL) return (uint64_t)-EFAULT;
  memcpy(&sum, field, 2);
  switch (r5) {
    case 0:
      if (r3 != 0) return (uint64_t)-EINVAL;
      sum = replaced_by_difference(sum, (uint32_t)r4);
      break;
    case 2: sum = replaced2(sum, (uint16_t)r3, (uint16_t)r4); break;
    case 4: sum = replaced4(sum, (uint32_t)r3, (uint32_t)r4); break;
    default: return (uint64_t)-EINVAL;
  }
  memcpy(field, &sum, 2);
  return 0;
}

static RF_HELPER(l4_csum_replace) {
  uint8_t *field = field_at(run, (uint32_t)r2);
  bool mangled = (r5 & MANGLED_ZERO) != 0, enforce = (r5 & ENFORCE) != 0;
  uint16_t sum;
  if (r5 & ~(uint64_t)(SIZE_MASK | PSEUDO | MANGLED_ZERO | ENFORCE | IPV6)) return (uint64_t)-EINVAL;
  if (field == NULL) return (uint64_t)-EFAULT;
  memcpy(&sum, field, 2);
  /* UDP over IPv4: a zero field means that there is no checksum. */
  if (mangled && !enforce && sum == 0) return 0;
  switch (r5 & SIZE_MASK) {
    case 0:
      if (r3 != 0) return (uint64_t)-EINVAL;
      sum = replaced_by_difference(sum, (uint32_t)r4);
      break;
    case 2: sum = replaced4(sum, (uint16_t)r3, (uint16_t)r4); break;
    case 4: sum = replaced4(sum, (uint32_t)r3, (uint32_t)r4); break;
    default: return (uint64_t)-EINVAL;
  }
  if (mangled && sum == 0) sum = 0xffff;
  memcpy(field, &sum, 2);
  return 0;
}

/* Only buffers with a complete hardware checksum have one to update; ours have none. */
static RF_HELPER(csum_update) { return (uint64_t)-524; /* ENOTSUPP */ }
static RF_HELPER(csum_level) { return r2 == 0 ? (uint64_t)-EACCES : r2 <= 3 ? 0 : (uint64_t)-EINVAL; }

const struct rf_helper rf_checksum_helpers[] = {
    {10, l3_csum_replace}, {11, l4_csum_replace}, {28, csum_diff},
    {40, csum_update},     {135, csum_level},     {0, NULL}};
