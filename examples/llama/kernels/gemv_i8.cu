// Products of a weight in eight bits with up to eight rows. What they compute, layout and launch: gemv.cuh.
//
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py gemv_i8)

#include "gemv.cuh"

GEMVS(i8, float, gemv_i8_f32)
GEMVS(i8, f16, gemv_i8_f16)
GEMVS(i8, bf16, gemv_i8_bf16)
