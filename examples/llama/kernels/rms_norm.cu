// residual[r] += delta[r], then y[r][i] = residual[r][i] / sqrt(mean_j(residual[r][j]^2) + epsilon) * weight[i].
//
// The residual stream is f32 whatever the weights are: it is the only sum that runs through all layers, and costs
// little beside the weights. delta is what the attention or the feed-forward of a layer gave; 0 for none.
//
// Layout   delta, y: rows x hidden, weight: hidden, of the element type. residual: rows x hidden, f32.
// Launch   one block per row; a multiple of 32 threads, at most 1,024.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py rms_norm)

#include "block_reduce.cuh"
#include "elements.cuh"

template <class T>
__device__ void add_rms_norm(const T* __restrict__ delta, float* __restrict__ residual, const T* __restrict__ weight,
                             T* __restrict__ y, unsigned hidden, float epsilon) {
    const size_t row = static_cast<size_t>(blockIdx.x) * hidden;
    residual += row;
    y += row;
    if (delta != nullptr) delta += row;
    const bool vector = aligned_to_16(delta) && aligned_to_16(residual) && aligned_to_16(weight) && aligned_to_16(y);
    const unsigned vectors = vector ? hidden / 8 : 0;

    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        float v[8];
        load8(residual + 8 * i, v);
        if (delta != nullptr) {
            float d[8];
            load8(delta + 8 * i, d);
            for (unsigned k = 0; k < 8; k++) v[k] += d[k];
            store8(residual + 8 * i, v);
        }
        for (unsigned k = 0; k < 8; k++) squares += v[k] * v[k];
    }
    for (unsigned i = 8 * vectors + threadIdx.x; i < hidden; i += blockDim.x) {
        float v = residual[i];
        if (delta != nullptr) residual[i] = v += load(delta + i);
        squares += v * v;
    }

    const float scale = rsqrtf(block_reduce<Sum>(squares) / hidden + epsilon);

    // Each thread reads again what it wrote itself.
    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        float v[8], w[8];
        load8(residual + 8 * i, v);
        load8(weight + 8 * i, w);
        for (unsigned k = 0; k < 8; k++) v[k] *= scale * w[k];
        store8(y + 8 * i, v);
    }
    for (unsigned i = 8 * vectors + threadIdx.x; i < hidden; i += blockDim.x)
        store(y + i, residual[i] * (scale * load(weight + i)));
}

#define ADD_RMS_NORM(T, NAME)                                                                                       \
    extern "C" __global__ void NAME(const T* __restrict__ delta, float* __restrict__ residual,                      \
                                    const T* __restrict__ weight, T* __restrict__ y, unsigned hidden, float epsilon) { \
        add_rms_norm(delta, residual, weight, y, hidden, epsilon);                                                  \
    }
ADD_RMS_NORM(float, add_rms_norm_f32)
ADD_RMS_NORM(f16, add_rms_norm_f16)
ADD_RMS_NORM(bf16, add_rms_norm_bf16)
