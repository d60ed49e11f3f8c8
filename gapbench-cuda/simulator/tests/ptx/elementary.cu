// nvcc -ptx -arch=compute_90 elementary.cu -o elementary.ptx
// The accurate functions of the C library, whose large arguments go through tables in constant and local memory.

extern "C" __global__ void sine_cosine(const float* x, float* sine, float* cosine, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) sincosf(x[i], &sine[i], &cosine[i]);
}

extern "C" __global__ void power(const float* x, const float* y, float* z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) z[i] = powf(x[i], y[i]);
}

extern "C" __global__ void double_functions(const double* x, double* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = sin(x[i]) + exp(-x[i] * x[i]) + log(1 + fabs(x[i])) + sqrt(fabs(x[i])) / (1 + x[i] * x[i]);
}

extern "C" __global__ void gelu(const float4* x, float4* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float4 v = x[i];
    float* p = &v.x;
    for (int k = 0; k < 4; k++) p[k] = 0.5f * p[k] * (1 + erff(p[k] * 0.70710678f));
    y[i] = v;
}
