// Attention of one new token per sequence over its cache of keys and values, all arithmetic in f32.
//
//   out[s][h] = sum_t softmax_t(scale * q[s][h] . keys[s][t][g]) * values[s][t][g],   t <= positions[s],
//   g = h / (heads / key_heads): grouped-query attention.
//
// A block takes G query heads of one key head, so that each key and value is read from memory once for all of them.
// The lanes of a warp form teams of dim/8 lanes (rounded up to a power of two); a lane holds eight elements, and a team
// takes two positions at a time, with its own running maximum, sum and output ("online softmax"). At the end the teams'
// parts are brought to one maximum and added.
//
// With few sequences, blocks share a sequence: gridDim.z of them take a part of its positions each and leave maximum,
// sum and output in `parts`, which attention_merge adds. With one block the output is written at once.
//
// Layout   qkv: sequences x (heads + 2 key_heads) x dim. out: sequences x heads x dim. Cache: see cache.cuh.
//          positions, rows: sequences. parts: sequences x heads x gridDim.z x (dim + 2), f32; 0 if gridDim.z is 1.
//          dim is a multiple of 8, at most 128. qkv and the cache begin at a multiple of 16 bytes.
// Launch   attention_decode: grid (heads / G, sequences, splits), 256 threads; G, the number at the kernel's end,
//          divides heads / key_heads. attention_merge: grid (heads, sequences), 128 threads.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py attention_decode)

#include "cache.cuh"
#include "elements.cuh"

enum : unsigned {
    WARPS = 8,
    MAX_DIM = 128,
    POSITIONS = 2,  // that a team takes at a time
};

__device__ constexpr float lowest() { return -3.402823466e+38f; }  // finite: -inf minus -inf would be NaN

// A softmax-weighted sum over some of the positions, relative to their largest score.
struct Part {
    float max = lowest();
    float sum = 0.0f;
    float out[8] = {};

    __device__ void rescale(float larger) {
        const float factor = power_of_two(max - larger);
        sum *= factor;
        for (float& o : out) o *= factor;
        max = larger;
    }
};

template <class T, unsigned G>
__device__ void attention_decode(const T* __restrict__ qkv, const T* __restrict__ keys, const T* __restrict__ values,
                                 const int* __restrict__ positions, const int* __restrict__ rows,
                                 const int* __restrict__ tables, T* __restrict__ out, float* __restrict__ parts,
                                 unsigned key_heads, unsigned dim, unsigned pages_per_row, float scale) {
    const unsigned heads = gridDim.x * G, first_head = blockIdx.x * G, sequence = blockIdx.y;
    const unsigned key_head = first_head / (heads / key_heads);
    const unsigned length = min(positions[sequence] + 1u, pages_per_row * PAGE);
    const int* table = tables + static_cast<size_t>(rows[sequence]) * pages_per_row;
    // This block's share: whole pages.
    const unsigned share = (length + PAGE * gridDim.z - 1) / (PAGE * gridDim.z) * PAGE;
    const unsigned begin = share * blockIdx.z, end = min(begin + share, length);

    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned team = 1;  // lanes
    while (8 * team < dim) team *= 2;
    const unsigned element = lane % team * 8;  // the first of this lane's eight
    const bool active = element < dim;         // false for the last lanes of a team if dim/8 is no power of two
    const unsigned teams_per_warp = 32 / team;
    const unsigned stride = POSITIONS * teams_per_warp * WARPS;  // positions that the block takes at a time

    float query[G][8] = {};
    const size_t from = (static_cast<size_t>(sequence) * (heads + 2 * key_heads) + first_head) * dim + element;
#pragma unroll
    for (unsigned g = 0; g < G; g++) {
        if (active) load8(qkv + from + g * dim, query[g]);
        for (float& value : query[g]) value *= scale * 1.44269504f;  // scores for powers of two
    }

    Part part[G];
    const unsigned own = begin + warp * teams_per_warp * POSITIONS;  // the first that this warp takes
    // The loop has the same number of turns for all lanes of a warp, which the shuffles need.
#pragma unroll 1
    for (unsigned start = own; start < end; start += stride) {
        Eight<T> key[POSITIONS] = {}, value[POSITIONS] = {};
        bool taken[POSITIONS];
#pragma unroll
        for (unsigned i = 0; i < POSITIONS; i++) {
            const unsigned position = start + lane / team + i * teams_per_warp;
            long long offset = -1;
            if (position < end) offset = cache_offset(table, pages_per_row, position, key_heads, key_head, dim);
            taken[i] = offset >= 0;
            if (active && taken[i]) {
                key[i] = fetch8(keys + offset + element);
                value[i] = fetch8(values + offset + element);
            }
        }
#pragma unroll
        for (unsigned g = 0; g < G; g++) {
            float score[POSITIONS], larger = part[g].max;
#pragma unroll
            for (unsigned i = 0; i < POSITIONS; i++) {
                float k[8], dot = 0.0f;
                widen(key[i], k);
                for (int e = 0; e < 8; e++) dot += query[g][e] * k[e];
                for (unsigned distance = team / 2; distance > 0; distance /= 2)
                    dot += __shfl_xor_sync(0xffffffffu, dot, distance);
                score[i] = dot;
                if (taken[i]) larger = fmaxf(larger, dot);
            }
            part[g].rescale(larger);
#pragma unroll
            for (unsigned i = 0; i < POSITIONS; i++) {
                const float weight = taken[i] ? power_of_two(score[i] - larger) : 0.0f;
                float v[8];
                widen(value[i], v);
                part[g].sum += weight;
                for (int e = 0; e < 8; e++) part[g].out[e] += weight * v[e];
            }
        }
    }

    __shared__ float maxima[G][WARPS], sums[G][WARPS], outs[G][WARPS][MAX_DIM];
#pragma unroll
    for (unsigned g = 0; g < G; g++) {
        // The teams of a warp: lanes with the same elements are team, 2 * team, ... apart. A warp without positions has
        // nothing to add.
#pragma unroll 1
        for (unsigned distance = team; distance < 32 && own < end; distance *= 2) {
            part[g].rescale(fmaxf(part[g].max, __shfl_xor_sync(0xffffffffu, part[g].max, distance)));
            part[g].sum += __shfl_xor_sync(0xffffffffu, part[g].sum, distance);
            for (float& o : part[g].out) o += __shfl_xor_sync(0xffffffffu, o, distance);
        }
        if (lane == 0) maxima[g][warp] = part[g].max, sums[g][warp] = part[g].sum;
        if (lane < team && active)
            for (int e = 0; e < 8; e++) outs[g][warp][element + e] = part[g].out[e];
    }
    __syncthreads();

    // The warps of the block: a thread has one element of a head.
#pragma unroll 1
    for (unsigned i = threadIdx.x; i < G * dim; i += blockDim.x) {
        const unsigned g = i / dim, e = i % dim;
        float max = lowest(), sum = 0.0f, total = 0.0f;
        for (unsigned w = 0; w < WARPS; w++) max = fmaxf(max, maxima[g][w]);
        for (unsigned w = 0; w < WARPS; w++) {
            const float factor = power_of_two(maxima[g][w] - max);
            sum += factor * sums[g][w];
            total += factor * outs[g][w][e];
        }
        const size_t head = static_cast<size_t>(sequence) * heads + first_head + g;
        if (gridDim.z == 1) {
            store(out + head * dim + e, sum > 0.0f ? total / sum : 0.0f);
        } else {
            float* to = parts + (head * gridDim.z + blockIdx.z) * (dim + 2);
            to[2 + e] = total;
            if (e == 0) to[0] = max, to[1] = sum;
        }
    }
}

template <class T>
__device__ void attention_merge(const float* __restrict__ parts, T* __restrict__ out, unsigned dim, unsigned splits) {
    const size_t head = static_cast<size_t>(blockIdx.y) * gridDim.x + blockIdx.x;
    const float* part = parts + head * splits * (dim + 2);
    for (unsigned e = threadIdx.x; e < dim; e += blockDim.x) {
        float max = lowest(), sum = 0.0f, total = 0.0f;
        for (unsigned s = 0; s < splits; s++) max = fmaxf(max, part[s * (dim + 2)]);
        for (unsigned s = 0; s < splits; s++) {
            const float factor = power_of_two(part[s * (dim + 2)] - max);
            sum += factor * part[s * (dim + 2) + 1];
            total += factor * part[s * (dim + 2) + 2 + e];
        }
        store(out + head * dim + e, sum > 0.0f ? total / sum : 0.0f);
    }
}

#define DECODE(T, SUFFIX, G)                                                                                         \
    extern "C" __global__ void __launch_bounds__(32 * WARPS) attention_decode_##SUFFIX##_##G(                        \
        const T* __restrict__ qkv, const T* __restrict__ keys, const T* __restrict__ values,                         \
        const int* __restrict__ positions, const int* __restrict__ rows, const int* __restrict__ tables,             \
        T* __restrict__ out, float* __restrict__ parts, unsigned key_heads, unsigned dim, unsigned pages_per_row,    \
        float scale) {                                                                                               \
        attention_decode<T, G>(qkv, keys, values, positions, rows, tables, out, parts, key_heads, dim,               \
                               pages_per_row, scale);                                                                \
    }
#define MERGE(T, SUFFIX)                                                                                             \
    extern "C" __global__ void attention_merge_##SUFFIX(const float* __restrict__ parts, T* __restrict__ out,        \
                                                        unsigned dim, unsigned splits) {                             \
        attention_merge(parts, out, dim, splits);                                                                    \
    }
#define ALL(T, SUFFIX) DECODE(T, SUFFIX, 1) DECODE(T, SUFFIX, 4) MERGE(T, SUFFIX)
ALL(float, f32)
ALL(f16, f16)
ALL(bf16, bf16)
