// Sum and maximum over the threads of a block; every thread receives the result.
//
// The block has one dimension and a multiple of 32 threads, at most 1,024. All of them must call.
#pragma once

struct Sum {
    __device__ static constexpr float neutral() { return 0.0f; }
    __device__ static float combine(float a, float b) { return a + b; }
};

struct Max {
    // Finite: -inf minus -inf would be NaN.
    __device__ static constexpr float neutral() { return -3.402823466e+38f; }
    __device__ static float combine(float a, float b) { return fmaxf(a, b); }
};

template <class Op>
__device__ float warp_reduce(float value) {
    for (int distance = 16; distance > 0; distance /= 2)
        value = Op::combine(value, __shfl_xor_sync(0xffffffffu, value, distance));
    return value;
}

template <class Op>
__device__ float block_reduce(float value) {
    __shared__ float of_warp[32];
    const unsigned lane = threadIdx.x % 32;
    value = warp_reduce<Op>(value);
    __syncthreads();  // an earlier reduction may still be read
    if (lane == 0) of_warp[threadIdx.x / 32] = value;
    __syncthreads();
    // Every warp reduces the partial results again: that is cheaper than a third barrier.
    return warp_reduce<Op>(lane < blockDim.x / 32 ? of_warp[lane] : Op::neutral());
}
