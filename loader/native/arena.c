/*
 * How does code get into executable memory so that nothing can change it afterwards?
 *
 * Never through a mapping that is writable and executable, and preferably through none that was ever
 * writable: the code is written into a memfd with write(2), the memfd is sealed against writing,
 * resizing and further seals, and only then mapped shared, read and execute. F_SEAL_WRITE takes
 * VM_MAYWRITE from such a mapping, so mprotect(2) cannot make it writable, and because the mapping is
 * shared, /proc/self/mem cannot force a private copy either (a private mapping would allow that).
 * mseal(2) then forbids unmapping, moving, replacing and re-protecting it, guard pages included.
 *
 * Every feature is probed by using it: versions lie (backports, seccomp, qemu-user).
 */
#define _GNU_SOURCE
#include "arena.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the headers of many distributions; values from uapi/linux/memfd.h and fcntl.h. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif
#ifndef SYS_mseal
#define SYS_mseal 462 /* Linux 6.10, the same number on every architecture */
#endif

_Atomic uint64_t rf_arena_bytes, rf_arena_count, rf_arena_permanent;

/* What fills the slack: int3 on x86; zeroes are undefined instructions on arm64 and riscv64. */
#if defined(__x86_64__) || defined(__i386__)
enum { TRAP = 0xcc };
#else
enum { TRAP = 0x00 };
#endif

struct failure {
  char *text;
  size_t bytes;
};

static void *fail(struct failure *failure, const char *step) {
  snprintf(failure->text, failure->bytes, "%s failed: %s", step, strerror(errno));
  return NULL;
}

static bool write_all(int descriptor, const uint8_t *data, size_t bytes) {
  while (bytes > 0) {
    ssize_t written = write(descriptor, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    bytes -= (size_t)written;
  }
  return true;
}

static int memfd_with_code(const uint8_t *image, size_t bytes) {
  int descriptor = memfd_create("ringfence", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  /* Before 6.3 the flag is unknown and every memfd is executable. */
  if (descriptor < 0 && errno == EINVAL)
    descriptor = memfd_create("ringfence", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return -1;
  if (write_all(descriptor, image, bytes)) return descriptor;
  close(descriptor);
  return -1;
}

/* Adds the seals of `method`; F_SEAL_EXEC only where it exists. */
static bool add_seals(int descriptor, uint32_t method, uint32_t *properties) {
  int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  seals |= method == RF_SEAL_MEMFD ? F_SEAL_WRITE : F_SEAL_FUTURE_WRITE;
  bool with_exec = fcntl(descriptor, F_ADD_SEALS, seals | F_SEAL_EXEC) == 0;
  if (!with_exec && (errno != EINVAL || fcntl(descriptor, F_ADD_SEALS, seals) != 0)) return false;
  int held = fcntl(descriptor, F_GET_SEALS);
  if (held < 0 || (held & seals) != seals) return false;
  *properties |= RF_SEALED_WRITE | (with_exec ? RF_SEALED_EXEC : 0u);
  return true;
}

/* The code between its guard pages, through a sealed memfd. */
static bool map_memfd(struct rf_arena *arena, const uint8_t *image, uint32_t method) {
  int descriptor = memfd_with_code(image, arena->code_bytes);
  if (descriptor < 0) return false;
  bool mapped = add_seals(descriptor, method, &arena->properties) &&
                mmap(arena->code, arena->code_bytes, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED,
                     descriptor, 0) == arena->code;
  int reason = errno;
  close(descriptor);
  errno = reason;
  return mapped;
}

/* Last resort: anonymous memory, written before it becomes executable. */
static bool map_anonymous(struct rf_arena *arena, const uint8_t *image) {
  if (mprotect(arena->code, arena->code_bytes, PROT_READ | PROT_WRITE) != 0) return false;
  memcpy(arena->code, image, arena->code_bytes);
  return mprotect(arena->code, arena->code_bytes, PROT_READ | PROT_EXEC) == 0;
}

static bool map_by(struct rf_arena *arena, const uint8_t *image, uint32_t method) {
  arena->method = method;
  arena->properties = 0;
  return method == RF_SEAL_MPROTECT ? map_anonymous(arena, image)
                                    : map_memfd(arena, image, method);
}

/* Undoes a half-made attempt so that the next method finds the bare reservation. */
static bool reset(struct rf_arena *arena) {
  return mmap(arena->code, arena->code_bytes, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == arena->code;
}

static bool reserve(struct rf_arena *arena, size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  arena->code_bytes = (bytes + page - 1) / page * page;
  arena->reserved_bytes = arena->code_bytes + 2 * page;
  void *base = mmap(NULL, arena->reserved_bytes, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return false;
  arena->base = base;
  arena->code = arena->base + page;
  return true;
}

/* An attempt to make the code writable, which must fail. Not made where nothing forbids it: code is
 * never made writable again, not even for a moment. */
static bool refuses_writing(const struct rf_arena *arena) {
  if ((arena->properties & (RF_SEALED_WRITE | RF_SEALED_MAPPING)) == 0) return false;
  if (mprotect(arena->code, arena->code_bytes, PROT_READ | PROT_WRITE) != 0) return true;
  if (mprotect(arena->code, arena->code_bytes, PROT_READ | PROT_EXEC) != 0) abort();
  return false;
}

static bool account(size_t bytes, struct failure *failure) {
  uint64_t total = atomic_fetch_add(&rf_arena_bytes, bytes) + bytes;
  uint64_t count = atomic_fetch_add(&rf_arena_count, 1) + 1;
  if (total <= RF_ARENA_TOTAL_MAX && count <= RF_ARENAS_MAX) return true;
  atomic_fetch_sub(&rf_arena_bytes, bytes);
  atomic_fetch_sub(&rf_arena_count, 1);
  snprintf(failure->text, failure->bytes,
           "the process holds %llu arenas of sealed code with %llu bytes, of at most %d and %d",
           (unsigned long long)(count - 1), (unsigned long long)(total - bytes), RF_ARENAS_MAX,
           RF_ARENA_TOTAL_MAX);
  return false;
}

static void unmap(struct rf_arena *arena) {
  atomic_fetch_sub(&rf_arena_bytes, arena->reserved_bytes);
  atomic_fetch_sub(&rf_arena_count, 1);
  munmap(arena->base, arena->reserved_bytes);
  free(arena);
}

/* Tries the methods in order of preference. */
static bool install(struct rf_arena *arena, const uint8_t *image, uint32_t least, uint32_t most) {
  for (uint32_t method = least; method <= most; method++) {
    if (map_by(arena, image, method)) return true;
    int reason = errno;
    if (!reset(arena)) return false;
    errno = reason;
  }
  return false;
}

struct rf_arena *rf_arena_seal(const uint8_t *code, size_t bytes, bool permanent,
                               uint32_t least_method, uint32_t most_method, char *error,
                               size_t error_bytes) {
  struct failure failure = {error, error_bytes};
  struct rf_arena *arena = calloc(1, sizeof *arena);
  if (arena == NULL || !reserve(arena, bytes)) {
    free(arena);
    return fail(&failure, "reserving memory for code");
  }
  if (!account(arena->reserved_bytes, &failure)) {
    munmap(arena->base, arena->reserved_bytes);
    free(arena);
    return NULL;
  }
  uint8_t *image = malloc(arena->code_bytes);
  if (image == NULL) {
    unmap(arena);
    return fail(&failure, "allocating the code image");
  }
  memset(image, TRAP, arena->code_bytes);
  memcpy(image, code, bytes);
  bool installed = install(arena, image, least_method, most_method);
  free(image);
  if (!installed) {
    fail(&failure, "mapping sealed code");
    unmap(arena);
    return NULL;
  }
  __builtin___clear_cache((char *)arena->code, (char *)arena->code + arena->code_bytes);
  if (permanent && syscall(SYS_mseal, arena->base, arena->reserved_bytes, 0UL) == 0) {
    arena->properties |= RF_SEALED_MAPPING;
    atomic_fetch_add(&rf_arena_permanent, 1);
  }
  if (refuses_writing(arena)) arena->properties |= RF_SEALED_UNWRITABLE;
  atomic_init(&arena->references, 1);
  return arena;
}

void rf_arena_take(struct rf_arena *arena) { atomic_fetch_add(&arena->references, 1); }

void rf_arena_drop(struct rf_arena *arena) {
  if (atomic_fetch_sub(&arena->references, 1) != 1) return;
  /* An mseal'ed mapping stays until the process ends; it keeps counting against the cap. */
  if (arena->properties & RF_SEALED_MAPPING) free(arena);
  else unmap(arena);
}
