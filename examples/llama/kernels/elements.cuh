// Elements in memory, f32, f16 or bf16, as f32 in registers: one at a time, or eight at a time in accesses of 16 bytes.
//
// bf16 is the upper half of an f32, so widening is a shift. All other conversions are the one instruction that sm_80 has
// for them, the same that cuda_fp16.h and cuda_bf16.h end in. With these few lines no header of the toolkit is needed.
#pragma once

struct bf16 {
    unsigned short bits;
};
struct f16 {
    unsigned short bits;
};

__device__ inline bool aligned_to_16(const void* pointer) { return reinterpret_cast<size_t>(pointer) % 16 == 0; }

__device__ inline float load(const float* from) { return *from; }
__device__ inline float load(const bf16* from) { return __uint_as_float(static_cast<unsigned>(from->bits) << 16); }
__device__ inline float widen_half(unsigned short bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}
__device__ inline float load(const f16* from) { return widen_half(from->bits); }

__device__ inline void store(float* to, float value) { *to = value; }
__device__ inline void store(bf16* to, float value) {
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to->bits) : "f"(value));
}
__device__ inline void store(f16* to, float value) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to->bits) : "f"(value)); }

// Eight elements as they lie in memory: loaded early, widened when they are needed.
template <class T>
struct Eight {
    uint4 packed;
};
template <>
struct Eight<float> {
    float4 low, high;
};

template <class T>
__device__ Eight<T> fetch8(const T* from) {
    return *reinterpret_cast<const Eight<T>*>(from);
}

__device__ inline void widen(const Eight<float>& from, float (&value)[8]) {
    value[0] = from.low.x, value[1] = from.low.y, value[2] = from.low.z, value[3] = from.low.w;
    value[4] = from.high.x, value[5] = from.high.y, value[6] = from.high.z, value[7] = from.high.w;
}
__device__ inline void widen(const Eight<bf16>& from, float (&value)[8]) {
    const unsigned pair[4] = {from.packed.x, from.packed.y, from.packed.z, from.packed.w};
    for (int i = 0; i < 4; i++) {
        value[2 * i] = __uint_as_float(pair[i] << 16);
        value[2 * i + 1] = __uint_as_float(pair[i] & 0xffff0000u);
    }
}
__device__ inline void widen(const Eight<f16>& from, float (&value)[8]) {
    const unsigned pair[4] = {from.packed.x, from.packed.y, from.packed.z, from.packed.w};
    for (int i = 0; i < 4; i++) {
        value[2 * i] = widen_half(pair[i] & 0xffffu);
        value[2 * i + 1] = widen_half(pair[i] >> 16);
    }
}

template <class T>
__device__ void load8(const T* from, float (&value)[8]) {
    widen(fetch8(from), value);
}

__device__ inline void store8(float* to, const float (&v)[8]) {
    reinterpret_cast<float4*>(to)[0] = make_float4(v[0], v[1], v[2], v[3]);
    reinterpret_cast<float4*>(to)[1] = make_float4(v[4], v[5], v[6], v[7]);
}
template <class T>
__device__ void store8(T* to, const float (&value)[8]) {
    unsigned pair[4];
    for (int i = 0; i < 4; i++) {
        T low, high;
        store(&low, value[2 * i]);
        store(&high, value[2 * i + 1]);
        pair[i] = low.bits | static_cast<unsigned>(high.bits) << 16;
    }
    *reinterpret_cast<uint4*>(to) = make_uint4(pair[0], pair[1], pair[2], pair[3]);
}

// 2^x by the hardware's own instruction, within 2 ulp; 0 where the result is no normal number.
__device__ inline float power_of_two(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
