//! The table of opcodes: what is not in it is not known.
//!
//! An ordinary opcode is a row of its modifiers, its number of inputs, and a function that picks the computation for a
//! type. One with operands or suffixes of its own has a function that decodes it.

use super::decode::{Decoded, Reader};
use super::instruction::{Compute, Mode, Select};
use super::types::Type;
use super::{atomic, bits, compare, control, convert, float, integer, math, matrix, memory, warp};

/// How an opcode is decoded.
pub(super) enum Row {
    /// Its modifiers, how many inputs it has, and its function for each type.
    Value(&'static str, usize, Select),
    Decode(fn(&mut Reader<'_, '_>) -> Decoded),
}

use Row::{Decode, Value};

/// Every opcode.
pub(super) const OPCODES: &[(&str, Row)] = &[
    ("abs", Value("ftz", 1, |t, m| integer::abs(t, m).or(float::abs(t, m)))),
    ("activemask", Decode(warp::activemask)),
    ("add", Decode(add)),
    ("addc", Decode(integer::carry)),
    ("and", Value("", 2, bits::and)),
    ("applypriority", Decode(memory::hint)),
    ("atom", Decode(atomic::atom)),
    ("bar", Decode(control::bar)),
    ("barrier", Decode(control::bar)),
    ("bfe", Value("", 3, bits::bfe)),
    ("bfi", Decode(bits::bfi)),
    ("bfind", Value("shiftamt", 1, bits::bfind)),
    ("bra", Decode(control::bra)),
    ("brev", Value("", 1, bits::brev)),
    ("brkpt", Decode(control::brkpt)),
    ("brx", Decode(control::brx)),
    ("call", Decode(control::call)),
    ("clz", Value("", 1, bits::clz)),
    ("cnot", Value("", 1, bits::cnot)),
    ("copysign", Value("", 2, math::copysign)),
    ("cos", Value("approx ftz", 1, math::cos)),
    ("cp", Decode(memory::cp)),
    ("cvt", Decode(convert::cvt)),
    ("cvta", Decode(convert::cvta)),
    ("discard", Decode(memory::hint)),
    ("div", Value("approx full rn rz rm rp ftz", 2, |t, m| integer::div(t, m).or(float::div(t, m)))),
    ("dp2a", Decode(integer::dot_product)),
    ("dp4a", Decode(integer::dot_product)),
    ("elect", Decode(warp::elect)),
    ("ex2", Value("approx ftz", 1, math::ex2)),
    ("exit", Decode(control::exit)),
    ("fence", Decode(memory::fence)),
    ("fma", Value("rn rz rm rp ftz sat relu", 3, float::fma)),
    ("isspacep", Decode(memory::isspacep)),
    ("ld", Decode(memory::ld)),
    ("ldmatrix", Decode(matrix::ldmatrix)),
    ("ldu", Decode(memory::ld)),
    ("lg2", Value("approx ftz", 1, math::lg2)),
    ("lop3", Decode(bits::lop3)),
    ("mad", Decode(mad)),
    ("mad24", Value("lo hi", 3, integer::mul24)),
    ("madc", Decode(integer::carry)),
    ("match", Decode(warp::matching)),
    ("max", Value("ftz NaN xorsign abs relu", 2, |t, m| integer::max(t, m).or(float::max(t, m)))),
    ("membar", Decode(memory::fence)),
    ("min", Value("ftz NaN xorsign abs relu", 2, |t, m| integer::min(t, m).or(float::min(t, m)))),
    ("mma", Decode(matrix::mma)),
    ("mov", Decode(control::mov)),
    ("mul", Value("lo hi wide rn rz rm rp ftz sat", 2, |t, m| integer::mul(t, m).or(float::mul(t, m)))),
    ("mul24", Value("lo hi", 2, mul24)),
    ("nanosleep", Decode(control::nanosleep)),
    ("neg", Value("ftz", 1, |t, m| integer::neg(t, m).or(float::neg(t, m)))),
    ("not", Value("", 1, bits::not)),
    ("or", Value("", 2, bits::or)),
    ("popc", Value("", 1, bits::popc)),
    ("prefetch", Decode(memory::hint)),
    ("prefetchu", Decode(memory::hint)),
    ("prmt", Decode(bits::prmt)),
    ("rcp", Value("approx rn rz rm rp ftz", 1, float::rcp)),
    ("red", Decode(atomic::atom)),
    ("redux", Decode(warp::redux)),
    ("rem", Value("", 2, integer::rem)),
    ("ret", Decode(control::ret)),
    ("rsqrt", Value("approx ftz", 1, math::rsqrt)),
    ("sad", Value("", 3, integer::sad)),
    ("selp", Decode(compare::selp)),
    ("set", Decode(compare::set)),
    ("setp", Decode(compare::setp)),
    ("shf", Decode(bits::funnel_shift)),
    ("shfl", Decode(warp::shfl)),
    ("shl", Value("", 2, bits::shl)),
    ("shr", Value("", 2, bits::shr)),
    ("sin", Value("approx ftz", 1, math::sin)),
    ("slct", Decode(compare::slct)),
    ("sqrt", Value("approx rn rz rm rp ftz", 1, float::sqrt)),
    ("st", Decode(memory::st)),
    ("sub", Decode(sub)),
    ("subc", Decode(integer::carry)),
    ("tanh", Value("approx", 1, math::tanh)),
    ("testp", Decode(math::testp)),
    ("trap", Decode(control::trap)),
    ("vote", Decode(warp::vote)),
    ("wmma", Decode(matrix::wmma)),
    ("xor", Value("", 2, bits::xor)),
];

fn add(reader: &mut Reader<'_, '_>) -> Decoded {
    if reader.has("cc") {
        return integer::carry(reader);
    }
    reader.table_row("rn rz rm rp ftz sat", 2, |t, m| integer::add(t, m).or(float::add(t, m)))
}

fn sub(reader: &mut Reader<'_, '_>) -> Decoded {
    if reader.has("cc") {
        return integer::carry(reader);
    }
    reader.table_row("rn rz rm rp ftz sat", 2, |t, m| integer::sub(t, m).or(float::sub(t, m)))
}

fn mad(reader: &mut Reader<'_, '_>) -> Decoded {
    if reader.has("cc") {
        return integer::carry(reader);
    }
    reader.table_row("lo hi wide rn rz rm rp ftz sat", 3, |t, m| integer::mad(t, m).or(float::fma(t, m)))
}

/// The same function as `mad24`, whose third input is not there.
fn mul24(t: Type, _: Mode) -> Option<Compute> {
    match t {
        Type::U32 => Some(|mode, a, b, _| integer::product_24::<u32>(mode, a, b, 0)),
        Type::S32 => Some(|mode, a, b, _| integer::product_24::<i32>(mode, a, b, 0)),
        _ => None,
    }
}
