// y[r][j] = scale[j] * sum_i x[r][i] * weight[j][i] for up to eight rows r: a decode step of few sequences, which is
// limited by reading the weights. Each weight is read once, 16 bytes at a time, whatever the number of rows.
//
// A warp computes two outputs j, of all rows. Where k elements are no multiple of 16 bytes, the accesses are of single
// elements.
//
// Layout   weight: n x k, as a linear layer stores it, of f32, f16, bf16 or i8. scales: n, f32, for i8 only; else 0.
//          x: m x k. y: m x n, of x's type, or f32 if `wide`.
// Launch   blocks of 256 threads that cover 16 outputs each. m is 1 to M, the number at the kernel's end; a kernel of
//          a larger M is right too, but computes M rows.
#pragma once

#include "block_reduce.cuh"
#include "elements.cuh"

enum : unsigned { WARPS = 8, OUTPUTS = 2 };

using i8 = signed char;

// How many weights a lane takes at a time.
template <class W>
constexpr unsigned TAKEN = 8;
template <>
constexpr unsigned TAKEN<i8> = 16;

__device__ inline float load(const i8* from) { return *from; }

__device__ inline void widen(int4 packed, float (&value)[16]) {
    const int word[4] = {packed.x, packed.y, packed.z, packed.w};
    for (int i = 0; i < 4; i++)
        for (int b = 0; b < 4; b++) value[4 * i + b] = static_cast<i8>(word[i] >> (8 * b));
}

template <class W>
__device__ void take(const W* from, float (&value)[8]) {
    load8(from, value);
}
__device__ inline void take(const i8* from, float (&value)[16]) { widen(*reinterpret_cast<const int4*>(from), value); }
template <class T>
__device__ void take(const T* from, float (&value)[16]) {
    load8(from, reinterpret_cast<float(&)[8]>(value[0]));
    load8(from + 8, reinterpret_cast<float(&)[8]>(value[8]));
}

template <class W, class T, unsigned M>
__device__ void gemv(const W* __restrict__ weight, const float* __restrict__ scales, const T* __restrict__ x,
                     void* __restrict__ y, unsigned n, unsigned k, unsigned m, unsigned wide) {
    constexpr unsigned N = TAKEN<W>;
    const unsigned lane = threadIdx.x % 32;
    const unsigned first = (blockIdx.x * WARPS + threadIdx.x / 32) * OUTPUTS;
    if (first >= n) return;

    // Beyond the last output or row the last one is computed again and not stored.
    const W* row[OUTPUTS];
    for (unsigned o = 0; o < OUTPUTS; o++) row[o] = weight + static_cast<size_t>(min(first + o, n - 1)) * k;
    float sum[OUTPUTS][M] = {};

    const bool vector = k % N == 0 && aligned_to_16(weight) && aligned_to_16(x);
    const unsigned vectors = vector ? k / N : 0;
#pragma unroll(M == 1 ? 2 : 1)
    for (unsigned i = lane; i < vectors; i += 32) {
        float w[OUTPUTS][N];
        for (unsigned o = 0; o < OUTPUTS; o++) take(row[o] + N * i, w[o]);
#pragma unroll
        for (unsigned r = 0; r < M; r++) {
            float v[N];
            take(x + static_cast<size_t>(min(r, m - 1)) * k + N * i, v);
            for (unsigned o = 0; o < OUTPUTS; o++)
                for (unsigned e = 0; e < N; e++) sum[o][r] += w[o][e] * v[e];
        }
    }
#pragma unroll 1
    for (unsigned i = N * vectors + lane; i < k; i += 32)
#pragma unroll
        for (unsigned r = 0; r < M; r++) {
            const float v = load(x + static_cast<size_t>(min(r, m - 1)) * k + i);
            for (unsigned o = 0; o < OUTPUTS; o++) sum[o][r] += load(row[o] + i) * v;
        }

    // All lanes have all sums in the end; each stores one of them.
    const unsigned o = lane % OUTPUTS, r = lane / OUTPUTS, output = first + o;
    float mine = 0.0f;
#pragma unroll
    for (unsigned i = 0; i < OUTPUTS * M; i++) {
        const float total = warp_reduce<Sum>(sum[i % OUTPUTS][i / OUTPUTS]);
        if (lane == i) mine = total;
    }
    if (r >= min(m, M) || output >= n) return;
    if (scales != nullptr) mine *= scales[output];
    const size_t at = static_cast<size_t>(r) * n + output;
    if (wide) static_cast<float*>(y)[at] = mine;
    else store(static_cast<T*>(y) + at, mine);
}

#define GEMV(W, T, NAME, M)                                                                                       \
    extern "C" __global__ void __launch_bounds__(32 * WARPS)                                                      \
        NAME##_##M(const W* __restrict__ weight, const float* __restrict__ scales, const T* __restrict__ x,       \
                   void* __restrict__ y, unsigned n, unsigned k, unsigned m, unsigned wide) {                     \
        gemv<W, T, M>(weight, scales, x, y, n, k, m, wide);                                                       \
    }
#define GEMVS(W, T, NAME) GEMV(W, T, NAME, 1) GEMV(W, T, NAME, 4) GEMV(W, T, NAME, 8)
