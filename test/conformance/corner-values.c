/*
 * Writes the generated conformance cases: what every arithmetic, byte-order, extension, jump and
 * atomic instruction yields on all pairs of corner values.
 *
 * The expected results come from the C compiler and the processor, not from isa/evaluate.ts, so that
 * an error there cannot confirm itself. What RFC 9669 defines and C leaves undefined is written out:
 * division by zero, modulo zero, the most negative number divided by -1, and wide shifts.
 *
 *     cc -O1 -fwrapv -o corner-values corner-values.c && ./corner-values cases
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t (*alu_fn)(uint64_t a, uint64_t b);
typedef int (*jump_fn)(uint64_t a, uint64_t b);

static const uint64_t CORNERS[] = {
  0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000,
  0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x7fffffff00000001,
  0x123456789abcdef0, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
  0xffffffff00000000, 0xffffffff7fffffff, 0xffffffff80000000, 0xffffffffffff8000,
  0xffffffffffffff80, 0xfffffffffffffffe, 0xffffffffffffffff,
};
#define CORNER_COUNT ((int)(sizeof(CORNERS) / sizeof(CORNERS[0])))

/* The corners of the corners, where two operands meet. */
static const uint64_t PAIRED[] = {
  0, 1, 2, 31, 33, 63, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x123456789abcdef0,
  0x7fffffffffffffff, 0x8000000000000000, 0xffffffff80000000, 0xfffffffffffffffe, 0xffffffffffffffff,
};
#define PAIRED_COUNT ((int)(sizeof(PAIRED) / sizeof(PAIRED[0])))

static const int32_t IMMEDIATES[] = { 0, 1, 2, 31, 32, 63, -1, -2, 0x7fffffff, INT32_MIN };
#define IMMEDIATE_COUNT ((int)(sizeof(IMMEDIATES) / sizeof(IMMEDIATES[0])))

#define ALU(name, s32, s64) \
  static uint64_t name##64(uint64_t a, uint64_t b) { int64_t sa = a, sb = b; (void)a, (void)sa, (void)sb; return s64; } \
  static uint64_t name##32(uint64_t wa, uint64_t wb) { \
    uint32_t a = wa, b = wb; int32_t sa = a, sb = b; (void)a, (void)sa, (void)sb; return (uint32_t)(s32); }
#define SAME(name, expression) ALU(name, expression, expression)

SAME(add, a + b)
SAME(sub, a - b)
SAME(mul, a * b)
SAME(div_, b == 0 ? 0 : a / b)
SAME(mod_, b == 0 ? a : a % b)
SAME(sdiv, sb == 0 ? 0 : sb == -1 ? -sa : sa / sb)
SAME(smod, sb == 0 ? sa : sb == -1 ? 0 : sa % sb)
SAME(or_, a | b)
SAME(and_, a & b)
SAME(xor_, a ^ b)
ALU(lsh, a << (b & 31), a << (b & 63))
ALU(rsh, a >> (b & 31), a >> (b & 63))
ALU(arsh, sa >> (b & 31), sa >> (b & 63))
ALU(mov, b, b)

static const struct {
  const char *name, *operator, *group;
  alu_fn wide, narrow;
} ALUS[] = {
  { "add", "+=", "base", add64, add32 },     { "sub", "-=", "base", sub64, sub32 },
  { "mul", "*=", "divmul", mul64, mul32 },   { "div", "/=", "divmul", div_64, div_32 },
  { "mod", "%=", "divmul", mod_64, mod_32 }, { "sdiv", "s/=", "divmul", sdiv64, sdiv32 },
  { "smod", "s%=", "divmul", smod64, smod32 }, { "or", "|=", "base", or_64, or_32 },
  { "and", "&=", "base", and_64, and_32 },   { "xor", "^=", "base", xor_64, xor_32 },
  { "lsh", "<<=", "base", lsh64, lsh32 },    { "rsh", ">>=", "base", rsh64, rsh32 },
  { "arsh", "s>>=", "base", arsh64, arsh32 }, { "mov", "=", "base", mov64, mov32 },
};

#define UNARY(name, expression) static uint64_t name(uint64_t a, uint64_t b) { (void)b; return expression; }
UNARY(neg64, -a)
UNARY(neg32, (uint32_t)-(uint32_t)a)
UNARY(le16, (uint16_t)a)
UNARY(le32, (uint32_t)a)
UNARY(le64, a)
UNARY(swap16, __builtin_bswap16((uint16_t)a))
UNARY(swap32, __builtin_bswap32((uint32_t)a))
UNARY(swap64, __builtin_bswap64(a))
UNARY(sx64_8, (uint64_t)(int64_t)(int8_t)a)
UNARY(sx64_16, (uint64_t)(int64_t)(int16_t)a)
UNARY(sx64_32, (uint64_t)(int64_t)(int32_t)a)
UNARY(sx32_8, (uint32_t)(int32_t)(int8_t)a)
UNARY(sx32_16, (uint32_t)(int32_t)(int16_t)a)

static const struct {
  const char *name, *group, *text;
  alu_fn apply;
} UNARIES[] = {
  { "neg64", "base64", "r3 = -r3", neg64 },      { "neg32", "base32", "w3 = -w3", neg32 },
  { "le16", "base32", "r3 = le16 r3", le16 },    { "le32", "base32", "r3 = le32 r3", le32 },
  { "le64", "base64", "r3 = le64 r3", le64 },    { "be16", "base32", "r3 = be16 r3", swap16 },
  { "be32", "base32", "r3 = be32 r3", swap32 },  { "be64", "base64", "r3 = be64 r3", swap64 },
  { "bswap16", "base32", "r3 = bswap16 r3", swap16 },
  { "bswap32", "base32", "r3 = bswap32 r3", swap32 },
  { "bswap64", "base64", "r3 = bswap64 r3", swap64 },
  { "movsx64_8", "base64", "r3 = (s8)r3", sx64_8 },
  { "movsx64_16", "base64", "r3 = (s16)r3", sx64_16 },
  { "movsx64_32", "base64", "r3 = (s32)r3", sx64_32 },
  { "movsx32_8", "base32", "w3 = (s8)w3", sx32_8 },
  { "movsx32_16", "base32", "w3 = (s16)w3", sx32_16 },
};

#define JUMP(name, expression) \
  static int name##64(uint64_t a, uint64_t b) { int64_t sa = a, sb = b; (void)sa, (void)sb; return expression; } \
  static int name##32(uint64_t wa, uint64_t wb) { \
    uint32_t a = wa, b = wb; int32_t sa = a, sb = b; (void)sa, (void)sb; return expression; }
JUMP(jeq, a == b)
JUMP(jne, a != b)
JUMP(jset, (a & b) != 0)
JUMP(jgt, a > b)
JUMP(jge, a >= b)
JUMP(jlt, a < b)
JUMP(jle, a <= b)
JUMP(jsgt, sa > sb)
JUMP(jsge, sa >= sb)
JUMP(jslt, sa < sb)
JUMP(jsle, sa <= sb)

static const struct {
  const char *name, *operator;
  jump_fn wide, narrow;
} JUMPS[] = {
  { "jeq", "==", jeq64, jeq32 },    { "jne", "!=", jne64, jne32 },    { "jset", "&", jset64, jset32 },
  { "jgt", ">", jgt64, jgt32 },     { "jge", ">=", jge64, jge32 },    { "jlt", "<", jlt64, jlt32 },
  { "jle", "<=", jle64, jle32 },    { "jsgt", "s>", jsgt64, jsgt32 }, { "jsge", "s>=", jsge64, jsge32 },
  { "jslt", "s<", jslt64, jslt32 }, { "jsle", "s<=", jsle64, jsle32 },
};

static FILE *open_cases(const char *folder, const char *name, const char *about) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *out = fopen(path, "w");
  if (!out) {
    perror(path);
    exit(1);
  }
  fprintf(out, "# %s\n# Generated by test/conformance/corner-values.c.\n", about);
  return out;
}

static void begin(FILE *out, const char *name, const char *suffix, const char *group) {
  fprintf(out, "\n-- case %s%s\n-- group %s\nr3 = *(u64 *)(r1 + 0)\n", name, suffix, group);
}

static void write_alu(const char *folder) {
  FILE *out = open_cases(folder, "alu-register.txt", "Arithmetic with two registers on corner values.");
  for (size_t i = 0; i < sizeof ALUS / sizeof ALUS[0]; i++) {
    for (int width = 64; width >= 32; width -= 32) {
      char name[32], group[32];
      snprintf(name, sizeof name, "%s%d_reg", ALUS[i].name, width);
      snprintf(group, sizeof group, "%s%d", ALUS[i].group, width);
      const char letter = width == 64 ? 'r' : 'w';
      begin(out, name, "", group);
      fprintf(out, "r4 = *(u64 *)(r1 + 8)\n%c3 %s %c4\nr0 = r3\nexit\n", letter, ALUS[i].operator, letter);
      for (int a = 0; a < PAIRED_COUNT; a++)
        for (int b = 0; b < PAIRED_COUNT; b++) {
          alu_fn apply = width == 64 ? ALUS[i].wide : ALUS[i].narrow;
          fprintf(out, "-- run 0x%" PRIx64 " 0x%" PRIx64 " -> 0x%" PRIx64 "\n", PAIRED[a], PAIRED[b],
                  apply(PAIRED[a], PAIRED[b]));
        }
    }
  }
  fclose(out);
}

static void write_alu_immediate(const char *folder) {
  FILE *out = open_cases(folder, "alu-immediate.txt", "Arithmetic with an immediate on corner values.");
  for (size_t i = 0; i < sizeof ALUS / sizeof ALUS[0]; i++)
    for (int width = 64; width >= 32; width -= 32)
      for (int k = 0; k < IMMEDIATE_COUNT; k++) {
        char name[48], group[32];
        snprintf(name, sizeof name, "%s%d_imm by %d", ALUS[i].name, width, IMMEDIATES[k]);
        snprintf(group, sizeof group, "%s%d", ALUS[i].group, width);
        begin(out, name, "", group);
        fprintf(out, "%c3 %s %d\nr0 = r3\nexit\n", width == 64 ? 'r' : 'w', ALUS[i].operator, IMMEDIATES[k]);
        for (int a = 0; a < PAIRED_COUNT; a++) {
          alu_fn apply = width == 64 ? ALUS[i].wide : ALUS[i].narrow;
          fprintf(out, "-- run 0x%" PRIx64 " -> 0x%" PRIx64 "\n", PAIRED[a],
                  apply(PAIRED[a], (uint64_t)(int64_t)IMMEDIATES[k]));
        }
      }
  fclose(out);
}

static void write_unary(const char *folder) {
  FILE *out = open_cases(folder, "unary.txt", "Negation, byte order and sign extension on corner values.");
  for (size_t i = 0; i < sizeof UNARIES / sizeof UNARIES[0]; i++) {
    begin(out, UNARIES[i].name, "", UNARIES[i].group);
    fprintf(out, "%s\nr0 = r3\nexit\n", UNARIES[i].text);
    for (int a = 0; a < CORNER_COUNT; a++)
      fprintf(out, "-- run 0x%" PRIx64 " -> 0x%" PRIx64 "\n", CORNERS[a], UNARIES[i].apply(CORNERS[a], 0));
  }
  fclose(out);
}

static void write_jumps(const char *folder) {
  FILE *out = open_cases(folder, "jump.txt", "Conditional jumps on corner values: 1 when taken.");
  for (size_t i = 0; i < sizeof JUMPS / sizeof JUMPS[0]; i++)
    for (int width = 64; width >= 32; width -= 32) {
      char name[48];
      const char letter = width == 64 ? 'r' : 'w', *group = width == 64 ? "base64" : "base32";
      jump_fn apply = width == 64 ? JUMPS[i].wide : JUMPS[i].narrow;
      snprintf(name, sizeof name, "%s%d_reg", JUMPS[i].name, width);
      begin(out, name, "", group);
      fprintf(out, "r4 = *(u64 *)(r1 + 8)\nr0 = 1\nif %c3 %s %c4 goto +1\nr0 = 0\nexit\n", letter,
              JUMPS[i].operator, letter);
      for (int a = 0; a < PAIRED_COUNT; a++)
        for (int b = 0; b < PAIRED_COUNT; b++)
          fprintf(out, "-- run 0x%" PRIx64 " 0x%" PRIx64 " -> %d\n", PAIRED[a], PAIRED[b],
                  apply(PAIRED[a], PAIRED[b]));
      for (int k = 0; k < IMMEDIATE_COUNT; k++) {
        snprintf(name, sizeof name, "%s%d_imm with %d", JUMPS[i].name, width, IMMEDIATES[k]);
        begin(out, name, "", group);
        fprintf(out, "r0 = 1\nif %c3 %s %d goto +1\nr0 = 0\nexit\n", letter, JUMPS[i].operator, IMMEDIATES[k]);
        for (int a = 0; a < PAIRED_COUNT; a++)
          fprintf(out, "-- run 0x%" PRIx64 " -> %d\n", PAIRED[a],
                  apply(PAIRED[a], (uint64_t)(int64_t)IMMEDIATES[k]));
      }
    }
  fclose(out);
}

/* Memory before, operand and r0 from the corners; what memory and the fetching register become. */
static const uint64_t ATOMIC_CORNERS[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
                                           0x123456789abcdef0, 0x8000000000000000, 0xffffffffffffffff };
#define ATOMIC_COUNT ((int)(sizeof(ATOMIC_CORNERS) / sizeof(ATOMIC_CORNERS[0])))

static const struct {
  const char *name, *text; /* %1$c is the register letter, %2$d the width */
  char operation;
  int fetches;
} ATOMICS[] = {
  { "add", "lock *(u%2$d *)(r1 + 0) += %1$c4", '+', 0 },
  { "or", "lock *(u%2$d *)(r1 + 0) |= %1$c4", '|', 0 },
  { "and", "lock *(u%2$d *)(r1 + 0) &= %1$c4", '&', 0 },
  { "xor", "lock *(u%2$d *)(r1 + 0) ^= %1$c4", '^', 0 },
  { "fetch_add", "%1$c4 = atomic_fetch_add((u%2$d *)(r1 + 0), %1$c4)", '+', 1 },
  { "fetch_or", "%1$c4 = atomic_fetch_or((u%2$d *)(r1 + 0), %1$c4)", '|', 1 },
  { "fetch_and", "%1$c4 = atomic_fetch_and((u%2$d *)(r1 + 0), %1$c4)", '&', 1 },
  { "fetch_xor", "%1$c4 = atomic_fetch_xor((u%2$d *)(r1 + 0), %1$c4)", '^', 1 },
};

static uint64_t combine(char operation, uint64_t a, uint64_t b) {
  switch (operation) {
  case '+': return a + b;
  case '|': return a | b;
  case '&': return a & b;
  case '^': return a ^ b;
  default: return b;
  }
}

/* A 32-bit operation leaves the upper half of the word in memory alone. */
static uint64_t stored(uint64_t before, uint64_t after, int width) {
  return width == 64 ? after : (before & 0xffffffff00000000) | (uint32_t)after;
}

static void write_atomic_runs(FILE *out, char operation, int fetches, int width) {
  for (int a = 0; a < ATOMIC_COUNT; a++)
    for (int b = 0; b < ATOMIC_COUNT; b++) {
      const uint64_t before = ATOMIC_CORNERS[a], operand = ATOMIC_CORNERS[b];
      const uint64_t fetched = width == 64 ? before : (uint32_t)before;
      fprintf(out, "-- run 0x%" PRIx64 " 0x%" PRIx64 " -> 0x%" PRIx64 " then 0x%" PRIx64 " 0x%" PRIx64 "\n",
              before, operand, fetches ? fetched : operand,
              stored(before, combine(operation, before, operand), width), operand);
    }
}

static void write_exchange(FILE *out, int width) {
  const char letter = width == 64 ? 'r' : 'w', *name = width == 64 ? "64" : "32_32";
  fprintf(out, "\n-- case atomic_xchg%d\n-- group atomic%d\nr4 = *(u64 *)(r1 + 8)\n", width, width);
  fprintf(out, "%c4 = xchg%s%s(r1 + 0, %c4)\nr0 = r4\nexit\n", letter, width == 64 ? "_" : "", name, letter);
  write_atomic_runs(out, '=', 1, width);
  fprintf(out, "\n-- case atomic_cmpxchg%d\n-- group atomic%d\nr4 = *(u64 *)(r1 + 8)\nr0 = *(u64 *)(r1 + 16)\n",
          width, width);
  fprintf(out, "%c0 = cmpxchg%s%s(r1 + 0, %c0, %c4)\nexit\n", letter, width == 64 ? "_" : "", name, letter, letter);
  for (int a = 0; a < ATOMIC_COUNT; a++)
    for (int b = 0; b < ATOMIC_COUNT; b++)
      for (int c = 0; c < ATOMIC_COUNT; c += 2) {
        const uint64_t before = ATOMIC_CORNERS[a], expected = ATOMIC_CORNERS[b], operand = ATOMIC_CORNERS[c];
        const int equal = width == 64 ? before == expected : (uint32_t)before == (uint32_t)expected;
        fprintf(out,
                "-- run 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " -> 0x%" PRIx64 " then 0x%" PRIx64 " 0x%" PRIx64
                " 0x%" PRIx64 "\n",
                before, operand, expected, width == 64 ? before : (uint32_t)before,
                equal ? stored(before, operand, width) : before, operand, expected);
      }
}

static void write_atomics(const char *folder) {
  FILE *out = open_cases(folder, "atomic.txt", "Atomic operations on corner values: result and memory.");
  for (int width = 64; width >= 32; width -= 32) {
    for (size_t i = 0; i < sizeof ATOMICS / sizeof ATOMICS[0]; i++) {
      fprintf(out, "\n-- case atomic_%s%d\n-- group atomic%d\nr4 = *(u64 *)(r1 + 8)\n", ATOMICS[i].name, width, width);
      fprintf(out, ATOMICS[i].text, width == 64 ? 'r' : 'w', width);
      fprintf(out, "\nr0 = r4\nexit\n");
      write_atomic_runs(out, ATOMICS[i].operation, ATOMICS[i].fetches, width);
    }
    write_exchange(out, width);
  }
  fclose(out);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: corner-values FOLDER\n");
    return 2;
  }
  write_alu(argv[1]);
  write_alu_immediate(argv[1]);
  write_unary(argv[1]);
  write_jumps(argv[1]);
  write_atomics(argv[1]);
  return 0;
}
