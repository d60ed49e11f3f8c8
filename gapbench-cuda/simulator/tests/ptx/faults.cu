// nvcc -ptx -arch=compute_90 faults.cu -o faults.ptx
// What a kernel may do wrong, and what it may wait for.

extern "C" __global__ void out_of_bounds(float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) y[i] = 1;
}

extern "C" __global__ void misaligned(char* y) { *(int*)(y + 1 + threadIdx.x) = 1; }

extern "C" __global__ void shared_out_of_bounds(int* y, int n) {
    __shared__ int s[32];
    s[threadIdx.x + n] = threadIdx.x;
    __syncthreads();
    y[threadIdx.x] = s[31 - threadIdx.x];
}

extern "C" __global__ void uninitialised(float* y) {
    __shared__ float s[32];
    if (threadIdx.x > 0) s[threadIdx.x] = 1;
    __syncthreads();
    y[threadIdx.x] = s[threadIdx.x];
}

// The upper half of the warp waits at the barrier, the lower in the shuffle.
extern "C" __global__ void torn_warp(int* y) {
    int v = threadIdx.x;
    if (threadIdx.x < 16) v = __shfl_xor_sync(0xffffffffu, v, 1);
    else __syncthreads();
    y[threadIdx.x] = v;
}

extern "C" __global__ void traps(int* y) {
    if (threadIdx.x == 3) __trap();
    y[threadIdx.x] = 1;
}

extern "C" __global__ void waits_for_flag(volatile int* flag, unsigned long long* times) {
    unsigned long long start = clock64();
    while (*flag == 0) {}
    times[0] = clock64() - start;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(times[1]));
    unsigned sm;
    asm volatile("mov.u32 %0, %%smid;" : "=r"(sm));
    times[2] = sm;
}

// Lane 0 holds a lock that the others spin for: it ends only if threads are scheduled independently.
extern "C" __global__ void spin_lock(int* lock, int* count) {
    while (atomicCAS(lock, 0, 1) != 0) {}
    *(volatile int*)count += 1;
    __threadfence();
    atomicExch(lock, 0);
}
