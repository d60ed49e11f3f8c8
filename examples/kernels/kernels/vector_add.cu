// c[i] = a[i] + b[i], f32.
//
// Layout   a, b, c: n elements each, contiguous.
// Launch   any grid, 256 threads; about one thread for four elements.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py vector_add)

extern "C" __global__ void vector_add_f32(const float* __restrict__ a, const float* __restrict__ b,
                                          float* __restrict__ c, unsigned long long n) {
    const unsigned long long first = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const unsigned long long step = static_cast<unsigned long long>(gridDim.x) * blockDim.x;

    // 16 bytes per access need 16-byte addresses, which a slice of a buffer may not have.
    const bool aligned =
        (reinterpret_cast<size_t>(a) | reinterpret_cast<size_t>(b) | reinterpret_cast<size_t>(c)) % 16 == 0;
    const unsigned long long vectors = aligned ? n / 4 : 0;
    for (unsigned long long i = first; i < vectors; i += step) {
        const float4 x = reinterpret_cast<const float4*>(a)[i];
        const float4 y = reinterpret_cast<const float4*>(b)[i];
        reinterpret_cast<float4*>(c)[i] = make_float4(x.x + y.x, x.y + y.y, x.z + y.z, x.w + y.w);
    }
    for (unsigned long long i = 4 * vectors + first; i < n; i += step) c[i] = a[i] + b[i];
}
