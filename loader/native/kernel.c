/*
 * The bpf(2) system call for hosts/kernel: one generic entry, because union bpf_attr is laid out in
 * TypeScript where it can be read and tested.
 *
 * bpfSyscall(command: number, attribute: Uint8Array, pointers: [offset: number, memory: Uint8Array][])
 *   -> result >= 0, or -errno.
 *
 * union bpf_attr holds user addresses as 64-bit fields. JavaScript never sees an address: it names
 * the field's offset and the buffer, and the address is written into a copy of the attribute made
 * here. The kernel's changes to the attribute (sizes, return values) are copied back except for the
 * address fields.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

/* More than sizeof(union bpf_attr) of any kernel known; the kernel checks that the tail is zero. */
enum { ATTRIBUTE_BYTES_MAX = 512, POINTERS_MAX = 16 };

static bool bytes_of(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  bool is_typed_array = false;
  napi_typedarray_type type;
  void *start = NULL;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array) return false;
  if (napi_get_typedarray_info(env, value, &type, length, &start, NULL, NULL) != napi_ok) return false;
  *data = start;
  return type == napi_uint8_array;
}

static napi_value type_error(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* Writes the address of each [offset, memory] pair into the attribute; false: malformed list. */
static bool place_pointers(napi_env env, napi_value list, uint8_t *attribute, size_t length,
                           uint32_t *offsets, uint32_t *count) {
  if (napi_get_array_length(env, list, count) != napi_ok || *count > POINTERS_MAX) return false;
  for (uint32_t i = 0; i < *count; i++) {
    napi_value pair, offset_value, memory;
    uint8_t *data;
    size_t bytes;
    if (napi_get_element(env, list, i, &pair) != napi_ok ||
        napi_get_element(env, pair, 0, &offset_value) != napi_ok ||
        napi_get_element(env, pair, 1, &memory) != napi_ok ||
        napi_get_value_uint32(env, offset_value, &offsets[i]) != napi_ok ||
        !bytes_of(env, memory, &data, &bytes) || offsets[i] > length || length - offsets[i] < 8)
      return false;
    uint64_t address = (uint64_t)(uintptr_t)data;
    memcpy(attribute + offsets[i], &address, sizeof address);
  }
  return true;
}

static napi_value bpf_syscall(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value argv[3];
  uint32_t command;
  uint8_t *caller, attribute[ATTRIBUTE_BYTES_MAX];
  size_t length;
  uint32_t offsets[POINTERS_MAX], count;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc != 3 || napi_get_value_uint32(env, argv[0], &command) != napi_ok ||
      !bytes_of(env, argv[1], &caller, &length) || length > sizeof attribute)
    return type_error(env, "bpfSyscall(command, attribute: Uint8Array, pointers) expected");
  memcpy(attribute, caller, length);
  if (!place_pointers(env, argv[2], attribute, length, offsets, &count))
    return type_error(env, "bpfSyscall: pointers must be [offset, Uint8Array] pairs inside the attribute");
  long result = syscall(SYS_bpf, command, attribute, (unsigned)length);
  int64_t answer = result < 0 ? -(int64_t)errno : result;
  for (uint32_t i = 0; i < count; i++) memset(attribute + offsets[i], 0, 8);
  memcpy(caller, attribute, length);
  napi_value out;
  napi_create_int64(env, answer, &out);
  return out;
}

static napi_value close_descriptor(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument, out;
  int32_t descriptor;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  if (argc != 1 || napi_get_value_int32(env, argument, &descriptor) != napi_ok || descriptor < 3)
    return type_error(env, "closeDescriptor(descriptor) expected");
  napi_create_int32(env, close(descriptor) < 0 ? -errno : 0, &out);
  return out;
}

const struct rf_export rf_kernel_exports[] = {
    {"bpfSyscall", bpf_syscall},
    {"closeDescriptor", close_descriptor},
    {NULL, NULL},
};
