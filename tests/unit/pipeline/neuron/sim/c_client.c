/* A client in plain C99, written from the documented API alone: initialise, load a NEFF on every core, run it, compare.
 *
 *   c_client LIBRARY NEFF     over dlopen        (LIBRARY "-" where the program is linked with it)
 *   c_client LIBRARY --hold   takes its cores, says so, and waits for its standard input to end
 *
 * The NEFF is that of tests/data/tiny.onnx: "sum" is 1*b + 2*g + 3*r of each pixel of "image". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/neuron/nrt/nrt_abi.h"

#ifdef LINKED
#define NRT(name) name
static int open_library(const char* path) { return path[0] == '-'; }
#else
#include <dlfcn.h>

/* C99 cannot convert between pointers to objects and to functions: their bytes it can copy. */
static void* library;
static void look_up(const char* name, void* function, size_t size) {
  void* symbol = dlsym(library, name);
  if (!symbol) {
    fprintf(stderr, "%s: missing\n", name);
    exit(3);
  }
  memcpy(function, &symbol, size);
}

static struct {
  NRT_STATUS (*nrt_init)(nrt_framework_type_t, const char*, const char*);
  void (*nrt_close)(void);
  NRT_STATUS (*nrt_get_visible_nc_count)(uint32_t*);
  NRT_STATUS (*nrt_load)(const void*, size_t, int32_t, int32_t, nrt_model_t**);
  NRT_STATUS (*nrt_unload)(nrt_model_t*);
  NRT_STATUS (*nrt_get_model_tensor_info)(nrt_model_t*, nrt_tensor_info_array_t**);
  NRT_STATUS (*nrt_free_model_tensor_info)(nrt_tensor_info_array_t*);
  NRT_STATUS (*nrt_allocate_tensor_set)(nrt_tensor_set_t**);
  void (*nrt_destroy_tensor_set)(nrt_tensor_set_t**);
  NRT_STATUS (*nrt_add_tensor_to_tensor_set)(nrt_tensor_set_t*, const char*, nrt_tensor_t*);
  NRT_STATUS (*nrt_tensor_allocate)(nrt_tensor_placement_t, int, size_t, const char*, nrt_tensor_t**);
  void (*nrt_tensor_free)(nrt_tensor_t**);
  NRT_STATUS (*nrt_tensor_read)(const nrt_tensor_t*, void*, size_t, size_t);
  NRT_STATUS (*nrt_tensor_write)(nrt_tensor_t*, const void*, size_t, size_t);
  NRT_STATUS (*nrt_execute)(nrt_model_t*, const nrt_tensor_set_t*, nrt_tensor_set_t*);
} api;
#define NRT(name) api.name
#define LOOK_UP(name) look_up(#name, &api.name, sizeof api.name)

static int open_library(const char* path) {
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 0;
  }
  LOOK_UP(nrt_init);
  LOOK_UP(nrt_close);
  LOOK_UP(nrt_get_visible_nc_count);
  LOOK_UP(nrt_load);
  LOOK_UP(nrt_unload);
  LOOK_UP(nrt_get_model_tensor_info);
  LOOK_UP(nrt_free_model_tensor_info);
  LOOK_UP(nrt_allocate_tensor_set);
  LOOK_UP(nrt_destroy_tensor_set);
  LOOK_UP(nrt_add_tensor_to_tensor_set);
  LOOK_UP(nrt_tensor_allocate);
  LOOK_UP(nrt_tensor_free);
  LOOK_UP(nrt_tensor_read);
  LOOK_UP(nrt_tensor_write);
  LOOK_UP(nrt_execute);
  return 1;
}
#endif

static void check(NRT_STATUS status, const char* what) {
  if (status == NRT_SUCCESS) return;
  fprintf(stderr, "%s: %u\n", what, (unsigned)status);
  exit(1);
}

static void* read_whole(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  void* bytes;
  long length;
  if (!file) exit(2);
  fseek(file, 0, SEEK_END);
  length = ftell(file);
  rewind(file);
  bytes = malloc((size_t)length);
  *size = fread(bytes, 1, (size_t)length, file);
  fclose(file);
  return bytes;
}

struct core {
  nrt_model_t* model;
  nrt_tensor_info_array_t* infos;
  nrt_tensor_set_t* sets[2];
  nrt_tensor_t* tensors[8];
};

static void set_up(struct core* core, const void* neff, size_t size, uint32_t index) {
  uint64_t i;
  int usage;
  check(NRT(nrt_load)(neff, size, (int32_t)index, -1, &core->model), "nrt_load");
  check(NRT(nrt_get_model_tensor_info)(core->model, &core->infos), "nrt_get_model_tensor_info");
  for (usage = 0; usage < 2; ++usage)
    check(NRT(nrt_allocate_tensor_set)(&core->sets[usage]), "nrt_allocate_tensor_set");
  for (i = 0; i < core->infos->tensor_count; ++i) {
    const nrt_tensor_info_t* info = &core->infos->tensor_array[i];
    NRT_STATUS status =
        NRT(nrt_tensor_allocate)(NRT_TENSOR_PLACEMENT_DEVICE, (int)index, info->size, info->name, &core->tensors[i]);
    if (status != NRT_SUCCESS) {
      status =
          NRT(nrt_tensor_allocate)(NRT_TENSOR_PLACEMENT_VIRTUAL, (int)index, info->size, info->name, &core->tensors[i]);
    }
    check(status, "nrt_tensor_allocate");
    check(NRT(nrt_add_tensor_to_tensor_set)(core->sets[info->usage], info->name, core->tensors[i]), "add to set");
  }
}

static const nrt_tensor_info_t* info_of(const struct core* core, const char* name, uint64_t* index) {
  for (*index = 0; *index < core->infos->tensor_count; ++*index) {
    if (strcmp(core->infos->tensor_array[*index].name, name) == 0) return &core->infos->tensor_array[*index];
  }
  fprintf(stderr, "no tensor %s\n", name);
  exit(1);
}

/* Writes an image of its own to the core, runs, and counts the pixels whose sum is wrong. */
static int run(struct core* core, uint32_t seed) {
  uint64_t image_at;
  uint64_t sum_at;
  const nrt_tensor_info_t* image = info_of(core, "image", &image_at);
  const nrt_tensor_info_t* sum = info_of(core, "sum", &sum_at);
  const size_t pixels = (size_t)image->shape[2] * image->shape[3];
  float* in = malloc(image->size);
  float* out = malloc(sum->size);
  int wrong = 0;
  size_t i;
  uint32_t row;
  for (i = 0; i < image->size / sizeof *in; ++i) in[i] = (float)((i * 37 + seed * 101) % 256);
  check(NRT(nrt_tensor_write)(core->tensors[image_at], in, 0, image->size), "nrt_tensor_write");
  check(NRT(nrt_execute)(core->model, core->sets[0], core->sets[1]), "nrt_execute");
  check(NRT(nrt_tensor_read)(core->tensors[sum_at], out, 0, sum->size), "nrt_tensor_read");
  for (row = 0; row < image->shape[0]; ++row) {
    const float* b = in + (size_t)row * 3 * pixels;
    for (i = 0; i < pixels; ++i) {
      const float expected = b[i] + 2 * b[pixels + i] + 3 * b[2 * pixels + i];
      const float difference = out[row * pixels + i] - expected;
      wrong += difference > 0.01F || difference < -0.01F;
    }
  }
  free(in);
  free(out);
  return wrong;
}

static void tear_down(struct core* core) {
  uint64_t i;
  NRT(nrt_destroy_tensor_set)(&core->sets[0]);
  NRT(nrt_destroy_tensor_set)(&core->sets[1]);
  for (i = 0; i < core->infos->tensor_count; ++i) NRT(nrt_tensor_free)(&core->tensors[i]);
  check(NRT(nrt_free_model_tensor_info)(core->infos), "nrt_free_model_tensor_info");
  check(NRT(nrt_unload)(core->model), "nrt_unload");
}

int main(int argc, char** argv) {
  static struct core cores[64];
  uint32_t count = 0;
  uint32_t i;
  size_t size = 0;
  void* neff;
  int wrong = 0;
  if (argc != 3 || !open_library(argv[1])) return 2;
  check(NRT(nrt_init)(NRT_FRAMEWORK_TYPE_NO_FW, "", ""), "nrt_init");
  check(NRT(nrt_get_visible_nc_count)(&count), "nrt_get_visible_nc_count");
  if (strcmp(argv[2], "--hold") == 0) {
    printf("holding %u\n", (unsigned)count);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    NRT(nrt_close)();
    return 0;
  }
  neff = read_whole(argv[2], &size);
  for (i = 0; i < count; ++i) set_up(&cores[i], neff, size, i);
  free(neff);
  for (i = 0; i < count; ++i) wrong += run(&cores[i], i);
  for (i = 0; i < count; ++i) tear_down(&cores[i]);
  NRT(nrt_close)();
  printf("cores %u wrong %d\n", (unsigned)count, wrong);
  return wrong != 0;
}
