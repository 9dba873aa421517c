/*
 * An extension is a program that can be replaced; an instance is one thread's way to run it: the
 * memory through which JavaScript passes packets and contexts, and the native memory it runs on.
 */
#ifndef RF_INSTANCE_H
#define RF_INSTANCE_H

#include "epoch.h"
#include "program.h"
#include "hosted.h"
#include "run.h"

struct rf_extension {
  _Atomic uint32_t references;
  _Atomic(struct rf_program *) program;
  uint64_t id;
  struct rf_extension *next; /* registry */
};

struct rf_extension *rf_extension_create(struct rf_program *program);
/* Another thread's extension by its id; NULL: closed. */
struct rf_extension *rf_extension_find(uint64_t id);
void rf_extension_drop(struct rf_extension *extension);
/* False: the new program has another context plan or other maps. */
bool rf_extension_replace(struct rf_extension *extension, struct rf_program *program);

/* Words at the start of the exchange area, 32 bits each; loader/exchange.ts has the same list. */
enum rf_word {
  RF_WORD_STATUS = 0,         /* out: 0, or why nothing ran; `run` says it by its outcome */
  RF_WORD_PACKET_BYTES = 1,   /* in */
  RF_WORD_CONTEXT_BYTES = 2,  /* in: bytes of the context given; the rest is default */
  RF_WORD_META_BYTES = 3,     /* in: XDP metadata at the start of the packet bytes */
  RF_WORD_RESULT = 4,         /* out: r0, two words */
  RF_WORD_OUT_OFFSET = 6,     /* out: where the packet starts in the exchange area */
  RF_WORD_OUT_BYTES = 7,      /* out */
  RF_WORD_NANOSECONDS = 8,    /* out: total of all repeats, two words */
  RF_WORD_REPEAT = 10,        /* in */
  RF_WORD_TRACE_BYTES = 11,   /* out */
  RF_WORD_REDIRECT = 12,      /* out: kind, ifindex, flags (2), key (2) */
  RF_WORD_TAIL_CALLS = 18,    /* out */
  RF_WORD_OUT_META_BYTES = 19, /* out */
  RF_WORD_ENVIRONMENT = 20,   /* in and out: struct rf_environment, 16 words */
  RF_WORD_LIMIT = 36,         /* in: instructions of a metered run, two words; 0: no limit */
  RF_WORD_EXECUTED = 38,      /* out: instructions of the last metered run, two words */
  RF_WORD_ADVANCE = 40,       /* in: nanoseconds by which a fixed clock goes on, two words */
  RF_WORD_CALLBACKS = 42,     /* in: most callbacks to run; out: how many ran */
  RF_WORD_IDENTITIES = 44,    /* in: struct rf_identities, 8 words */
  RF_WORD_PINNED = 52,        /* in: 1: packet or memory are copied from `source` */
  RF_WORD_GIVEN = 53,         /* out: 1: the memory was copied back there */
  RF_WORD_OUTCOME = 54,       /* out: a double: of `run`, the low half of r0, or below zero its status */
  RF_WORD_REDIRECT_KEY = 64,  /* out: bytes of the key by which a map of sockets was searched, and 16 words of it */
  RF_WORDS = 96
};

/* Bit of the numbers of program types that embedders define; platform/definition/define.ts. */
enum { RF_DEFINED_TYPE = 0x40000000 };

enum rf_status {
  RF_STATUS_OK = 0,
  RF_STATUS_CLOSED = 1,
  RF_STATUS_BUSY = 2,
  RF_STATUS_SIZE = 3,
  RF_STATUS_STOPPED = 4,   /* the limit's last instruction was executed, and the program has more */
  RF_STATUS_UNMETERED = 5, /* a metered run came to a tail call into code that does not count */
  RF_STATUS_HELPER_FAILED = 6, /* a helper in JavaScript threw; loader/hosted.ts knows more */
};

/* Rooms for the longest socket buffer that helpers can make (RF_SKB_BYTES_MAX), and for the link
 * header that a test run puts in front. The pages of unused room are never touched. */
enum { RF_HEADROOM = 16384, RF_TAILROOM = 16384, RF_PACKET_BYTES_MAX = 262144, RF_TRACE_BYTES = 65536 };

struct rf_instance {
  _Atomic uint32_t references;
  struct rf_extension *extension; /* NULL: closed */
  bool busy;
  bool has_packet;
  bool context_given; /* by the caller, for this run */
  bool template_is_default; /* it was made without a caller's context */
  struct rf_plan plan;
  uint8_t *exchange; /* what JavaScript sees: words, context, packet with its rooms, trace */
  size_t exchange_bytes;
  uint32_t context_at, packet_at, trace_at; /* offsets in it; packet_at is behind the headroom */
  uint8_t *packet;   /* at packet_at, behind the headroom */
  uint8_t *context;  /* native: pointer header, then the context */
  uint8_t *template; /* the context before each run, pointer header included */
  uint8_t *saved;    /* the packet before each run, while repeating */
  uint8_t *source;   /* the caller's own bytes, for as long as it vouches for them (RF_WORD_PINNED) */
  size_t source_bytes;
  size_t context_block_bytes;
  uint8_t socket[RF_SOCKET_BYTES];
  struct rf_run run;
  struct rf_surroundings *around; /* or NULL */
  struct rf_host host; /* run.host, where the program's type has helpers in JavaScript */
  int64_t limit;     /* of this metered run */
  uint64_t executed; /* by the last one */
  enum rf_status outcome;
};

struct rf_instance *rf_instance_create(struct rf_extension *extension, struct rf_thread *thread);
void rf_instance_take(struct rf_instance *instance);
void rf_instance_drop(struct rf_instance *instance);
void rf_instance_close(struct rf_instance *instance);

/* Where a run's input lies: the packet, or the memory of a `memory` program. */
struct rf_input {
  uint8_t *at;
  uint32_t bytes;
};
/* The same with all the room that there is. */
struct rf_input rf_instance_input(struct rf_instance *instance);

/* One run on what lies in the exchange area. */
void rf_instance_run(struct rf_instance *instance);
/* REPEAT runs, packet and context reset before each, timed as a whole; packet and context of the
 * last one are left in the exchange area. */
void rf_instance_test(struct rf_instance *instance);

/* Lets time go on: timers and work of the program's maps that fall due run, in their order. */
void rf_instance_advance(struct rf_instance *instance);

struct rf_batch {
  const uint8_t *buffer;
  size_t buffer_bytes;
  const uint32_t *offsets, *lengths;
  uint32_t *results;
  size_t count;
  bool shared; /* other threads may change the buffer meanwhile */
};
/* Index of the first packet that is out of bounds; `count`: all ran. */
size_t rf_instance_batch(struct rf_instance *instance, const struct rf_batch *batch);

#endif
