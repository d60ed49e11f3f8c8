// Products of a weight of the element type with up to eight rows. What they compute, layout and launch: gemv.cuh.
//
// PTX      NVRTC 12.0: --gpu-architecture=compute_80 --std=c++17 --define-macro=__NV_TARGET_H (build.py gemv)

#include "gemv.cuh"

GEMVS(float, float, gemv_f32)
GEMVS(f16, f16, gemv_f16)
GEMVS(bf16, bf16, gemv_bf16)
