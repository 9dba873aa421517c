/*
 * What JavaScript holds: objects that wrap a native reference and carry a type tag of this addon, so
 * that a look-alike, a cast or another addon's object is refused. Dropping the object or closing it
 * drops the reference.
 */
#ifndef RF_HANDLES_H
#define RF_HANDLES_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

enum rf_handle_kind { RF_HANDLE_MAP, RF_HANDLE_PROGRAM, RF_HANDLE_EXTENSION };

/* Takes over the caller's reference; `finalize` drops it. NULL with an exception pending. */
napi_value rf_handle_wrap(napi_env env, enum rf_handle_kind kind, void *object, napi_finalize finalize);
/* NULL with a TypeError pending when the value is not an open handle of this kind. */
void *rf_handle_open(napi_env env, napi_value value, enum rf_handle_kind kind);
/* As above, and takes the reference away from the object: the caller drops it. */
void *rf_handle_close(napi_env env, napi_value value, enum rf_handle_kind kind);

/* A new JavaScript object that names the map. */
struct rf_map;
napi_value rf_map_handle(napi_env env, struct rf_map *map);

/* Every call of N-API that can only fail when the caller is wrong or memory is out. */
napi_value rf_throw_type(napi_env env, const char *message);
napi_value rf_throw_range(napi_env env, const char *message);
bool rf_bytes(napi_env env, napi_value value, uint8_t **data, size_t *length);
bool rf_words(napi_env env, napi_value value, napi_typedarray_type type, uint32_t **data, size_t *length);
napi_value rf_number(napi_env env, double value);
napi_value rf_function_over(napi_env env, const char *name, napi_callback call, void *data, napi_finalize finalize);

#endif
