/* Formats: what bpf_snprintf makes of them; the kernel is asked for every one. */
#include "../../corpus/corpus.h"

char LICENSE[] SEC("license") = "GPL";

struct line {
  __s64 length;
  char text[120];
};
TABLE(lines, BPF_MAP_TYPE_ARRAY, __u32, struct line, 64);

#define SAY(at, size, format, ...)                                              \
  do {                                                                          \
    static const char text_##at[] = format;                                     \
    __u64 arguments_##at[] = {__VA_ARGS__};                                     \
    __u32 key_##at = at;                                                        \
    struct line *line_##at = bpf_map_lookup_elem(&lines, &key_##at);            \
    if (line_##at)                                                              \
      line_##at->length = bpf_snprintf(line_##at->text, size, text_##at, arguments_##at, \
                                       sizeof arguments_##at);                  \
  } while (0)

static const char fruit[] = "banana";
char vegetable[16] = "leek";

SEC("syscall")
int numbers(void *context) {
  SAY(0, 120, "%d %i %u %x %X", -5, 77, 0xfffffffffffffffb, 0xabcdef0123, 0xabcd);
  SAY(1, 120, "%ld %li %lu %lx %lX", -5, 77, -5, 0xabcdef0123, 0xabcd);
  SAY(2, 120, "%lld %llu", 1ull << 63, 1ull << 63);
  SAY(3, 120, "[%5d][%-5d][%05d][%+d][% d]", 42, 42, -42, 42, 42);
  SAY(4, 120, "[%+5d][%-+5d][%0-6d][%+06d][% 06d]", 42, 42, 42, 42, -42);
  SAY(5, 120, "[%8x][%-8x][%08x][%+x][% x]", 0xbeef, 0xbeef, 0xbeef, 0xbeef, 0xbeef);
  SAY(6, 12, "%d and more than fits", 1234);
  SAY(7, 0, "%d", 1234);
  SAY(8, 120, "100%% %d%%", 7);
  SAY(9, 120, "%d %d", 1, 2, 3);
  SAY(10, 120, "%100d", 5);
  SAY(11, 120, "%c%c[%3c][%-3c]", 'a', 'b', 'c', 'd');
  SAY(12, 1, "%d", 1234);
  SAY(13, 120, "%0-+ 9d", 12);
  SAY(14, 120, "%200d", 5);
  return 0;
}

SEC("syscall")
int strings(void *context) {
  char local[12] = "on stack";
  __u8 v4[4] = {10, 0, 200, 1};
  __u8 v6[16] = {0x20, 0x01, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x01};
  SAY(0, 120, "%s", (__u64)fruit);
  SAY(1, 120, "%s, %s; %s.", (__u64)fruit, (__u64)vegetable, (__u64)local);
  SAY(2, 120, "[%10s][%-10s][%3s]", (__u64)fruit, (__u64)fruit, (__u64)fruit);
  SAY(3, 120, "[%s]", 0);
  SAY(4, 120, "%pks|%s", (__u64)local, -1ull);
  SAY(5, 120, "%pI4 %pi4", (__u64)v4, (__u64)v4);
  SAY(6, 120, "%pI6 %pi6", (__u64)v6, (__u64)v6);
  SAY(7, 120, "%pI4 %pI6", 0, 0);
  SAY(8, 120, "%p", 0);
  SAY(9, 120, "%px %pK", 0x1234567, 0);
  SAY(10, 120, "%ps %pS %pB", 0x1234, 0x99, 0x77);
  SAY(11, 120, "%s%d", (__u64)fruit, 5);
  SAY(12, 120, "[%20pI4]", (__u64)v4);
  SAY(13, 5, "%s", (__u64)fruit);
  SAY(14, 120, "[%20px][%020px][%-20ps][%20pB]", 0x1234567, 0x12, 0x99, 0x77);
  return 0;
}

static const char long_text[] =
    "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"
    "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz";

SEC("syscall")
int too_much(void *context) {
  SAY(0, 120, "%s%s%s", (__u64)long_text, (__u64)long_text, (__u64)long_text);
  SAY(1, 120, "%s%s%s %d", (__u64)long_text, (__u64)long_text, (__u64)long_text, 5);
  SAY(2, 120, "%s%s %ld %s", (__u64)long_text, (__u64)long_text, 5, (__u64)fruit);
  return 0;
}
