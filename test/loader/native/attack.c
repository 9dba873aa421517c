/*
 * System calls with which a program in the same process might try to change sealed code. For tests
 * only: attack(name, address, bytes) -> 0 if it went through, or -errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static long outcome(bool succeeded) { return succeeded ? 0 : -(long)errno; }

static long write_through(const char *path, int flags, off_t at) {
  int descriptor = open(path, flags | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  uint8_t byte = 0xc3;
  long result = outcome(pwrite(descriptor, &byte, 1, at) == 1);
  close(descriptor);
  return result;
}

/* The memory file behind a mapping, opened again by its name. */
static long on_map_file(uintptr_t address, size_t bytes, const char *what) {
  char path[128];
  snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", address, address + bytes);
  if (strcmp(what, "write") == 0) return write_through(path, O_RDWR, 0);
  int descriptor = open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  long result = 0;
  if (strcmp(what, "truncate") == 0) result = outcome(ftruncate(descriptor, 0) == 0);
  if (strcmp(what, "seal") == 0) result = outcome(fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE) == 0);
  if (strcmp(what, "map") == 0)
    result = outcome(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) != MAP_FAILED);
  close(descriptor);
  return result;
}

static long attack(const char *name, uintptr_t address, size_t bytes) {
  void *start = (void *)address;
  int fixed = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS;
  if (strcmp(name, "mprotect-write") == 0) return outcome(mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0);
  if (strcmp(name, "mprotect-all") == 0) return outcome(mprotect(start, bytes, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
  if (strcmp(name, "mprotect-none") == 0) return outcome(mprotect(start, bytes, PROT_NONE) == 0);
  if (strcmp(name, "mmap-fixed") == 0) return outcome(mmap(start, bytes, PROT_READ | PROT_WRITE, fixed, -1, 0) != MAP_FAILED);
  if (strcmp(name, "munmap") == 0) return outcome(munmap(start, bytes) == 0);
  if (strcmp(name, "mremap") == 0) return outcome(mremap(start, bytes, 2 * bytes, MREMAP_MAYMOVE) != MAP_FAILED);
  if (strcmp(name, "proc-mem") == 0) return write_through("/proc/self/mem", O_RDWR, (off_t)address);
  if (strcmp(name, "memfd-write") == 0) return on_map_file(address, bytes, "write");
  if (strcmp(name, "memfd-truncate") == 0) return on_map_file(address, bytes, "truncate");
  if (strcmp(name, "memfd-seal") == 0) return on_map_file(address, bytes, "seal");
  if (strcmp(name, "memfd-map") == 0) return on_map_file(address, bytes, "map");
  return -ENOSYS;
}

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[3], out;
  size_t argc = 3, length;
  char name[32];
  double address, bytes;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_value_string_utf8(env, argv[0], name, sizeof name, &length);
  napi_get_value_double(env, argv[1], &address);
  napi_get_value_double(env, argv[2], &bytes);
  napi_create_int32(env, (int32_t)attack(name, (uintptr_t)address, (size_t)bytes), &out);
  return out;
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  napi_value function;
  napi_create_function(env, "attack", NAPI_AUTO_LENGTH, call, NULL, &function);
  napi_set_named_property(env, exports, "attack", function);
  return exports;
}
