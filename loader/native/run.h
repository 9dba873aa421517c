/*
 * The environment of one run: what native code, helpers and callbacks share through the sixth
 * argument register (calling convention: jit/code.ts). Owned by one thread for the whole run; no
 * JavaScript can see it.
 */
#ifndef RF_RUN_H
#define RF_RUN_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "generated/layout.h"

struct rf_run;
struct rf_map;
struct rf_thread;
struct rf_program;
struct rf_surroundings;
struct rf_held;
struct rf_host;

/* r1..r5 and the run; the return value is r0. Entry points, subprograms, callbacks, helpers. */
typedef uint64_t (*rf_function)(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                struct rf_run *run);

enum {
  RF_CPUS = 16,           /* slots of per-CPU maps; a thread uses slot (its number modulo 16) */
  RF_TAIL_CALLS_MAX = 33, /* MAX_TAIL_CALL_CNT, include/linux/bpf.h */
  RF_SOCKET_BYTES = 80,   /* struct bpf_sock, uapi/linux/bpf.h, rounded up to 8 */
};

/* How the bytes behind r1 come about; the numbers are those of CONTEXT_KINDS in loader/plan.ts. */
enum rf_context_kind { RF_CONTEXT_BYTES = 0, RF_CONTEXT_MEMORY = 1, RF_CONTEXT_XDP = 2, RF_CONTEXT_SKB = 3 };

enum { RF_SLOT_NONE = 0xff, RF_POINTER_SLOTS = RF_CONTEXT_HEADER_BYTES / 8 };

/* What a program's context needs, derived from the platform tables by the loader. */
struct rf_plan {
  uint32_t kind;
  uint32_t context_bytes;
  uint8_t data_slot, end_slot, meta_slot;
  bool writes_packet;     /* the program type lets programs change packets */
  uint8_t link_layer;     /* the packet starts with its Ethernet header when the program sees it */
  uint32_t socket_slots;  /* bit k: slot k points to a struct bpf_sock, never null */
  uint32_t program_type;
  uint8_t return_bits;
  bool metered; /* the code counts its instructions, and so does what it calls */
};

/* Sources of time, chance and identity; zero flags mean the real ones. */
enum { RF_FIXED_TIME = 1, RF_FIXED_RANDOM = 2, RF_FIXED_CPU = 4, RF_FIXED_PROCESS = 8 };

struct rf_environment {
  uint32_t flags;
  uint32_t cpu;
  uint64_t time_ns, time_step_ns;
  uint64_t random;
  uint64_t pid_tgid, uid_gid;
  char comm[16];
};

/* Which objects of the host the run is about: keys of local storage. */
struct rf_identities {
  uint64_t socket, task, cgroup, inode;
};

/* A decision that the kernel would have acted on after the program returned. */
struct rf_redirect {
  uint32_t kind; /* 0 none, 1 redirect, 2 redirect_map, 3 clone_redirect, 4 redirect_peer, 5 neigh */
  uint32_t ifindex;
  uint64_t flags;
  uint64_t key; /* of maps with short keys */
};

/* The key of a map that is searched by longer ones; what is behind the first 64 bytes is not kept. */
enum { RF_REDIRECT_KEY_BYTES = 64 };
struct rf_redirect_key {
  uint32_t bytes;
  uint8_t start[RF_REDIRECT_KEY_BYTES];
};

/* A stack frame of the program that may be read by number; jit/ir/shown-frame.ts. */
struct rf_frame {
  uint64_t low, bytes;
};
/* 34 programs in a row, each with 8 frames at most. */
enum { RF_FRAMES_MAX = 34 * 8 };

/* Tunnel metadata that the program gave its packet; helpers_tunnel.c. */
enum { RF_TUNNEL_KEY_BYTES = 44, RF_TUNNEL_OPTION_BYTES = 255 };
struct rf_tunnel {
  bool is_set, by_ipv6;
  uint32_t option_bytes;
  uint8_t key[RF_TUNNEL_KEY_BYTES], options[RF_TUNNEL_OPTION_BYTES];
};

struct rf_run {
  uint64_t tail_result; /* r0 of the program that a tail call ran; read by generated code */
  /* Instructions that may still be executed; below zero: the run was stopped and every function
   * returns. Metered code takes from it; nothing else ever gets near the end of it. */
  int64_t meter;
  uint32_t tail_calls;
  uint32_t cpu;
  uint8_t *context;   /* r1; the pointer header lies before it */
  /* Where in that header the program finds them; what its context lacks goes to `nowhere`. */
  uint64_t *data_at, *end_at, *meta_at, nowhere;
  const struct rf_plan *plan;

  /* head_limit <= meta <= data <= end <= tail_limit, all inside one buffer of this thread */
  uint8_t *head_limit, *meta, *data, *end, *tail_limit;
  uint8_t *mac, *network; /* header positions; socket buffers only */
  uint8_t *lowest;        /* lowest data the run ever had: what lies below `data` may be dirty */
  bool encapsulated;      /* a helper put an outer header in front */

  struct rf_environment *environment;
  struct rf_redirect redirect;
  struct rf_redirect_key redirect_key;
  char *trace;
  uint32_t trace_bytes, trace_capacity;
  struct rf_thread *thread;
  uint8_t *socket; /* RF_SOCKET_BYTES behind the socket pointers of the context */
  jmp_buf *unwind; /* where bpf_throw goes; kfuncs_throw.c */
  uint64_t thrown; /* the result that comes with it */
  struct rf_frame shown[RF_FRAMES_MAX]; /* of functions that run now, the innermost last */
  uint32_t shown_count;                 /* of all that were shown: more may run than are kept here */
  struct rf_tunnel tunnel;
  const struct rf_surroundings *around; /* NULL: nothing is known of what lies around */
  void *dropped;   /* objects that this run and some before it dropped; objects.c */
  uint32_t dropped_count;
  const struct rf_program *program; /* that runs now */
  bool in_deferred; /* a timer's or work queue's callback runs */
  const struct rf_identities *identities;
  struct rf_host *host; /* performs helpers that are JavaScript functions; hosted.h */
  int32_t retval; /* of the system call that a cgroup program judges */
  struct rf_held *held; /* NULL: not metered; see held.h */
  uint32_t held_count;
  bool left_meter; /* a tail call led to code that does not count */
  bool called_back; /* to be set by whoever calls JavaScript inside a run: pinned bytes may be gone */
};

_Static_assert(offsetof(struct rf_run, tail_result) == RF_RUN_TAIL_RESULT, "see jit/code.ts");
_Static_assert(offsetof(struct rf_run, meter) == RF_RUN_METER, "see jit/code.ts");

/* Shows data, data_end and data_meta to the program. */
static inline void rf_publish_packet(struct rf_run *run) {
  *run->data_at = (uintptr_t)run->data;
  *run->end_at = (uintptr_t)run->end;
  *run->meta_at = (uintptr_t)run->meta;
}

#endif
