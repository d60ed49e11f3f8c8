// y[i] = silu(gate[i]) * up[i] with silu(g) = g / (1 + exp(-g)), bf16: the gate of a SwiGLU layer.
//
// The arithmetic is f32 and the result is rounded once. The fast exponential and division are within 2^-15 of the
// result for |gate| <= 88, far below the 2^-8 of a bf16.
//
// Layout   gate, up, y: n elements each, contiguous.
// Launch   any grid, 256 threads; about one thread for eight elements.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py silu_mul)

#include "elements.cuh"

__device__ inline float silu(float gate) { return __fdividef(gate, 1.0f + __expf(-gate)); }

extern "C" __global__ void silu_mul_bf16(const bf16* __restrict__ gate, const bf16* __restrict__ up,
                                         bf16* __restrict__ y, unsigned long long n) {
    const unsigned long long first = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const unsigned long long step = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
    const unsigned long long vectors =
        aligned_to_16(gate) && aligned_to_16(up) && aligned_to_16(y) ? n / 8 : 0;

    for (unsigned long long i = first; i < vectors; i += step) {
        float g[8], u[8];
        load16(gate + 8 * i, g);
        load16(up + 8 * i, u);
        for (int k = 0; k < 8; k++) g[k] = silu(g[k]) * u[k];
        store16(y + 8 * i, g);
    }
    for (unsigned long long i = 8 * vectors + first; i < n; i += step)
        store(y + i, silu(load(gate + i)) * load(up + i));
}
