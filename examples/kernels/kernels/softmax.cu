// y[r][i] = exp(x[r][i] - max(x[r])) / sum_j exp(x[r][j] - max(x[r])), f32.
//
// A row is read twice, but only the first time from memory: maximum and sum come from one pass, in which the sum is
// rescaled whenever the maximum grows (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018).
// The second pass finds the row in the cache.
//
// Layout   x, y: rows x cols, row-major.
// Launch   one block per row; a multiple of 32 threads, at most 1,024.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py softmax)

#include "block_reduce.cuh"
#include "elements.cuh"

struct Normalizer {
    float max = Max::neutral();
    float sum = 0.0f;  // of exp(value - max)

    // The width is a template argument so that four values cost one rescaling.
    template <unsigned N>
    __device__ void add(const float (&value)[N]) {
        float larger = max;
        for (unsigned i = 0; i < N; i++) larger = fmaxf(larger, value[i]);
        sum *= expf(max - larger);
        for (unsigned i = 0; i < N; i++) sum += expf(value[i] - larger);
        max = larger;
    }
};

extern "C" __global__ void softmax_f32(const float* __restrict__ x, float* __restrict__ y, unsigned cols) {
    x += static_cast<size_t>(blockIdx.x) * cols;
    y += static_cast<size_t>(blockIdx.x) * cols;
    const unsigned vectors = aligned_to_16(x) && aligned_to_16(y) ? cols / 4 : 0;

    Normalizer mine;
    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        float v[4];
        load16(x + 4 * i, v);
        mine.add(v);
    }
    for (unsigned i = 4 * vectors + threadIdx.x; i < cols; i += blockDim.x) {
        const float v[1] = {x[i]};
        mine.add(v);
    }

    const float max = block_reduce<Max>(mine.max);
    const float inverse = 1.0f / block_reduce<Sum>(mine.sum * expf(mine.max - max));

    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        float v[4];
        load16(x + 4 * i, v);
        for (int k = 0; k < 4; k++) v[k] = expf(v[k] - max) * inverse;
        store16(y + 4 * i, v);
    }
    for (unsigned i = 4 * vectors + threadIdx.x; i < cols; i += blockDim.x) y[i] = expf(x[i] - max) * inverse;
}
