// y[r][i] = scale[r] * q[r][i]: weights of eight bits with a scale per row, for products that take no such weights.
//
// Layout   q: rows x columns, i8. scales: rows, f32. y: rows x columns of the element type.
// Launch   grid (rows); 256 threads.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py dequantize)

#include "elements.cuh"

template <class T>
__device__ void dequantize(const signed char* __restrict__ q, const float* __restrict__ scales, T* __restrict__ y,
                           unsigned columns) {
    q += static_cast<size_t>(blockIdx.x) * columns;
    y += static_cast<size_t>(blockIdx.x) * columns;
    const float scale = scales[blockIdx.x];
    const unsigned vectors = reinterpret_cast<size_t>(q) % 8 == 0 && aligned_to_16(y) ? columns / 8 : 0;
    for (unsigned i = threadIdx.x; i < vectors; i += blockDim.x) {
        const int2 packed = *reinterpret_cast<const int2*>(q + 8 * i);
        float v[8];
        for (int b = 0; b < 4; b++) {
            v[b] = scale * static_cast<signed char>(packed.x >> (8 * b));
            v[4 + b] = scale * static_cast<signed char>(packed.y >> (8 * b));
        }
        store8(y + 8 * i, v);
    }
    for (unsigned i = 8 * vectors + threadIdx.x; i < columns; i += blockDim.x) store(y + i, scale * q[i]);
}

#define DEQUANTIZE(T, NAME)                                                                                      \
    extern "C" __global__ void NAME(const signed char* __restrict__ q, const float* __restrict__ scales,         \
                                    T* __restrict__ y, unsigned columns) {                                       \
        dequantize(q, scales, y, columns);                                                                       \
    }
DEQUANTIZE(float, dequantize_f32)
DEQUANTIZE(f16, dequantize_f16)
DEQUANTIZE(bf16, dequantize_bf16)
