// residual[t] = table[ids[t]], widened to f32.
//
// An id that the table does not have writes zeros and sets a bit of the error word: never a read beyond the table.
//
// Layout   ids: tokens. table: vocab x hidden, of the element type. residual: tokens x hidden, f32. error: one word.
// Launch   one block per token; 256 threads.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py embed)

#include "cache.cuh"
#include "elements.cuh"

template <class T>
__device__ void embed(const int* __restrict__ ids, const T* __restrict__ table, float* __restrict__ residual,
                      unsigned* error, unsigned vocab, unsigned hidden) {
    const unsigned id = ids[blockIdx.x];
    residual += static_cast<size_t>(blockIdx.x) * hidden;
    const bool known = id < vocab;
    if (!known && threadIdx.x == 0) atomicOr(error, ID_OUT_OF_RANGE);
    const T* row = table + (known ? static_cast<size_t>(id) * hidden : 0);
    const unsigned vectors = aligned_to_16(row) && aligned_to_16(residual) && known ? hidden / 8 : 0;
    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        float v[8];
        load8(row + 8 * i, v);
        store8(residual + 8 * i, v);
    }
    for (unsigned i = 8 * vectors + threadIdx.x; i < hidden; i += blockDim.x) residual[i] = known ? load(row + i) : 0.0f;
}

#define EMBED(T, NAME)                                                                                              \
    extern "C" __global__ void NAME(const int* __restrict__ ids, const T* __restrict__ table,                       \
                                    float* __restrict__ residual, unsigned* error, unsigned vocab, unsigned hidden) { \
        embed(ids, table, residual, error, vocab, hidden);                                                          \
    }
EMBED(float, embed_f32)
EMBED(f16, embed_f16)
EMBED(bf16, embed_bf16)
