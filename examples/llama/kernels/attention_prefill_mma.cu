// Causal attention of the new tokens of one sequence over its cache, as attention_prefill.cu, with both products on the
// tensor cores: operands of 16 bits, sums and softmax in f32. The weights are rounded to 16 bits for the second product.
//
// A block takes 64 queries of a head, a warp 16 of them, and walks over the positions in tiles of 32 that go through
// shared memory. Scores, maxima, sums and outputs stay in the registers of the warp: where the first product leaves its
// result is where the second one takes its operand from.
//
// Layout   qkv: tokens x (heads + 2 key_heads) x dim. out: tokens x heads x dim. table: the sequence's row. Cache: see
//          cache.cuh. dim is a multiple of 8, at most DIM, the number at the kernel's end; what is beyond it counts as
//          zero. qkv, cache and out begin at a multiple of 16 bytes.
// Launch   grid (tokens/64, rounded up; heads); 128 threads.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py attention_prefill_mma)

#include "block_reduce.cuh"
#include "cache.cuh"
#include "elements.cuh"

enum : unsigned {
    WARPS = 4,
    QUERIES = 16,  // of a warp: rows of an operand
    TILE = 32,     // positions
    PAD = 8,       // elements between rows of shared memory: those of a warp's access meet different banks
};

// c += a * b for 16 x 16 by 16 x 8. A lane holds of a and c rows lane/4 and lane/4 + 8, in pairs of columns.
__device__ inline void multiply(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, bf16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
__device__ inline void multiply(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, f16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Two 8 x 8 blocks, transposed: the rows that lanes 0 to 15 point to become columns.
__device__ inline void load_transposed(const void* row, unsigned& b0, unsigned& b1) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(b0), "=r"(b1)
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(row)))
                 : "memory");
}

template <class T>
__device__ unsigned pair(float low, float high) {
    T first, second;
    store(&first, low);
    store(&second, high);
    return first.bits | static_cast<unsigned>(second.bits) << 16;
}

template <class T>
__device__ unsigned pair_at(const T* from) {
    return *reinterpret_cast<const unsigned*>(from);
}

template <class T, unsigned DIM>
__device__ void attention_prefill(const T* __restrict__ qkv, const T* __restrict__ keys, const T* __restrict__ values,
                                  const int* __restrict__ table, T* __restrict__ out, unsigned first, unsigned tokens,
                                  unsigned key_heads, unsigned dim, unsigned pages_per_row, float scale) {
    __shared__ __align__(16) T key_tile[TILE][DIM + PAD], value_tile[TILE][DIM + PAD];
    const unsigned heads = gridDim.y, head = blockIdx.y, key_head = head / (heads / key_heads);
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32, row = lane / 4, column = lane % 4 * 2;
    // The last queries see most positions: they begin first.
    const unsigned top = (gridDim.x - 1 - blockIdx.x) * WARPS * QUERIES, mine = top + warp * QUERIES;
    const unsigned end = first + min(top + WARPS * QUERIES, tokens);  // no query of the block sees more

    unsigned query[DIM / 16][4];
#pragma unroll
    for (unsigned k = 0; k < DIM / 16; k++)
#pragma unroll
        for (unsigned i = 0; i < 4; i++) {
            const unsigned token = mine + row + i % 2 * 8, element = 16 * k + column + i / 2 * 8;
            const size_t at = (static_cast<size_t>(token) * (heads + 2 * key_heads) + head) * dim + element;
            query[k][i] = token < tokens && element < dim ? pair_at(qkv + at) : 0;
        }

    // Of rows lane/4 and lane/4 + 8. The sum is of this lane's columns until the end.
    float max[2] = {Max::neutral(), Max::neutral()}, sum[2] = {}, total[DIM / 8][4] = {};
    const float to_powers_of_two = scale * 1.44269504f;

#pragma unroll 1
    for (unsigned start = 0; start < end; start += TILE) {
        __syncthreads();  // the last tile is read
        for (unsigned i = threadIdx.x; i < TILE * DIM / 8; i += blockDim.x) {
            const unsigned at = i / (DIM / 8), element = i % (DIM / 8) * 8;
            uint4 key = {}, value = {};
            if (start + at < end && element < dim) {
                const long long offset = cache_offset(table, pages_per_row, start + at, key_heads, key_head, dim);
                if (offset >= 0) {
                    key = *reinterpret_cast<const uint4*>(keys + offset + element);
                    value = *reinterpret_cast<const uint4*>(values + offset + element);
                }
            }
            *reinterpret_cast<uint4*>(&key_tile[at][element]) = key;
            *reinterpret_cast<uint4*>(&value_tile[at][element]) = value;
        }
        __syncthreads();
        if (start > first + mine + QUERIES - 1) continue;  // no query of this warp sees the tile

        float score[TILE / 8][4] = {};
#pragma unroll
        for (unsigned k = 0; k < DIM / 16; k++)
#pragma unroll
            for (unsigned n = 0; n < TILE / 8; n++) {
                const T* key = &key_tile[8 * n + row][16 * k + column];
                multiply(score[n], query[k], pair_at(key), pair_at(key + 8), T());
            }

#pragma unroll
        for (unsigned half = 0; half < 2; half++) {
            const unsigned position = first + mine + row + 8 * half;
            float larger = max[half];
#pragma unroll
            for (unsigned n = 0; n < TILE / 8; n++)
#pragma unroll
                for (unsigned i = 0; i < 2; i++) {
                    const unsigned at = start + 8 * n + column + i;
                    float& s = score[n][2 * half + i];
                    s = at <= position && at < end ? s * to_powers_of_two : Max::neutral();
                    larger = fmaxf(larger, s);
                }
            for (unsigned distance = 1; distance < 4; distance *= 2)
                larger = fmaxf(larger, __shfl_xor_sync(0xffffffffu, larger, distance));
            const float factor = power_of_two(max[half] - larger);
            max[half] = larger;
            sum[half] *= factor;
#pragma unroll
            for (unsigned n = 0; n < DIM / 8; n++) total[n][2 * half] *= factor, total[n][2 * half + 1] *= factor;
#pragma unroll
            for (unsigned n = 0; n < TILE / 8; n++)
#pragma unroll
                for (unsigned i = 0; i < 2; i++) {
                    // What no query sees is the neutral number, whose power of two is 0.
                    float& s = score[n][2 * half + i];
                    s = power_of_two(s - larger);
                    sum[half] += s;
                }
        }

#pragma unroll
        for (unsigned k = 0; k < TILE / 16; k++) {
            const float(&low)[4] = score[2 * k], (&high)[4] = score[2 * k + 1];
            const unsigned weights[4] = {pair<T>(low[0], low[1]), pair<T>(low[2], low[3]), pair<T>(high[0], high[1]),
                                         pair<T>(high[2], high[3])};
#pragma unroll
            for (unsigned n = 0; n < DIM / 8; n++) {
                unsigned b0, b1;
                load_transposed(&value_tile[16 * k + lane % 16][8 * n], b0, b1);
                multiply(total[n], weights, b0, b1, T());
            }
        }
    }

#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
        float all = sum[half];
        for (unsigned distance = 1; distance < 4; distance *= 2) all += __shfl_xor_sync(0xffffffffu, all, distance);
        const unsigned token = mine + row + 8 * half;
        if (token >= tokens) continue;
        const float share = all > 0.0f ? 1.0f / all : 0.0f;
        T* to = out + (static_cast<size_t>(token) * heads + head) * dim + column;
#pragma unroll
        for (unsigned n = 0; n < DIM / 8; n++)
            if (8 * n < dim)
                *reinterpret_cast<unsigned*>(to + 8 * n) =
                    pair<T>(total[n][2 * half] * share, total[n][2 * half + 1] * share);
    }
}

#define PREFILL(T, SUFFIX, DIM)                                                                                      \
    extern "C" __global__ void __launch_bounds__(32 * WARPS) attention_prefill_##SUFFIX##_##DIM(                     \
        const T* __restrict__ qkv, const T* __restrict__ keys, const T* __restrict__ values,                         \
        const int* __restrict__ table, T* __restrict__ out, unsigned first, unsigned tokens, unsigned key_heads,     \
        unsigned dim, unsigned pages_per_row, float scale) {                                                         \
        attention_prefill<T, DIM>(qkv, keys, values, table, out, first, tokens, key_heads, dim, pages_per_row,       \
                                  scale);                                                                            \
    }
PREFILL(f16, f16, 64)
PREFILL(f16, f16, 128)
PREFILL(bf16, bf16, 64)
PREFILL(bf16, bf16, 128)
