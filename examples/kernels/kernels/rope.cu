// Rotary position embedding, f32, in the half-split order ("rotate_half" of GPT-NeoX and Llama): element i of a head
// turns with element i + dim/2.
//
//   y[i]         = x[i] * cos - x[i + dim/2] * sin
//   y[i + dim/2] = x[i + dim/2] * cos + x[i] * sin       with the angle position * theta^(-2i/dim)
//
// cos and sin come from a table of the host, as in vLLM. The angle of position 131,071 in f32 is off by up to 0.004
// rad, which a table made in f64 avoids; and sincosf's range reduction for angles beyond 105,615 rad goes through
// local memory. A token's row of the table is read by all of its heads, so that it costs 1/heads of the traffic.
//
// Layout   x, y: tokens x heads x dim. positions: tokens, each below the table's rows (not checked here).
//          table: max_positions x dim; of a row the first half is cos, the second sin.
//          dim is a multiple of 8, and all buffers begin at a multiple of 16 bytes.
// Launch   grid (tokens, blocks that cover heads * dim/8 threads); 128 threads. A thread turns four pairs.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py rope)

#include "elements.cuh"

extern "C" __global__ void rope_f32(const float* __restrict__ x, const int* __restrict__ positions,
                                    const float* __restrict__ table, float* __restrict__ y, unsigned heads,
                                    unsigned dim) {
    const unsigned half = dim / 2;
    const unsigned item = 4 * (blockIdx.y * blockDim.x + threadIdx.x);  // its first pair, counted over the heads
    if (item >= heads * half) return;

    const unsigned head = item / half;
    const unsigned pair = item % half;
    const size_t at = (static_cast<size_t>(blockIdx.x) * heads + head) * dim + pair;
    const float* row = table + static_cast<size_t>(positions[blockIdx.x]) * dim + pair;

    float low[4], high[4], cosine[4], sine[4];
    load16(x + at, low);
    load16(x + at + half, high);
    load16(row, cosine);
    load16(row + half, sine);
    for (int k = 0; k < 4; k++) {
        const float turned = low[k] * cosine[k] - high[k] * sine[k];
        high[k] = high[k] * cosine[k] + low[k] * sine[k];
        low[k] = turned;
    }
    store16(y + at, low);
    store16(y + at + half, high);
}
