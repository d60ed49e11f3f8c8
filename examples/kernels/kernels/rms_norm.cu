// y[r][i] = x[r][i] / sqrt(mean_j(x[r][j]^2) + epsilon) * weight[i], in f32 and bf16.
//
// All arithmetic is f32 and the result is rounded once. The second pass over a row finds it in the cache.
//
// Layout   x, y: rows x hidden, row-major. weight: hidden. All three of the element type.
// Launch   one block per row; a multiple of 32 threads, at most 1,024.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py rms_norm)

#include "block_reduce.cuh"
#include "elements.cuh"

template <class T>
__device__ void rms_norm(const T* __restrict__ x, const T* __restrict__ weight, T* __restrict__ y, unsigned hidden,
                         float epsilon) {
    constexpr unsigned N = WIDTH<T>;
    x += static_cast<size_t>(blockIdx.x) * hidden;
    y += static_cast<size_t>(blockIdx.x) * hidden;
    const unsigned vectors = aligned_to_16(x) && aligned_to_16(y) && aligned_to_16(weight) ? hidden / N : 0;

    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        float v[N];
        load16(x + N * i, v);
        for (unsigned k = 0; k < N; k++) squares += v[k] * v[k];
    }
    for (unsigned i = N * vectors + threadIdx.x; i < hidden; i += blockDim.x) {
        const float v = load(x + i);
        squares += v * v;
    }

    const float scale = rsqrtf(block_reduce<Sum>(squares) / hidden + epsilon);

    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        float v[N], w[N];
        load16(x + N * i, v);
        load16(weight + N * i, w);
        for (unsigned k = 0; k < N; k++) v[k] *= scale * w[k];
        store16(y + N * i, v);
    }
    for (unsigned i = N * vectors + threadIdx.x; i < hidden; i += blockDim.x)
        store(y + i, load(x + i) * (scale * load(weight + i)));
}

extern "C" __global__ void rms_norm_f32(const float* __restrict__ x, const float* __restrict__ weight,
                                        float* __restrict__ y, unsigned hidden, float epsilon) {
    rms_norm(x, weight, y, hidden, epsilon);
}

extern "C" __global__ void rms_norm_bf16(const bf16* __restrict__ x, const bf16* __restrict__ weight,
                                         bf16* __restrict__ y, unsigned hidden, float epsilon) {
    rms_norm(x, weight, y, hidden, epsilon);
}
