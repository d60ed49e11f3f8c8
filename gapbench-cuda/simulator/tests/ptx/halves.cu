// nvcc -ptx -arch=compute_90 halves.cu -o halves.ptx
// Short floating-point types, alone and in pairs.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

extern "C" __global__ void scale_bf16(const __nv_bfloat162* x, const __nv_bfloat162* w, __nv_bfloat162* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = __hfma2(x[i], w[i], x[i]);
}

extern "C" __global__ void silu_f16(const __half2* x, __half2* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float2 v = __half22float2(x[i]);
    v.x /= 1 + __expf(-v.x);
    v.y /= 1 + __expf(-v.y);
    y[i] = __hadd2(__floats2half2_rn(v.x, v.y), __hmul2(x[i], __float2half2_rn(0.125f)));
}

extern "C" __global__ void round_trip_fp8(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = float(__nv_fp8_e4m3(x[i]));
}

extern "C" __global__ void norm_bf16(const __nv_bfloat16* x, __nv_bfloat16* y, int columns) {
    float sum = 0;
    for (int i = threadIdx.x; i < columns; i += 32) {
        float v = __bfloat162float(x[blockIdx.x * columns + i]);
        sum += v * v;
    }
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    float scale = rsqrtf(sum / columns + 1e-6f);
    for (int i = threadIdx.x; i < columns; i += 32)
        y[blockIdx.x * columns + i] = __float2bfloat16(__bfloat162float(x[blockIdx.x * columns + i]) * scale);
}
