// C = A * B, f32, on the CUDA cores: no tensor core multiplies f32 without rounding its inputs.
//
// A block computes a 128 x 128 tile of C, a thread an 8 x 8 part of it in registers: four groups of 4 x 4, 64 apart,
// so that the threads of a warp read shared memory in consecutive 16-byte pieces. Per step of 8 along k a thread loads
// 16 + 16 values from shared memory for 2 * 64 * 8 operations. While a tile is used, the next one is on its way from
// global memory to registers, and goes to the other half of shared memory: one barrier per step.
//
// Layout   a: m x k, b: k x n, c: m x n, all row-major. Any m, n and k; what lies outside counts as zero.
// Launch   grid (n/128, m/128), rounded up; 256 threads.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py gemm_tiled)

#include "elements.cuh"

enum : unsigned {
    TILE = 128,       // rows and columns of C per block
    DEPTH = 8,        // of a step along k
    ROW = TILE + 4,   // of the transposed A: with 4 more, the stores of a warp meet 32 different banks
    HALF = TILE / 2,  // distance of a thread's two groups
};

struct Matrix {
    const float* data;
    unsigned rows, cols;
    bool vectors;  // four elements may be read at once

    __device__ Matrix(const float* data, unsigned rows, unsigned cols)
        : data(data), rows(rows), cols(cols), vectors(cols % 4 == 0 && aligned_to_16(data)) {}

    // Elements (row, col..col + 4), zero where there are none. col is a multiple of 4.
    __device__ void read4(unsigned row, unsigned col, float (&value)[4]) const {
        const float* from = data + static_cast<size_t>(row) * cols + col;
        if (vectors && row < rows && col < cols) {
            load16(from, value);
        } else {
            for (unsigned i = 0; i < 4; i++) value[i] = row < rows && col + i < cols ? from[i] : 0.0f;
        }
    }
};

extern "C" __global__ void __launch_bounds__(256, 2)
    gemm_tiled_f32(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, unsigned m,
                   unsigned n, unsigned k) {
    __shared__ __align__(16) float tile_a[2][DEPTH][ROW];  // transposed: the product walks down columns of A
    __shared__ __align__(16) float tile_b[2][DEPTH][TILE];
    const Matrix from_a(a, m, k), from_b(b, k, n);

    // What this thread loads: four elements of each tile.
    const unsigned a_row = threadIdx.x / 2, a_col = threadIdx.x % 2 * 4;
    const unsigned b_row = threadIdx.x / 32, b_col = threadIdx.x % 32 * 4;
    const unsigned top = blockIdx.y * TILE, left = blockIdx.x * TILE;
    // What it computes: rows top + y + {0..3, 64..67} by columns left + x + {0..3, 64..67}.
    const unsigned y = threadIdx.x / 16 * 4, x = threadIdx.x % 16 * 4;

    float next_a[4], next_b[4];
    float sum[8][8] = {};

    const auto fetch = [&](unsigned step) {
        from_a.read4(top + a_row, step + a_col, next_a);
        from_b.read4(step + b_row, left + b_col, next_b);
    };
    const auto keep = [&](unsigned buffer) {
        for (unsigned i = 0; i < 4; i++) tile_a[buffer][a_col + i][a_row] = next_a[i];
        store16(&tile_b[buffer][b_row][b_col], next_b);
    };

    fetch(0);
    keep(0);
    __syncthreads();

    for (unsigned step = 0, buffer = 0; step < k; step += DEPTH, buffer ^= 1) {
        const bool more = k - step > DEPTH;
        if (more) fetch(step + DEPTH);

#pragma unroll
        for (unsigned depth = 0; depth < DEPTH; depth++) {
            float column[8], row[8];
            load16(&tile_a[buffer][depth][y], reinterpret_cast<float(&)[4]>(column[0]));
            load16(&tile_a[buffer][depth][y + HALF], reinterpret_cast<float(&)[4]>(column[4]));
            load16(&tile_b[buffer][depth][x], reinterpret_cast<float(&)[4]>(row[0]));
            load16(&tile_b[buffer][depth][x + HALF], reinterpret_cast<float(&)[4]>(row[4]));
#pragma unroll
            for (unsigned i = 0; i < 8; i++)
#pragma unroll
                for (unsigned j = 0; j < 8; j++) sum[i][j] += column[i] * row[j];
        }

        if (more) {
            keep(buffer ^ 1);
            __syncthreads();
        }
    }

    const bool vectors = n % 4 == 0 && aligned_to_16(c);
#pragma unroll
    for (unsigned i = 0; i < 8; i++) {
        const unsigned row = top + y + i % 4 + i / 4 * HALF;
        if (row >= m) continue;
#pragma unroll
        for (unsigned group = 0; group < 2; group++) {
            const unsigned col = left + x + group * HALF;
            float* to = c + static_cast<size_t>(row) * n + col;
            if (vectors && col < n) {
                store16(to, reinterpret_cast<float(&)[4]>(sum[i][4 * group]));
            } else {
#pragma unroll
                for (unsigned j = 0; j < 4; j++)
                    if (col + j < n) to[j] = sum[i][4 * group + j];
            }
        }
    }
}
