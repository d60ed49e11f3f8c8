//! The PTX of `kernels/`, one constant a source.

/// `argmax`
pub const ARGMAX: &str = include_str!("../../kernels/argmax.ptx");
/// `attention_decode_*_G`, `attention_merge_*`
pub const ATTENTION_DECODE: &str = include_str!("../../kernels/attention_decode.ptx");
/// `attention_prefill_f32`
pub const ATTENTION_PREFILL: &str = include_str!("../../kernels/attention_prefill.ptx");
/// `attention_prefill_*_DIM`
pub const ATTENTION_PREFILL_MMA: &str = include_str!("../../kernels/attention_prefill_mma.ptx");
/// `cast_*_*`
pub const CAST: &str = include_str!("../../kernels/cast.ptx");
/// `embed_*`
pub const EMBED: &str = include_str!("../../kernels/embed.ptx");
/// `finite_*`
pub const FINITE: &str = include_str!("../../kernels/finite.ptx");
/// `gemv_*_M`
pub const GEMV: &str = include_str!("../../kernels/gemv.ptx");
/// `gemv_i8_*_M`
pub const GEMV_I8: &str = include_str!("../../kernels/gemv_i8.ptx");
/// `dequantize_*`
pub const DEQUANTIZE: &str = include_str!("../../kernels/dequantize.ptx");
/// `add_rms_norm_*`
pub const RMS_NORM: &str = include_str!("../../kernels/rms_norm.ptx");
/// `rope_append_*`
pub const ROPE_APPEND: &str = include_str!("../../kernels/rope_append.ptx");
/// `silu_mul_*`
pub const SILU_MUL: &str = include_str!("../../kernels/silu_mul.ptx");
