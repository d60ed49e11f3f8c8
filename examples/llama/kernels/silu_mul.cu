// y[t][i] = silu(gate[t][i]) * up[t][i] with silu(x) = x / (1 + exp(-x)).
//
// Layout   gate_up: tokens x 2 x width, first gate, then up, as one product with both weights gives them.
//          y: tokens x width. Both of the element type.
// Launch   grid (blocks that cover width/8, rounded up, at least 1; tokens); 128 threads.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py silu_mul)

#include "elements.cuh"

__device__ inline float silu_times(float gate, float up) { return __fdividef(gate, 1.0f + __expf(-gate)) * up; }

template <class T>
__device__ void silu_mul(const T* __restrict__ gate_up, T* __restrict__ y, unsigned width) {
    const T* gate = gate_up + static_cast<size_t>(blockIdx.y) * 2 * width;
    const T* up = gate + width;
    y += static_cast<size_t>(blockIdx.y) * width;
    const unsigned begin = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
    if (begin + 8 <= width && aligned_to_16(gate) && aligned_to_16(up) && aligned_to_16(y)) {
        float g[8], u[8];
        load8(gate + begin, g);
        load8(up + begin, u);
        for (int k = 0; k < 8; k++) g[k] = silu_times(g[k], u[k]);
        store8(y + begin, g);
    } else {
        for (unsigned i = begin; i < begin + 8 && i < width; i++)
            store(y + i, silu_times(load(gate + i), load(up + i)));
    }
}

#define SILU_MUL(T, NAME)                                                                             \
    extern "C" __global__ void NAME(const T* __restrict__ gate_up, T* __restrict__ y, unsigned width) { \
        silu_mul(gate_up, y, width);                                                                  \
    }
SILU_MUL(float, silu_mul_f32)
SILU_MUL(f16, silu_mul_f16)
SILU_MUL(bf16, silu_mul_bf16)
