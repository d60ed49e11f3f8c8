// Attention of one new token per sequence over its cache of keys and values, bf16 with f32 arithmetic.
//
//   out[s][h] = sum_t softmax_t(scale * q[s][h] . keys[s][t][g]) * values[s][t][g],   t < lengths[s],
//   g = h / (query heads / key heads): grouped-query attention, of which one group is MQA and groups of one are MHA.
//
// The lanes of a warp form teams of dim/8 lanes (rounded up to a power of two), and a lane holds eight elements. A team
// takes four positions at a time, so that each lane has eight 16-byte loads under way, and keeps its own running
// maximum, sum and output ("online softmax"); at the end the teams' parts are brought to one maximum and added.
// A sequence is not split over blocks: with few and long sequences most of the GPU stays idle.
//
// Layout   q, out: sequences x query_heads x dim. keys, values: sequences x max_length x key_heads x dim.
//          lengths: sequences, each at most max_length (not checked here); 0 gives zeros.
//          dim is a multiple of 8, at most 256. All buffers begin at a multiple of 16 bytes.
// Launch   grid (query_heads, sequences); 256 threads. scale is 1/sqrt(dim) as a rule.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py attention_decode)

#include "elements.cuh"

enum : unsigned {
    WARPS = 8,
    MAX_DIM = 256,
    POSITIONS = 4,  // that a team takes at a time
};

__device__ constexpr float lowest() { return -3.402823466e+38f; }  // finite: -inf minus -inf would be NaN

// A softmax-weighted sum over some of the positions, relative to their largest score.
struct Part {
    float max = lowest();
    float sum = 0.0f;
    float out[8] = {};

    __device__ void rescale(float larger) {
        const float factor = exp2f(max - larger);
        sum *= factor;
        for (float& o : out) o *= factor;
        max = larger;
    }
};

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    attention_decode_bf16(const bf16* __restrict__ q, const bf16* __restrict__ keys, const bf16* __restrict__ values,
                          const int* __restrict__ lengths, bf16* __restrict__ out, unsigned key_heads, unsigned dim,
                          unsigned max_length, float scale) {
    const unsigned head = blockIdx.x, heads = gridDim.x, sequence = blockIdx.y;
    const unsigned length = lengths[sequence];
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;

    unsigned team = 1;  // lanes
    while (8 * team < dim) team *= 2;
    const unsigned element = lane % team * 8;  // the first of this lane's eight
    const bool active = element < dim;         // false for the last lanes of a team if dim/8 is no power of two
    const unsigned teams_per_warp = 32 / team;
    const unsigned stride = POSITIONS * teams_per_warp * WARPS;  // positions that the block takes at a time

    float query[8] = {};
    if (active) load16(q + (static_cast<size_t>(sequence) * heads + head) * dim + element, query);
    for (float& value : query) value *= scale * 1.44269504f;  // scores in powers of two: exp2f is the hardware's own

    const size_t position_size = static_cast<size_t>(key_heads) * dim;
    const size_t cache = sequence * (max_length * position_size) + head / (heads / key_heads) * dim + element;

    Part part;
    // The loop has the same number of turns for all lanes of a warp, which the shuffles need.
    for (unsigned start = warp * teams_per_warp * POSITIONS; start < length; start += stride) {
        const unsigned first = start + lane / team;
        uint4 key[POSITIONS] = {}, value[POSITIONS] = {};
#pragma unroll
        for (unsigned i = 0; i < POSITIONS; i++) {
            const unsigned position = first + i * teams_per_warp;
            if (active && position < length) {
                key[i] = *reinterpret_cast<const uint4*>(keys + cache + position * position_size);
                value[i] = *reinterpret_cast<const uint4*>(values + cache + position * position_size);
            }
        }

        float score[POSITIONS], larger = part.max;
#pragma unroll
        for (unsigned i = 0; i < POSITIONS; i++) {
            float k[8], dot = 0.0f;
            widen(key[i], k);
            for (int e = 0; e < 8; e++) dot += query[e] * k[e];
            for (unsigned distance = team / 2; distance > 0; distance /= 2)
                dot += __shfl_xor_sync(0xffffffffu, dot, distance);
            score[i] = dot;
            if (first + i * teams_per_warp < length) larger = fmaxf(larger, dot);
        }

        part.rescale(larger);
#pragma unroll
        for (unsigned i = 0; i < POSITIONS; i++) {
            const float weight = first + i * teams_per_warp < length ? exp2f(score[i] - larger) : 0.0f;
            float v[8];
            widen(value[i], v);
            part.sum += weight;
            for (int e = 0; e < 8; e++) part.out[e] += weight * v[e];
        }
    }

    // The teams of a warp: lanes with the same elements are team, 2 * team, ... apart.
    for (unsigned distance = team; distance < 32; distance *= 2) {
        part.rescale(fmaxf(part.max, __shfl_xor_sync(0xffffffffu, part.max, distance)));
        part.sum += __shfl_xor_sync(0xffffffffu, part.sum, distance);
        for (float& o : part.out) o += __shfl_xor_sync(0xffffffffu, o, distance);
    }

    // The warps of the block.
    __shared__ float maxima[WARPS], sums[WARPS], outs[WARPS][MAX_DIM];
    if (lane == 0) maxima[warp] = part.max, sums[warp] = part.sum;
    if (lane < team && active)
        for (int e = 0; e < 8; e++) outs[warp][element + e] = part.out[e];
    __syncthreads();

    if (threadIdx.x < dim) {
        float max = lowest(), sum = 0.0f, total = 0.0f;
        for (unsigned w = 0; w < WARPS; w++) max = fmaxf(max, maxima[w]);
        for (unsigned w = 0; w < WARPS; w++) {
            const float factor = exp2f(maxima[w] - max);
            sum += factor * sums[w];
            total += factor * outs[w][threadIdx.x];
        }
        store(out + (static_cast<size_t>(sequence) * heads + head) * dim + threadIdx.x,
              sum > 0.0f ? total / sum : 0.0f);
    }
}
