// Turns queries and keys by their positions, and puts keys and values into the cache: between the projection and the
// attention nothing else has to touch them.
//
// Rotary position embedding in the half-split order: element i of a head turns with element i + dim/2, by
// position * frequency[i]. Frequencies are a table of the host, made in f64, which is how Llama 3's scaling comes in.
// They are in turns, not radians: the product in f64 loses its whole turns exactly, so that no position is too large.
//
// A position for which the sequence has no page sets a bit of the error word and is not written.
//
// Layout   qkv: tokens x (heads + 2 key_heads) x dim; the queries are turned in place. frequencies: dim/2.
//          positions, rows: tokens; rows[t] is the row of the token's sequence in tables. Cache: see cache.cuh.
// Launch   grid (tokens, blocks that cover (heads + 2 key_heads) * dim/2); 128 threads. A thread has two elements.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py rope_append)

#include "cache.cuh"
#include "elements.cuh"

template <class T>
__device__ void rope_append(T* __restrict__ qkv, const double* __restrict__ frequencies,
                            const int* __restrict__ positions, const int* __restrict__ rows,
                            const int* __restrict__ tables, T* __restrict__ keys, T* __restrict__ values,
                            unsigned* error, unsigned heads, unsigned key_heads, unsigned dim, unsigned pages_per_row) {
    const unsigned half = dim / 2;
    const unsigned item = blockIdx.y * blockDim.x + threadIdx.x;
    const unsigned head = item / half, pair = item % half, all = heads + 2 * key_heads;
    if (head >= all) return;
    const unsigned position = positions[blockIdx.x];

    T* from = qkv + (static_cast<size_t>(blockIdx.x) * all + head) * dim + pair;
    float first = load(from), second = load(from + half);
    if (head < heads + key_heads) {
        const double turns = position * frequencies[pair];
        float sine, cosine;
        sincospif(2.0f * static_cast<float>(turns - rint(turns)), &sine, &cosine);
        const float turned = first * cosine - second * sine;
        second = second * cosine + first * sine;
        first = turned;
    }
    T* to = from;
    if (head >= heads) {
        const bool is_key = head < heads + key_heads;
        const unsigned key_head = head - heads - (is_key ? 0 : key_heads);
        const int* table = tables + static_cast<size_t>(rows[blockIdx.x]) * pages_per_row;
        const long long offset = cache_offset(table, pages_per_row, position, key_heads, key_head, dim);
        if (offset < 0) {
            atomicOr(error, POSITION_WITHOUT_PAGE);
            return;
        }
        to = (is_key ? keys : values) + offset + pair;
    }
    store(to, first);
    store(to + half, second);
}

#define ROPE_APPEND(T, NAME)                                                                                        \
    extern "C" __global__ void NAME(T* __restrict__ qkv, const double* __restrict__ frequencies,                    \
                                    const int* __restrict__ positions, const int* __restrict__ rows,                \
                                    const int* __restrict__ tables, T* __restrict__ keys, T* __restrict__ values,   \
                                    unsigned* error, unsigned heads, unsigned key_heads, unsigned dim,              \
                                    unsigned pages_per_row) {                                                       \
        rope_append(qkv, frequencies, positions, rows, tables, keys, values, error, heads, key_heads, dim,          \
                    pages_per_row);                                                                                 \
    }
ROPE_APPEND(float, rope_append_f32)
ROPE_APPEND(f16, rope_append_f16)
ROPE_APPEND(bf16, rope_append_bf16)
