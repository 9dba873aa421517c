/*
 * Times functions over one packet, on request, so that the engines under comparison can take turns
 * while this process keeps its caches and its clock. The same loop calls every function, whether
 * clang compiled it or it came in as machine code: what differs is the code alone.
 *
 * Requests, one a line, answered by one line each:
 *   packet HEX               sets the packet                                  -> ok
 *   code SLOT ENTRY HEX      maps machine code                                -> ok
 *   native NAME COUNT        calls a compiled function COUNT times            -> nanoseconds r0
 *   run SLOT COUNT           calls mapped code COUNT times                    -> nanoseconds r0
 * Anything else, or an unknown name: "error" and why.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Arguments r1 to r5 and the run environment; jit/code.ts states the convention. */
typedef uint64_t (*function)(const void *context, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                             void *run);

/* PROGRAMS is a list of X(name), given on the compiler's command line. */
#define X(name) extern uint32_t name(const void *context);
PROGRAMS
#undef X
static const struct { const char *name; uint32_t (*call)(const void *context); } natives[] = {
#define X(name) {#name, name},
    PROGRAMS
#undef X
};

enum { SLOTS = 64, PACKET_BYTES_MAX = 4096, CONTEXT_HEADER_BYTES = 64, CONTEXT_BYTES = 64, RUN_BYTES = 1024 };

static _Alignas(64) uint8_t packet[PACKET_BYTES_MAX];
static size_t packet_bytes;
/* Native functions get {data, end}; BPF code gets a uapi structure with the same pointers before it. */
static const uint8_t *native_context[2];
static _Alignas(64) uint64_t bpf_context[(CONTEXT_HEADER_BYTES + CONTEXT_BYTES) / 8];
static _Alignas(64) uint8_t run_environment[RUN_BYTES];
static function slots[SLOTS];

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static __attribute__((noinline)) void measure(function called, const void *context, uint64_t count) {
  uint64_t r0 = 0, start = now_ns();
  for (uint64_t i = 0; i < count; i++) r0 = called(context, 0, 0, 0, 0, run_environment);
  uint64_t end = now_ns();
  printf("%llu %u\n", (unsigned long long)(end - start), (unsigned)r0);
}

static size_t parse_hex(const char *text, uint8_t *out, size_t room) {
  size_t count = 0;
  unsigned byte;
  for (; count < room && sscanf(text + 2 * count, "%2x", &byte) == 1; count++) out[count] = (uint8_t)byte;
  return count;
}

static void set_packet(const char *hex) {
  packet_bytes = parse_hex(hex, packet, sizeof packet);
  native_context[0] = packet;
  native_context[1] = packet + packet_bytes;
  bpf_context[0] = (uintptr_t)packet;
  bpf_context[1] = (uintptr_t)(packet + packet_bytes);
  puts("ok");
}

static void map_code(unsigned slot, size_t entry, const char *hex) {
  size_t bytes = strlen(hex) / 2, room = (bytes + 4095) & ~(size_t)4095;
  uint8_t *code = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (slot >= SLOTS || code == MAP_FAILED || parse_hex(hex, code, bytes) != bytes ||
      mprotect(code, room, PROT_READ | PROT_EXEC) != 0) {
    puts("error code was not mapped");
    return;
  }
  slots[slot] = (function)(uintptr_t)(code + entry);
  puts("ok");
}

static void run_native(const char *name, uint64_t count) {
  for (size_t i = 0; i < sizeof natives / sizeof *natives; i++)
    if (strcmp(natives[i].name, name) == 0) {
      measure((function)natives[i].call, native_context, count);
      return;
    }
  puts("error no such function");
}

static void answer(char *line) {
  char name[64];
  unsigned slot;
  size_t entry;
  unsigned long long count;
  int hex = 0;
  if (sscanf(line, "packet %n", &hex) == 0 && hex > 0) set_packet(line + hex);
  else if (sscanf(line, "code %u %zu %n", &slot, &entry, &hex) == 2 && hex > 0) map_code(slot, entry, line + hex);
  else if (sscanf(line, "native %63s %llu", name, &count) == 2) run_native(name, count);
  else if (sscanf(line, "run %u %llu", &slot, &count) == 2 && slot < SLOTS && slots[slot] != NULL)
    measure(slots[slot], (uint8_t *)bpf_context + CONTEXT_HEADER_BYTES, count);
  else puts("error unknown request");
  fflush(stdout);
}

int main(void) {
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) {
    line[strcspn(line, "\n")] = 0;
    answer(line);
  }
  free(line);
  return 0;
}
