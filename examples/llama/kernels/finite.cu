// Sets *found to 1 where one of the elements is infinite or not a number.
//
// Such an element has all bits of the exponent set, so that no conversion is needed.
//
// Layout   x: count elements. found: one word, which nobody else writes anything but 1 to.
// Launch   blocks of 256 threads; each thread walks over the rest, so that any number of blocks is right.
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py finite)

#include "elements.cuh"

template <class T>
struct Exponent;
template <>
struct Exponent<float> {
    static const unsigned one = 0x7f800000u;
};
template <>
struct Exponent<f16> {
    static const unsigned one = 0x7c00u;
};
template <>
struct Exponent<bf16> {
    static const unsigned one = 0x7f80u;
};

// Whether one of the elements in a word of 32 bits is not finite.
template <class T>
__device__ bool not_finite(unsigned word) {
    const unsigned mask = Exponent<T>::one;
    if (sizeof(T) == 4) return (word & mask) == mask;
    return (word & mask) == mask || (word >> 16 & mask) == mask;
}

__device__ inline unsigned bits(const float* from) { return *reinterpret_cast<const unsigned*>(from); }
__device__ inline unsigned bits(const bf16* from) { return from->bits; }
__device__ inline unsigned bits(const f16* from) { return from->bits; }

template <class T>
__device__ void finite(const T* __restrict__ x, unsigned* found, unsigned long long count) {
    const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x;
    const size_t thread = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const size_t of_vector = 16 / sizeof(T), vectors = aligned_to_16(x) ? count / of_vector : 0;
    bool bad = false;
    for (size_t i = thread; i < vectors; i += step) {
        const uint4 v = reinterpret_cast<const uint4*>(x)[i];
        bad = bad || not_finite<T>(v.x) || not_finite<T>(v.y) || not_finite<T>(v.z) || not_finite<T>(v.w);
    }
    for (size_t i = of_vector * vectors + thread; i < count; i += step) bad = bad || not_finite<T>(bits(x + i));
    if (bad) *found = 1;
}

#define FINITE(T, NAME)                                                                                           \
    extern "C" __global__ void NAME(const T* __restrict__ x, unsigned* found, unsigned long long count) {          \
        finite(x, found, count);                                                                                   \
    }
FINITE(float, finite_f32)
FINITE(f16, finite_f16)
FINITE(bf16, finite_bf16)
