/* The addon: one record per JavaScript thread, and the list of what it exports. */
#include <node_api.h>

#include "api.h"
#include "epoch.h"
#include "kernel.h"

/* One list per file; each ends with a null name. */
static const struct rf_export *const exported[] = {
    rf_program_exports,
    rf_extension_exports,
    rf_map_exports,
    rf_kernel_exports,
};

static void leave(napi_env env, void *thread, void *hint) {
  (void)env, (void)hint;
  rf_thread_leave(thread);
}

static bool add(napi_env env, napi_value exports, const struct rf_export *list) {
  for (; list->name != NULL; list++) {
    napi_value function;
    if (napi_create_function(env, list->name, NAPI_AUTO_LENGTH, list->call, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, list->name, function) != napi_ok)
      return false;
  }
  return true;
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  struct rf_thread *thread = rf_thread_join();
  if (thread == NULL || napi_set_instance_data(env, thread, leave, NULL) != napi_ok) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  for (size_t i = 0; i < sizeof exported / sizeof *exported; i++)
    if (!add(env, exports, exported[i])) napi_throw_error(env, NULL, "out of memory");
  return exports;
}
