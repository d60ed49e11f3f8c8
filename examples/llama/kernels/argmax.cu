// The index of the largest number of each row; the first of equal ones. NaN is never the largest, and a row of nothing
// else gives 0xffffffff.
//
// Layout   x: rows x columns, f32. index: rows.
// Launch   one block per row; 1,024 threads.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py argmax)

enum : unsigned { NONE = 0xffffffffu };

struct Best {
    float value;
    unsigned index;

    __device__ void consider(float other, unsigned at) {
        if (at == NONE || other != other) return;
        if (index == NONE || other > value || (other == value && at < index)) value = other, index = at;
    }
};

__device__ inline Best best_of_warp(Best best) {
    for (int distance = 16; distance > 0; distance /= 2) {
        const float value = __shfl_xor_sync(0xffffffffu, best.value, distance);
        const unsigned index = __shfl_xor_sync(0xffffffffu, best.index, distance);
        best.consider(value, index);
    }
    return best;
}

extern "C" __global__ void __launch_bounds__(1024) argmax(const float* __restrict__ x, unsigned* __restrict__ index,
                                                         unsigned columns) {
    x += static_cast<size_t>(blockIdx.x) * columns;
    Best best = {0.0f, NONE};
    for (unsigned i = threadIdx.x; i < columns; i += blockDim.x) best.consider(x[i], i);

    __shared__ Best of_warp[32];
    const unsigned lane = threadIdx.x % 32;
    best = best_of_warp(best);
    if (lane == 0) of_warp[threadIdx.x / 32] = best;
    __syncthreads();
    if (threadIdx.x >= 32) return;
    best = lane < blockDim.x / 32 ? of_warp[lane] : Best{0.0f, NONE};
    best = best_of_warp(best);
    if (lane == 0) index[blockIdx.x] = best.index;
}
