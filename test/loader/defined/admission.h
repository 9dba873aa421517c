#ifndef ADMISSION_H
#define ADMISSION_H
#include <linux/types.h>

struct admission {
  __u32 method;
  __u32 client;
  __u32 path_length;
  __s32 reason;
  __u64 bytes;
};

enum admission_result {
  DENY = 0,
  ADMIT = 1,
};

static void (*const audit)(const void *argument1, __u32 argument1_bytes, __u32 argument2) = (void *)70000;
static long (*const quota)(__u32 argument1, __u64 argument2) = (void *)70001;

#endif
