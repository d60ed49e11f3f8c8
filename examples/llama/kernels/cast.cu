// y[i] = x[i] in another element type, rounded to nearest even: what a checkpoint stores into what the engine computes in.
//
// Layout   x, y: count elements.
// Launch   blocks of 256 threads; each thread walks over the rest, so that any number of blocks is right.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py cast)

#include "elements.cuh"

template <class S, class T>
__device__ void cast(const S* __restrict__ x, T* __restrict__ y, unsigned long long count) {
    const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x;
    const size_t vectors = aligned_to_16(x) && aligned_to_16(y) ? count / 8 : 0;
    const size_t thread = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    for (size_t i = thread; i < vectors; i += step) {
        float v[8];
        load8(x + 8 * i, v);
        store8(y + 8 * i, v);
    }
    for (size_t i = 8 * vectors + thread; i < count; i += step) store(y + i, load(x + i));
}

#define CAST(S, T, NAME)                                                                                        \
    extern "C" __global__ void NAME(const S* __restrict__ x, T* __restrict__ y, unsigned long long count) {     \
        cast(x, y, count);                                                                                      \
    }
CAST(float, f16, cast_f32_f16)
CAST(float, bf16, cast_f32_bf16)
CAST(f16, float, cast_f16_f32)
CAST(f16, bf16, cast_f16_bf16)
CAST(bf16, float, cast_bf16_f32)
CAST(bf16, f16, cast_bf16_f16)
