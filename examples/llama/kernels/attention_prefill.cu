// Causal attention of the new tokens of one sequence over its cache, which holds their keys and values already, in f32.
//
//   out[i][h] = sum_t softmax_t(scale * q[i][h] . keys[t][g]) * values[t][g],   t <= first + i.
//
// A block takes 32 queries of a head, a warp eight of them, and walks over the positions in tiles of 32 that go through
// shared memory. For the scores a lane has one position; for the output it has up to four elements. Maximum and sum run
// along ("online softmax"), so that any number of positions is right.
//
// The products run on the CUDA cores, since no tensor core multiplies f32 without rounding its operands: for 16 bits there
// is attention_prefill_mma.cu.
//
// Layout   qkv: tokens x (heads + 2 key_heads) x dim. out: tokens x heads x dim. table: the sequence's row. Cache: see
//          cache.cuh. dim is a multiple of 8, at most 128. qkv and the cache begin at a multiple of 16 bytes.
// Launch   grid (tokens/32, rounded up; heads); 128 threads; shared memory of 4 * (32 dim + 32 (dim + 4) + 1,024) bytes.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py attention_prefill)

#include "block_reduce.cuh"
#include "cache.cuh"
#include "elements.cuh"

enum : unsigned {
    WARPS = 4,
    QUERIES = 8,  // of a warp
    TILE = 32,    // positions
    GROUPS = 4,   // of 32 elements, of which a lane has one each
};

extern __shared__ __align__(16) float shared[];

// Four numbers of shared memory. In assembly, since NVRTC 12.0 takes an access to a float4 apart and puts it together
// again, not twice in the same way: the PTX could not be checked against its source.
__device__ inline void load4(const float* from, float (&value)[4]) {
    asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(value[0]), "=f"(value[1]), "=f"(value[2]), "=f"(value[3])
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(from)))
                 : "memory");
}

// Positions start .. start + 31 into shared memory, zeros where there are none.
__device__ inline void load_tile(float* tile, const float* cache, const int* table, unsigned pages_per_row,
                                 unsigned start, unsigned end, unsigned key_heads, unsigned key_head,
                                 unsigned dim) {
    for (unsigned i = threadIdx.x; i < TILE * dim / 8; i += blockDim.x) {
        const unsigned at = i / (dim / 8), element = i % (dim / 8) * 8;
        float v[8] = {};
        if (start + at < end) {
            const long long offset = cache_offset(table, pages_per_row, start + at, key_heads, key_head, dim);
            if (offset >= 0) load8(cache + offset + element, v);
        }
        store8(tile + at * (dim + 4) + element, v);
    }
}

extern "C" __global__ void __launch_bounds__(32 * WARPS)
    attention_prefill_f32(const float* __restrict__ qkv, const float* __restrict__ keys,
                          const float* __restrict__ values, const int* __restrict__ table, float* __restrict__ out,
                          unsigned first, unsigned tokens, unsigned key_heads, unsigned dim, unsigned pages_per_row,
                          float scale) {
    const unsigned heads = gridDim.y, head = blockIdx.y, key_head = head / (heads / key_heads);
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const unsigned top = blockIdx.x * WARPS * QUERIES, mine = top + warp * QUERIES;
    const unsigned end = first + min(top + WARPS * QUERIES, tokens);  // no query of the block sees more

    float* queries = shared;                             // 32 x dim
    float* tile = queries + WARPS * QUERIES * dim;       // 32 x (dim + 4): rows of a warp meet different banks
    float* weights = tile + TILE * (dim + 4) + warp * QUERIES * TILE;

    for (unsigned i = threadIdx.x; i < WARPS * QUERIES * dim / 8; i += blockDim.x) {
        const unsigned query = i / (dim / 8), element = i % (dim / 8) * 8;
        float v[8] = {};
        if (top + query < tokens)
            load8(qkv + (static_cast<size_t>(top + query) * (heads + 2 * key_heads) + head) * dim + element, v);
        for (float& q : v) q *= scale * 1.44269504f;  // scores for powers of two
        store8(queries + query * dim + element, v);
    }

    float max[QUERIES], sum[QUERIES] = {}, total[QUERIES][GROUPS] = {};
    for (float& m : max) m = Max::neutral();

#pragma unroll 1
    for (unsigned start = 0; start < end; start += TILE) {
        __syncthreads();  // the last tile is read, the queries are written
        load_tile(tile, keys, table, pages_per_row, start, end, key_heads, key_head, dim);
        __syncthreads();

        float score[QUERIES] = {};
#pragma unroll 1
        for (unsigned e = 0; e < dim; e += 4) {
            float k[4];
            load4(tile + lane * (dim + 4) + e, k);
#pragma unroll
            for (unsigned q = 0; q < QUERIES; q++) {
                float v[4];
                load4(queries + (warp * QUERIES + q) * dim + e, v);
                score[q] += v[0] * k[0] + v[1] * k[1] + v[2] * k[2] + v[3] * k[3];
            }
        }
#pragma unroll
        for (unsigned q = 0; q < QUERIES; q++) {
            const bool seen = start + lane <= first + mine + q && start + lane < end;
            const float larger = fmaxf(max[q], warp_reduce<Max>(seen ? score[q] : Max::neutral()));
            const float factor = power_of_two(max[q] - larger), weight = seen ? power_of_two(score[q] - larger) : 0.0f;
            max[q] = larger;
            sum[q] = sum[q] * factor + weight;  // of this lane's positions
            for (float& t : total[q]) t *= factor;
            weights[q * TILE + lane] = weight;
        }

        __syncthreads();  // the keys are read
        load_tile(tile, values, table, pages_per_row, start, end, key_heads, key_head, dim);
        __syncthreads();

#pragma unroll 1
        for (unsigned at = 0; at < TILE; at += 4) {
            float v[GROUPS][4];
#pragma unroll
            for (unsigned group = 0; group < GROUPS; group++) {
                // A lane beyond the last element has that one again, and does not store what comes of it.
                const float* value = tile + at * (dim + 4) + min(32 * group + lane, dim - 1);
                for (unsigned i = 0; i < 4; i++) v[group][i] = value[i * (dim + 4)];
            }
#pragma unroll
            for (unsigned q = 0; q < QUERIES; q++) {
                float w[4];
                load4(weights + q * TILE + at, w);
#pragma unroll
                for (unsigned group = 0; group < GROUPS; group++)
                    if (32 * group < dim)
                        for (unsigned i = 0; i < 4; i++) total[q][group] += w[i] * v[group][i];
            }
        }
    }

#pragma unroll
    for (unsigned q = 0; q < QUERIES; q++) {
        const float all = warp_reduce<Sum>(sum[q]);
        if (mine + q >= tokens) continue;
        float* to = out + (static_cast<size_t>(mine + q) * heads + head) * dim;
#pragma unroll
        for (unsigned group = 0; group < GROUPS; group++)
            if (32 * group + lane < dim) store(to + 32 * group + lane, all > 0.0f ? total[q][group] / all : 0.0f);
    }
}
