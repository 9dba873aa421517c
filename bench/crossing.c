/*
 * What calls are measured against: a function of an addon that does nothing, and a loop in C around
 * machine code. An addon of its own, so that nothing of ringfence is in the way.
 *
 *   nothing()                       what crossing from JavaScript and back costs
 *   loop(code, packets, rounds)     nanoseconds a call, best round: data and data_end written before each
 */
#include <node_api.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PACKETS_MAX = 1024, PACKET_BYTES = 64, CODE_BYTES = 4096, HEADER_WORDS = 8 };

/* Arguments r1 to r5 and the run environment; jit/code.ts states the convention. */
typedef uint64_t (*function)(void *context, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5, void *run);

static napi_value nothing(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  return NULL;
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double best_of(function called, uint32_t packets, uint32_t rounds) {
  static uint8_t buffer[PACKETS_MAX * PACKET_BYTES], run[1024];
  static uint64_t context[HEADER_WORDS + 8];
  static uint32_t results[PACKETS_MAX];
  double best = 1e18;
  for (uint32_t round = 0; round < rounds; round++) {
    double start = now_ns();
    for (uint32_t i = 0; i < packets; i++) {
      context[0] = (uintptr_t)(buffer + i * PACKET_BYTES);
      context[1] = context[0] + PACKET_BYTES;
      results[i] = (uint32_t)called(context + HEADER_WORDS, 0, 0, 0, 0, run);
    }
    double time = (now_ns() - start) / packets;
    if (time < best) best = time;
  }
  return best;
}

static napi_value loop(napi_env env, napi_callback_info info) {
  napi_value argv[3], out = NULL;
  size_t argc = 3, bytes;
  void *code;
  uint32_t packets, rounds;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok || argc != 3 ||
      napi_get_typedarray_info(env, argv[0], NULL, &bytes, &code, NULL, NULL) != napi_ok ||
      napi_get_value_uint32(env, argv[1], &packets) != napi_ok ||
      napi_get_value_uint32(env, argv[2], &rounds) != napi_ok || bytes > CODE_BYTES || packets > PACKETS_MAX)
    return NULL;
  uint8_t *mapped = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return NULL;
  memcpy(mapped, code, bytes);
  if (mprotect(mapped, CODE_BYTES, PROT_READ | PROT_EXEC) == 0)
    napi_create_double(env, best_of((function)(uintptr_t)mapped, packets, rounds), &out);
  munmap(mapped, CODE_BYTES);
  return out;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "nothing", NAPI_AUTO_LENGTH, nothing, NULL, &function);
  napi_set_named_property(env, exports, "nothing", function);
  napi_create_function(env, "loop", NAPI_AUTO_LENGTH, loop, NULL, &function);
  napi_set_named_property(env, exports, "loop", function);
  return exports;
}
