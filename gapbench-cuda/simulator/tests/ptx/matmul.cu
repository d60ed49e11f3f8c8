// nvcc -ptx -arch=compute_90 matmul.cu -o matmul.ptx
// A tiled product in static shared memory, and one with rows in dynamic shared memory.

extern "C" __global__ void matmul_tiled(const float* a, const float* b, float* c, int n) {
    __shared__ float tile_a[16][16], tile_b[16][17];
    int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    float sum = 0;
    for (int k = 0; k < n; k += 16) {
        tile_a[threadIdx.y][threadIdx.x] = row < n && k + threadIdx.x < n ? a[row * n + k + threadIdx.x] : 0;
        tile_b[threadIdx.y][threadIdx.x] = column < n && k + threadIdx.y < n ? b[(k + threadIdx.y) * n + column] : 0;
        __syncthreads();
        for (int i = 0; i < 16; i++) sum += tile_a[threadIdx.y][i] * tile_b[i][threadIdx.x];
        __syncthreads();
    }
    if (row < n && column < n) c[row * n + column] = sum;
}

extern "C" __global__ void softmax_rows(const float* x, float* y, int columns) {
    extern __shared__ float row[];
    __shared__ float total;
    const float* from = x + (size_t)blockIdx.x * columns;
    float most = __int_as_float(0xff800000);
    for (int i = 0; i < columns; i++) most = fmaxf(most, from[i]);
    for (int i = threadIdx.x; i < columns; i += blockDim.x) row[i] = expf(from[i] - most);
    if (threadIdx.x == 0) total = 0;
    __syncthreads();
    float sum = 0;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) sum += row[i];
    atomicAdd(&total, sum);
    __syncthreads();
    for (int i = threadIdx.x; i < columns; i += blockDim.x) y[(size_t)blockIdx.x * columns + i] = row[i] / total;
}
