// nvcc -ptx -arch=compute_90 reduce.cu -o reduce.ptx
// Shuffles, static shared memory, barriers, atomics, votes.

extern "C" __global__ void block_sums(const float* x, float* sums, int n) {
    __shared__ float partial[32];
    float sum = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += x[i];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {
        sum = threadIdx.x < blockDim.x / 32 ? partial[threadIdx.x] : 0;
        for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
        if (threadIdx.x == 0) sums[blockIdx.x] = sum;
    }
}

extern "C" __global__ void histogram(const unsigned char* x, unsigned* counts, int n) {
    __shared__ unsigned local[256];
    for (int i = threadIdx.x; i < 256; i += blockDim.x) local[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&local[x[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < 256; i += blockDim.x) atomicAdd(&counts[i], local[i]);
}

extern "C" __global__ void extremes(const int* x, int* least, unsigned long long* most, float* total, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    atomicMin(least, x[i]);
    atomicMax(most, ((unsigned long long)(unsigned)(x[i] ^ 0x80000000) << 32) | (unsigned)i);
    atomicAdd(total, (float)x[i]);
}

// One word per warp: which lanes hold an odd number; and how many lanes hold the same as lane 0.
extern "C" __global__ void votes(const int* x, unsigned* odd, int* equal) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned ballot = __ballot_sync(0xffffffffu, x[i] & 1);
    unsigned same = __match_any_sync(0xffffffffu, x[i]);
    int any = __any_sync(0xffffffffu, x[i] > 1000), all = __all_sync(0xffffffffu, x[i] < 1000);
    unsigned lowest = __reduce_min_sync(0xffffffffu, (unsigned)x[i]);
    if (threadIdx.x % 32 == 0) {
        odd[i / 32] = ballot;
        equal[4 * (i / 32)] = __popc(same);
        equal[4 * (i / 32) + 1] = any;
        equal[4 * (i / 32) + 2] = all;
        equal[4 * (i / 32) + 3] = lowest;
    }
}
