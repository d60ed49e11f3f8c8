// nvcc -ptx -arch=compute_90 calls.cu -o calls.ptx
// Device functions that are not inlined, recursion, a structure by value, a jump table, 128-bit products.

struct Point { double x, y; int weight; };

__device__ __noinline__ Point moved(Point p, double by) {
    p.x += by;
    p.y -= by;
    p.weight *= 2;
    return p;
}

__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

extern "C" __global__ void move_points(Point* points, Point offset, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) points[i] = moved(points[i], offset.x + offset.weight);
}

extern "C" __global__ void fibonacci_numbers(int* y) { y[threadIdx.x] = fibonacci(threadIdx.x); }

extern "C" __global__ void cases(const int* x, int* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int v = x[i];
    switch (v) {
        case 0: y[i] = v + 7; break;
        case 1: y[i] = v * v - 3; break;
        case 2: y[i] = __brev(v); break;
        case 3: y[i] = __clz(v); break;
        case 4: y[i] = v << i; break;
        case 5: y[i] = v / (i + 1); break;
        case 6: y[i] = __ffs(v); break;
        default: y[i] = -1;
    }
}

extern "C" __global__ void wide_products(const unsigned long long* a, unsigned long long* high, int n) {
    int i = threadIdx.x;
    if (i < n) high[i] = (unsigned long long)(((unsigned __int128)a[i] * a[i] + a[i]) >> 64);
}

__device__ int counter = 5;
__constant__ float weights[4] = {0.5f, 1.5f, 2.5f, 3.5f};

extern "C" __global__ void module_variables(float* y) {
    y[threadIdx.x] = weights[threadIdx.x & 3] * counter;
    __syncthreads();
    if (threadIdx.x == 0) counter += 1;
}
