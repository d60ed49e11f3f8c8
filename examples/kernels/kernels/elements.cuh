// Elements in memory, f32 or bf16, as f32 in registers: one at a time, or 16 bytes (one 128-bit access) at a time.
//
// bf16 is the upper half of an f32, so widening is a shift. Narrowing uses the one instruction that sm_80 has for it,
// the same that cuda_bf16.h ends in: it rounds to nearest even and keeps NaN a NaN, where adding 0x7fff turns
// 0x7fffffff into -0. With these few lines no header of the toolkit is needed.
#pragma once

struct bf16 {
    unsigned short bits;
};

// How many elements 16 bytes hold.
template <class T>
constexpr unsigned WIDTH = 16 / sizeof(T);

__device__ inline bool aligned_to_16(const void* pointer) { return reinterpret_cast<size_t>(pointer) % 16 == 0; }

__device__ inline float load(const float* from) { return *from; }
__device__ inline float load(const bf16* from) { return __uint_as_float(static_cast<unsigned>(from->bits) << 16); }

__device__ inline void store(float* to, float value) { *to = value; }
__device__ inline void store(bf16* to, float value) {
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to->bits) : "f"(value));
}

__device__ inline void widen(uint4 packed, float (&value)[8]) {
    const unsigned pair[4] = {packed.x, packed.y, packed.z, packed.w};
    for (int i = 0; i < 4; i++) {
        value[2 * i] = __uint_as_float(pair[i] << 16);
        value[2 * i + 1] = __uint_as_float(pair[i] & 0xffff0000u);
    }
}

__device__ inline void load16(const float* from, float (&value)[4]) {
    const float4 v = *reinterpret_cast<const float4*>(from);
    value[0] = v.x, value[1] = v.y, value[2] = v.z, value[3] = v.w;
}
__device__ inline void load16(const bf16* from, float (&value)[8]) {
    widen(*reinterpret_cast<const uint4*>(from), value);
}

__device__ inline void store16(float* to, const float (&value)[4]) {
    *reinterpret_cast<float4*>(to) = make_float4(value[0], value[1], value[2], value[3]);
}
__device__ inline void store16(bf16* to, const float (&value)[8]) {
    unsigned pair[4];
    for (int i = 0; i < 4; i++)  // the first operand becomes the upper half
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair[i]) : "f"(value[2 * i + 1]), "f"(value[2 * i]));
    *reinterpret_cast<uint4*>(to) = make_uint4(pair[0], pair[1], pair[2], pair[3]);
}
