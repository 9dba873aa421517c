/*
 * What loader/load.ts calls: sealing code, making extensions, running them.
 *
 * loadPrograms(codes, permanent, leastMethod, mostMethod) -> { programs, method, properties }
 *   codes: [{ code: Uint8Array, entry: number, relocations: Int32Array, plan: Uint32Array,
 *             maps: handle[], types: Uint32Array, hosted: Uint32Array, onException: number }],
 *   relocations in rows of four: kind, offset, a, b; types: id, size, number of fields, then of each
 *   field its kind, offset and size; onException: where the function begins, or NOWHERE.
 * All programs of one call share an arena. Addresses are resolved here, so JavaScript sees none.
 */
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "helpers.h"
#include "hosted.h"
#include "instance.h"
#include "kfuncs.h"
#include "map_objects.h"
#include "objects.h"

/* loader/seal.ts has the same numbers. */
enum relocation_kind { HELPER = 0, MAP = 1, MAP_VALUE = 2, RUNTIME = 3, KFUNC = 4, HOSTED = 5 };
enum { ROW = 4, CODE_ALIGN = 64, PLAN_WORDS = 12, PROGRAMS_MAX = 4096, MAPS_MAX = 1024 };
static const char *const runtime_names[] = {"rf_tail_call",  "rf_load_packet", "rf_zero",
                                            "rf_probe_load", "rf_show_frame",  "rf_hide_frame",
                                            "rf_arena_load", "rf_arena_store", "rf_arena_atomic"};
enum { RUNTIME_COUNT = sizeof runtime_names / sizeof *runtime_names };
static const size_t CODE_BYTES_MAX = 64 << 20;

/* loader/load.ts has the same number. */
enum { NOWHERE = 0xffffffffu };

struct piece {
  struct rf_program *program;
  const uint8_t *code;
  size_t code_bytes;
  uint32_t entry;
  uint32_t on_exception; /* NOWHERE: none */
};

static bool property(napi_env env, napi_value object, const char *name, napi_value *out) {
  return napi_get_named_property(env, object, name, out) == napi_ok;
}

static bool read_plan(napi_env env, napi_value value, struct rf_program *program) {
  struct rf_plan *plan = &program->plan;
  uint32_t *words;
  size_t count;
  if (!rf_words(env, value, napi_uint32_array, &words, &count) || count != PLAN_WORDS) return false;
  *plan = (struct rf_plan){.kind = words[0], .context_bytes = words[1], .data_slot = (uint8_t)words[2],
                           .end_slot = (uint8_t)words[3], .meta_slot = (uint8_t)words[4],
                           .link_layer = words[5] != 0, .writes_packet = words[9] != 0, .socket_slots = words[6] & 0xff,
                           .program_type = words[7], .return_bits = (uint8_t)words[8]};
  program->keeps_packet = words[10] != 0;
  plan->metered = words[11] != 0;
  uint32_t least = plan->kind == RF_CONTEXT_XDP ? 24 : plan->kind == RF_CONTEXT_SKB ? 192 : 0;
  bool slots = true;
  for (uint32_t i = 2; i <= 4; i++) slots = slots && (words[i] < RF_POINTER_SLOTS || words[i] == RF_SLOT_NONE);
  return slots && plan->kind <= RF_CONTEXT_SKB && plan->context_bytes >= least &&
         plan->context_bytes <= 16u << 20;
}

static bool read_maps(napi_env env, napi_value list, struct rf_program *program) {
  uint32_t count = 0;
  if (napi_get_array_length(env, list, &count) != napi_ok || count > MAPS_MAX) return false;
  program->maps = calloc(count + 1, sizeof *program->maps);
  if (program->maps == NULL) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value handle;
    if (napi_get_element(env, list, i, &handle) != napi_ok) return false;
    struct rf_map *map = rf_handle_open(env, handle, RF_HANDLE_MAP);
    if (map == NULL) return false;
    rf_map_take(map);
    program->maps[program->map_count++] = map;
    if (map->kind == &rf_arena_map) program->arena_map = map;
    if (map->kind == &rf_prog_array && !rf_prog_array_accepts(map, &program->plan))
      return rf_throw_type(env, "a program array holds programs of one type only"), false;
  }
  return true;
}

/* Bounds against nonsense: objects.c has its own limit on what can be allocated. */
enum { TYPES_MAX = 65536, OBJECT_BYTES_MAX = 1 << 20 };

static bool read_type(const uint32_t *words, size_t count, size_t *at, struct rf_type *type) {
  if (count - *at < 3) return false;
  *type = (struct rf_type){.id = words[*at], .bytes = words[*at + 1], .field_count = words[*at + 2]};
  *at += 3;
  if (type->field_count > RF_FIELDS_MAX || type->bytes == 0 || type->bytes > OBJECT_BYTES_MAX) return false;
  for (uint32_t i = 0; i < type->field_count; i++, *at += 3) {
    if (count - *at < 3) return false;
    struct rf_field *field = &type->fields[i];
    *field = (struct rf_field){words[*at], words[*at + 1], words[*at + 2]};
    if ((uint64_t)field->offset + field->bytes > type->bytes || field->offset > UINT16_MAX) return false;
  }
  return true;
}

static bool read_types(napi_env env, napi_value list, struct rf_program *program) {
  uint32_t *words;
  size_t count, at = 0;
  if (!rf_words(env, list, napi_uint32_array, &words, &count) || count > TYPES_MAX * 3) return false;
  program->types = calloc(1, sizeof *program->types + count / 3 * sizeof *program->types->types);
  if (program->types == NULL) return false;
  atomic_init(&program->types->references, 1);
  while (at < count)
    if (!read_type(words, count, &at, &program->types->types[program->types->count++])) return false;
  return true;
}

static bool read_hosted(napi_env env, napi_value list, struct rf_program *program) {
  uint32_t *words;
  size_t count;
  if (!rf_words(env, list, napi_uint32_array, &words, &count) || count % RF_HOSTED_WORDS != 0 ||
      count / RF_HOSTED_WORDS > RF_HOSTED_MAX)
    return false;
  program->hosted_count = (uint32_t)(count / RF_HOSTED_WORDS);
  program->hosted = calloc(program->hosted_count + 1, sizeof *program->hosted);
  return program->hosted != NULL && rf_hosted_read(words, program->hosted_count, program->hosted);
}

static bool read_piece(napi_env env, napi_value object, struct piece *piece) {
  napi_value code, entry, plan, maps, types, caught, hosted;
  piece->program = calloc(1, sizeof *piece->program);
  if (piece->program == NULL) return false;
  atomic_init(&piece->program->references, 1);
  return property(env, object, "code", &code) && property(env, object, "entry", &entry) &&
         property(env, object, "plan", &plan) && property(env, object, "maps", &maps) &&
         property(env, object, "types", &types) && property(env, object, "onException", &caught) &&
         property(env, object, "hosted", &hosted) && read_hosted(env, hosted, piece->program) &&
         rf_bytes(env, code, (uint8_t **)&piece->code, &piece->code_bytes) &&
         napi_get_value_uint32(env, entry, &piece->entry) == napi_ok &&
         piece->entry < piece->code_bytes && piece->code_bytes <= CODE_BYTES_MAX &&
         napi_get_value_uint32(env, caught, &piece->on_exception) == napi_ok &&
         (piece->on_exception == NOWHERE || piece->on_exception < piece->code_bytes) &&
         read_types(env, types, piece->program) && read_plan(env, plan, piece->program) &&
         read_maps(env, maps, piece->program);
}

static bool resolve(const struct rf_program *program, const int32_t *row, uint64_t *address) {
  uint32_t a = (uint32_t)row[2], b = (uint32_t)row[3];
  struct rf_map *map = a < program->map_count ? program->maps[a] : NULL;
  switch (row[0]) {
    case HELPER: *address = (uintptr_t)rf_helper_by_id(a); break;
    case RUNTIME: *address = a < RUNTIME_COUNT ? (uintptr_t)rf_runtime_by_name(runtime_names[a]) : 0; break;
    case HOSTED: *address = a < program->hosted_count ? (uintptr_t)rf_hosted_at(a) : 0; break;
    case KFUNC: *address = rf_kfunc_at(a) == NULL ? 0 : (uintptr_t)rf_kfunc_at(a)->function; break;
    case MAP: *address = (uintptr_t)map; break;
    case MAP_VALUE:
      *address = map != NULL && map->values != NULL && b < map->storage_bytes ? (uintptr_t)map->values + b : 0;
      break;
    default: *address = 0;
  }
  return *address != 0;
}

/* Fills the holes of one program inside the image. */
static bool relocate(napi_env env, napi_value object, const struct piece *piece, uint8_t *code) {
  napi_value value;
  uint32_t *words;
  size_t count;
  if (!property(env, object, "relocations", &value) ||
      !rf_words(env, value, napi_int32_array, &words, &count) || count % ROW != 0)
    return false;
  for (size_t at = 0; at < count; at += ROW) {
    const int32_t *row = (const int32_t *)words + at;
    uint64_t address;
    if (row[1] < 0 || piece->code_bytes < 8 || (size_t)row[1] > piece->code_bytes - 8) return false;
    if (!resolve(piece->program, row, &address)) return false;
    if (address == (uintptr_t)rf_throw) piece->program->throws = true;
    memcpy(code + row[1], &address, sizeof address);
  }
  return true;
}

static size_t aligned(size_t bytes) { return (bytes + CODE_ALIGN - 1) / CODE_ALIGN * CODE_ALIGN; }

static void finalize_program(napi_env env, void *program, void *hint) {
  (void)env, (void)hint;
  rf_program_drop(program);
}

/* Reads all pieces and relocates them into one image; NULL: malformed. */
static uint8_t *build_image(napi_env env, napi_value list, struct piece *pieces, uint32_t count,
                            size_t *bytes) {
  *bytes = 0;
  for (uint32_t i = 0; i < count; i++) {
    napi_value object;
    if (napi_get_element(env, list, i, &object) != napi_ok || !read_piece(env, object, &pieces[i]))
      return NULL;
    *bytes += aligned(pieces[i].code_bytes);
  }
  uint8_t *image = *bytes <= CODE_BYTES_MAX ? malloc(*bytes + 1) : NULL;
  size_t at = 0;
  if (image == NULL) return NULL;
  memset(image, 0xcc, *bytes);
  for (uint32_t i = 0; i < count; i++) {
    napi_value object;
    memcpy(image + at, pieces[i].code, pieces[i].code_bytes);
    if (napi_get_element(env, list, i, &object) != napi_ok || !relocate(env, object, &pieces[i], image + at)) {
      free(image);
      return NULL;
    }
    at += aligned(pieces[i].code_bytes);
  }
  return image;
}

static napi_value programs_of(napi_env env, struct piece *pieces, uint32_t count, struct rf_arena *arena) {
  napi_value out, list, method, properties;
  size_t at = 0;
  napi_create_object(env, &out);
  napi_create_array_with_length(env, count, &list);
  for (uint32_t i = 0; i < count; i++) {
    struct rf_program *program = pieces[i].program;
    rf_arena_take(arena);
    program->arena = arena;
    program->code_offset = (uint32_t)at;
    program->code_bytes = (uint32_t)pieces[i].code_bytes;
    program->entry = (rf_function)(uintptr_t)(arena->code + at + pieces[i].entry);
    if (pieces[i].on_exception != NOWHERE)
      program->on_exception = (rf_function)(uintptr_t)(arena->code + at + pieces[i].on_exception);
    at += aligned(pieces[i].code_bytes);
    pieces[i].program = NULL;
    napi_value handle = rf_handle_wrap(env, RF_HANDLE_PROGRAM, program, finalize_program);
    if (handle == NULL) return NULL;
    napi_set_element(env, list, i, handle);
  }
  napi_create_uint32(env, arena->method, &method);
  napi_create_uint32(env, arena->properties, &properties);
  napi_set_named_property(env, out, "programs", list);
  napi_set_named_property(env, out, "method", method);
  napi_set_named_property(env, out, "properties", properties);
  return out;
}

static napi_value load_programs(napi_env env, napi_callback_info info) {
  napi_value argv[4], out = NULL;
  size_t argc = 4, bytes;
  uint32_t count = 0, least, most;
  bool permanent, pending = false;
  char error[256] = "";
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (argc != 4 || napi_get_array_length(env, argv[0], &count) != napi_ok || count == 0 ||
      count > PROGRAMS_MAX || napi_get_value_bool(env, argv[1], &permanent) != napi_ok ||
      napi_get_value_uint32(env, argv[2], &least) != napi_ok ||
      napi_get_value_uint32(env, argv[3], &most) != napi_ok || least < RF_SEAL_MEMFD ||
      most > RF_SEAL_MPROTECT || least > most)
    return rf_throw_type(env, "loadPrograms(codes, permanent, leastMethod, mostMethod) expected");
  struct piece *pieces = calloc(count, sizeof *pieces);
  if (pieces == NULL) return rf_throw_range(env, "out of memory");
  uint8_t *image = build_image(env, argv[0], pieces, count, &bytes);
  if (image != NULL) {
    struct rf_arena *arena = rf_arena_seal(image, bytes, permanent, least, most, error, sizeof error);
    if (arena != NULL) {
      out = programs_of(env, pieces, count, arena);
      rf_arena_drop(arena);
    } else {
      rf_throw_range(env, error);
    }
  }
  free(image);
  for (uint32_t i = 0; i < count; i++)
    if (pieces[i].program != NULL) rf_program_drop(pieces[i].program);
  free(pieces);
  if (out == NULL && napi_is_exception_pending(env, &pending) == napi_ok && !pending)
    return rf_throw_type(env, "loadPrograms: malformed code, relocation, plan or map list");
  return out;
}

/* The line of /proc/self/maps that covers the program's code. */
static napi_value seal_line(napi_env env, napi_callback_info info) {
  napi_value argument, out = NULL;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  struct rf_program *program = rf_handle_open(env, argument, RF_HANDLE_PROGRAM);
  if (program == NULL) return NULL;
  unsigned long long wanted = (uintptr_t)program->arena->code, low, high;
  char line[512], found[512] = "";
  FILE *maps = fopen("/proc/self/maps", "re");
  while (maps != NULL && found[0] == 0 && fgets(line, sizeof line, maps) != NULL)
    if (sscanf(line, "%llx-%llx", &low, &high) == 2 && low <= wanted && wanted < high)
      memcpy(found, line, sizeof found);
  if (maps != NULL) fclose(maps);
  found[strcspn(found, "\n")] = 0;
  napi_create_string_utf8(env, found, NAPI_AUTO_LENGTH, &out);
  return out;
}

/* Gives the reference back without waiting for the garbage collector. */
static napi_value close_program(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  struct rf_program *program = rf_handle_close(env, argument, RF_HANDLE_PROGRAM);
  if (program != NULL) rf_program_drop(program);
  return NULL;
}

static napi_value arena_totals(napi_env env, napi_callback_info info) {
  (void)info;
  uint64_t totals[] = {atomic_load(&rf_arena_count), atomic_load(&rf_arena_bytes),
                       atomic_load(&rf_arena_permanent), RF_ARENAS_MAX, RF_ARENA_TOTAL_MAX};
  napi_value out;
  napi_create_array_with_length(env, 5, &out);
  for (uint32_t i = 0; i < 5; i++) napi_set_element(env, out, i, rf_number(env, (double)totals[i]));
  return out;
}

static napi_value has_helper(napi_env env, napi_callback_info info) {
  napi_value argument, out;
  size_t argc = 1;
  uint32_t id = 0;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  bool known = argc == 1 && napi_get_value_uint32(env, argument, &id) == napi_ok && rf_helper_by_id(id) != NULL;
  napi_get_boolean(env, known, &out);
  return out;
}

/* Names of kernel functions; the index of each is what relocations say. */
static napi_value kfunc_names(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value list, name;
  napi_create_array(env, &list);
  const struct rf_kfunc *row;
  for (uint32_t i = 0; (row = rf_kfunc_at(i)) != NULL; i++) {
    napi_create_string_utf8(env, row->name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, i, name);
  }
  return list;
}

const struct rf_export rf_program_exports[] = {
    {"loadPrograms", load_programs}, {"closeProgram", close_program},
    {"sealLine", seal_line},         {"arenaTotals", arena_totals},
    {"hasHelper", has_helper},       {"kfuncNames", kfunc_names},
    {NULL, NULL}};
