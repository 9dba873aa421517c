/* Handles and argument checks; see handles.h. */
#include "handles.h"

#include <stddef.h>

/* Random 128-bit numbers; equal tags mean: made by this addon, of this kind. */
static const napi_type_tag tags[] = {
    [RF_HANDLE_MAP] = {0x6b1f0c5a9d3e4271, 0xa94c17e2f08b5d36},
    [RF_HANDLE_PROGRAM] = {0x2e8d71b46f0a93c5, 0x5c03e9f7d1628ab4},
    [RF_HANDLE_EXTENSION] = {0xd4570a3b8c96e21f, 0x17b2f86e0d45c93a},
};
static const char *const names[] = {
    [RF_HANDLE_MAP] = "an open map expected",
    [RF_HANDLE_PROGRAM] = "a sealed program expected",
    [RF_HANDLE_EXTENSION] = "an open extension expected",
};

napi_value rf_throw_type(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

napi_value rf_throw_range(napi_env env, const char *message) {
  napi_throw_range_error(env, NULL, message);
  return NULL;
}

napi_value rf_handle_wrap(napi_env env, enum rf_handle_kind kind, void *object,
                          napi_finalize finalize) {
  napi_value value;
  if (napi_create_object(env, &value) == napi_ok &&
      napi_type_tag_object(env, value, &tags[kind]) == napi_ok &&
      napi_wrap(env, value, object, finalize, NULL, NULL) == napi_ok)
    return value;
  finalize(env, object, NULL);
  return rf_throw_type(env, "out of memory");
}

static bool tagged(napi_env env, napi_value value, enum rf_handle_kind kind) {
  napi_valuetype type;
  bool same = false;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_object &&
         napi_check_object_type_tag(env, value, &tags[kind], &same) == napi_ok && same;
}

void *rf_handle_open(napi_env env, napi_value value, enum rf_handle_kind kind) {
  void *object;
  if (tagged(env, value, kind) && napi_unwrap(env, value, &object) == napi_ok) return object;
  return rf_throw_type(env, names[kind]);
}

void *rf_handle_close(napi_env env, napi_value value, enum rf_handle_kind kind) {
  void *object;
  if (tagged(env, value, kind) && napi_remove_wrap(env, value, &object) == napi_ok) return object;
  return rf_throw_type(env, names[kind]);
}

static bool typed_array(napi_env env, napi_value value, napi_typedarray_type wanted, void **data,
                        size_t *length) {
  napi_typedarray_type type;
  /* Fails on anything but typed arrays. The array buffer is not asked for: Node 20 fails on shared
   * ones. */
  return napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok &&
         type == wanted && (*length == 0 || *data != NULL);
}

bool rf_bytes(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  return typed_array(env, value, napi_uint8_array, (void **)data, length);
}

bool rf_words(napi_env env, napi_value value, napi_typedarray_type type, uint32_t **data,
              size_t *length) {
  return typed_array(env, value, type, (void **)data, length);
}

napi_value rf_number(napi_env env, double value) {
  napi_value out = NULL;
  napi_create_double(env, value, &out);
  return out;
}

napi_value rf_function_over(napi_env env, const char *name, napi_callback call, void *data,
                            napi_finalize finalize) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, call, data, &function) == napi_ok &&
      napi_add_finalizer(env, function, data, finalize, NULL, NULL) == napi_ok)
    return function;
  finalize(env, data, NULL);
  return rf_throw_type(env, "out of memory");
}
