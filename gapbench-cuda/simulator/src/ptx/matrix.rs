//! Products of matrices by the tensor cores: `ldmatrix`, `mma.sync`, `wmma`.
//!
//! Sums are taken in `f64` and rounded once; a device rounds, or cuts off, more often. The fragments of `ldmatrix` and
//! `mma` are laid out as the PTX ISA says. Those of `wmma` have no specified layout: here a lane holds eight
//! neighbours of a row, and what a device holds twice is ignored.

use half::{bf16, f16};

use super::FaultKind;
use super::block::Block;
use super::decode::{Decoded, Reader};
use super::float::Float;
use super::instruction::{Instruction, Operation, Slot, Space};
use super::memory::space;
use super::round::Rounding;
use super::thread::Thread;
use super::types::Type;
use super::warp::LANES;

/// A matrix operation of a warp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matrix {
    /// `ldmatrix`: 8x8 matrices, whose rows are at the addresses that the lanes give.
    LoadRows { matrices: usize, transposed: bool },
    /// `mma`: 16x8 = 16xk * kx8.
    Multiply { depth: usize, factor: Type, sum: Type },
    /// `wmma.load`
    LoadTile { space: Space, columns: bool, element: Type },
    /// `wmma.store`
    StoreTile { space: Space, columns: bool, element: Type },
    /// `wmma.mma`: 16x16 = 16x16 * 16x16.
    MultiplyTiles { factor: Type, sum: Type },
}

/// The registers of each fragment: d, a, b, c, as far as the operation has them.
pub(super) type Fragments = Box<[Vec<Slot>]>;

/// A lane and what went wrong in it.
type Failed = (usize, FaultKind);

/// Where element `index` of a lane lies: row and column.
type Place = fn(usize, usize) -> (usize, usize);

/// The fragments of `mma`; the upper half of `k` lies in the upper elements.
const LEFT: Place = |lane, index| (lane / 4 + index / 2 % 2 * 8, lane % 4 * 2 + index % 2 + index / 4 * 8);
const RIGHT: Place = |lane, index| (lane % 4 * 2 + index % 2 + index / 2 * 8, lane / 4);
const SUM: Place = |lane, index| (lane / 4 + index / 2 * 8, lane % 4 * 2 + index % 2);
/// The fragments of `wmma`.
const TILE: Place = |lane, index| (lane / 2, lane % 2 * 8 + index);

/// A matrix that fits every shape here.
type Dense = [[f64; 16]; 16];

fn decode(t: Type, bits: u64) -> f64 {
    match t {
        Type::F16 => f16::read(bits).wide(),
        Type::Bf16 => bf16::read(bits).wide(),
        _ => f32::read(bits).wide(),
    }
}

fn encode(t: Type, value: f64) -> u64 {
    match t {
        Type::F16 => f16::narrow(value, Rounding::Nearest).slot(),
        Type::Bf16 => bf16::narrow(value, Rounding::Nearest).slot(),
        _ => f32::narrow(value, Rounding::Nearest).slot(),
    }
}

/// The bits of an element of a fragment; short ones lie two in a register.
fn element(thread: &Thread, slots: &[Slot], t: Type, index: usize) -> u64 {
    if t.bits() == 32 {
        thread.register(slots[index])
    } else {
        thread.register(slots[index / 2]) >> (index % 2 * 16) & 0xffff
    }
}

fn set_element(thread: &mut Thread, slots: &[Slot], t: Type, index: usize, bits: u64) {
    if t.bits() == 32 {
        return thread.set_register(slots[index], bits);
    }
    let (slot, shift) = (slots[index / 2], index % 2 * 16);
    let other = thread.register(slot) & (0xffff_0000 >> shift);
    thread.set_register(slot, other | bits << shift);
}

/// Gathers a matrix from the lanes.
fn gather(
    warp: &[Thread],
    fragments: &[Vec<Vec<Slot>>],
    which: usize,
    t: Type,
    count: usize,
    place: Place,
) -> Dense {
    let mut dense = [[0.0; 16]; 16];
    for (lane, thread) in warp.iter().enumerate() {
        for index in 0..count {
            let (row, column) = place(lane, index);
            dense[row][column] = decode(t, element(thread, &fragments[lane][which], t, index));
        }
    }
    dense
}

impl Matrix {
    /// Executes it for a warp, all of whose lanes stand at it; the registers of each lane's fragments are given.
    pub(super) fn apply(
        self,
        block: &mut Block<'_>,
        warp: &mut [Thread],
        fragments: &[Vec<Vec<Slot>>],
    ) -> Result<(), Failed> {
        match self {
            Matrix::LoadRows { matrices, transposed } => {
                load_rows(block, warp, fragments, matrices, transposed)
            }
            Matrix::Multiply { depth, factor, sum } => {
                let a = gather(warp, fragments, 1, factor, depth / 2, LEFT);
                let b = gather(warp, fragments, 2, factor, depth / 4, RIGHT);
                let c = gather(warp, fragments, 3, sum, 4, SUM);
                multiply(warp, fragments, [&a, &b, &c], depth, sum, 4, SUM);
                Ok(())
            }
            Matrix::MultiplyTiles { factor, sum } => {
                let a = gather(warp, fragments, 1, factor, 8, TILE);
                let b = gather(warp, fragments, 2, factor, 8, TILE);
                let c = gather(warp, fragments, 3, sum, 8, TILE);
                multiply(warp, fragments, [&a, &b, &c], 16, sum, 8, TILE);
                Ok(())
            }
            Matrix::LoadTile { space, columns, element: t } => {
                each_of_tile(block, warp, columns, t, |block, thread, lane, index, address| {
                    let bits = thread.load(block, space, address, t.bytes())?;
                    set_element(thread, &fragments[lane][0], t, index, bits);
                    Ok(())
                })
            }
            Matrix::StoreTile { space, columns, element: t } => {
                each_of_tile(block, warp, columns, t, |block, thread, lane, index, address| {
                    let bits = element(thread, &fragments[lane][0], t, index);
                    thread.store(block, space, address, t.bytes(), bits)
                })
            }
        }
    }
}

/// `d = a * b + c`, handed back to the lanes.
fn multiply(
    warp: &mut [Thread],
    fragments: &[Vec<Vec<Slot>>],
    [a, b, c]: [&Dense; 3],
    depth: usize,
    t: Type,
    count: usize,
    place: Place,
) {
    for (lane, thread) in warp.iter_mut().enumerate() {
        for index in 0..count {
            let (row, column) = place(lane, index);
            let sum: f64 = (0..depth).map(|k| a[row][k] * b[k][column]).sum();
            set_element(thread, &fragments[lane][0], t, index, encode(t, sum + c[row][column]));
        }
    }
}

fn load_rows(
    block: &mut Block<'_>,
    warp: &mut [Thread],
    fragments: &[Vec<Vec<Slot>>],
    matrices: usize,
    transposed: bool,
) -> Result<(), Failed> {
    let kernel = block.launch.kernel;
    let mut rows = Vec::new();
    // A lane's address is read before any lane's registers change.
    for (lane, thread) in warp.iter().enumerate().take(8 * matrices) {
        let address = thread.address(kernel);
        let mut row = [0; 8];
        for (half, offset) in row.iter_mut().zip((0..).step_by(2)) {
            let loaded = thread.load(block, Space::Shared, address.wrapping_add(offset), 2);
            *half = loaded.map_err(|kind| (lane, kind))?;
        }
        rows.push(row);
    }
    for (thread, fragments) in warp.iter_mut().zip(fragments) {
        let lane = thread.index % LANES;
        let (row, column) = (lane / 4, lane % 4 * 2);
        for (slot, rows) in fragments[0].iter().zip(rows.chunks_exact(8)) {
            let at = |column: usize| if transposed { rows[column][row] } else { rows[row][column] };
            thread.set_register(*slot, at(column + 1) << 16 | at(column));
        }
    }
    Ok(())
}

/// Visits the eight elements of every lane with their addresses; the second input is the distance of two rows.
fn each_of_tile(
    block: &mut Block<'_>,
    warp: &mut [Thread],
    columns: bool,
    t: Type,
    visit: impl Fn(&mut Block<'_>, &mut Thread, usize, usize, u64) -> Result<(), FaultKind>,
) -> Result<(), Failed> {
    for (lane, thread) in warp.iter_mut().enumerate().take(LANES) {
        let (base, stride) =
            (thread.address(block.launch.kernel), thread.input(thread.instruction(block.launch.kernel), 1));
        for index in 0..8 {
            let (row, column) = TILE(lane, index);
            let (outer, inner) = if columns { (column, row) } else { (row, column) };
            let elements = stride.wrapping_mul(outer as u64).wrapping_add(inner as u64);
            let address = base.wrapping_add(elements.wrapping_mul(t.bytes() as u64));
            visit(block, thread, lane, index, address).map_err(|kind| (lane, kind))?;
        }
    }
    Ok(())
}

/// An instruction of all lanes.
fn of_warp(reader: &mut Reader<'_, '_>, matrix: Matrix, fragments: Vec<Vec<Slot>>) -> Instruction {
    let mut instruction = Instruction::new(Operation::Matrix(matrix, fragments.into()));
    instruction.inputs[3] = reader.constant(u32::MAX.into());
    instruction
}

/// Decodes `ldmatrix.sync.aligned.m8n8.x1|x2|x4{.trans}.shared.b16 d, [a]`.
pub(super) fn ldmatrix(reader: &mut Reader<'_, '_>) -> Decoded {
    for suffix in ["sync", "aligned", "m8n8"] {
        reader.require(suffix)?;
    }
    let matrices = reader.one_of(&[("x1", 1), ("x2", 2), ("x4", 4)])?;
    let transposed = reader.take("trans");
    reader.one_of(&[("shared", ()), ("shared::cta", ())])?;
    reader.type_of("b16")?;
    let slots = reader.vector_destination(matrices)?;
    let (base, offset) = reader.address()?;
    let mut instruction = of_warp(reader, Matrix::LoadRows { matrices, transposed }, vec![slots]);
    (instruction.inputs[0], instruction.offset) = (base, offset);
    Ok(instruction)
}

/// Decodes `mma.sync.aligned.m16n8k8|k16.row.col.dtype.atype.btype.ctype d, a, b, c` for short floats.
pub(super) fn mma(reader: &mut Reader<'_, '_>) -> Decoded {
    for suffix in ["sync", "aligned", "row", "col"] {
        reader.require(suffix)?;
    }
    let depth = reader.one_of(&[("m16n8k16", 16), ("m16n8k8", 8)])?;
    let (sum, factor) = (reader.type_of("f32 f16")?, reader.type_of("f16 bf16")?);
    if reader.type_any()? != factor || reader.type_any()? != sum {
        return Err("factors of different types, or sums of different types".into());
    }
    let sum_registers = if sum == Type::F32 { 4 } else { 2 };
    let fragments = vec![
        reader.vector_destination(sum_registers)?,
        reader.vector_source(depth / 4, Type::B32)?,
        reader.vector_source(depth / 8, Type::B32)?,
        reader.vector_source(sum_registers, if sum == Type::F32 { Type::F32 } else { Type::B32 })?,
    ];
    Ok(of_warp(reader, Matrix::Multiply { depth, factor, sum }, fragments))
}

/// How many registers a 16x16 fragment has, by what it is for.
fn tile_registers(factor: bool, t: Type) -> usize {
    match (factor, t) {
        (true, Type::F16) | (false, Type::F32) => 8,
        _ => 4,
    }
}

/// Decodes `wmma.load`, `wmma.mma` and `wmma.store` of shape m16n16k16 for short floats.
pub(super) fn wmma(reader: &mut Reader<'_, '_>) -> Decoded {
    let action = reader.one_of(&[("load", 0), ("mma", 1), ("store", 2)])?;
    for suffix in ["sync", "aligned", "m16n16k16"] {
        reader.require(suffix)?;
    }
    if action == 1 {
        return wmma_mma(reader);
    }
    let factor = reader.one_of(&[("a", true), ("b", true), ("c", false), ("d", false)])?;
    let columns = reader.one_of(&[("row", false), ("col", true)])?;
    let space = space(reader);
    let element = reader.type_of(if factor { "f16 bf16" } else { "f32 f16" })?;
    let registers = tile_registers(factor, element);
    let (matrix, slots, address) = if action == 0 {
        let slots = reader.vector_destination(registers)?;
        (Matrix::LoadTile { space, columns, element }, slots, reader.address()?)
    } else {
        let address = reader.address()?;
        (Matrix::StoreTile { space, columns, element }, reader.vector_source(registers, Type::B32)?, address)
    };
    let stride = if reader.has_operand() { reader.source(Type::U32)? } else { reader.constant(16) };
    let mut instruction = of_warp(reader, matrix, vec![slots]);
    (instruction.inputs[0], instruction.inputs[1], instruction.offset) = (address.0, stride, address.1);
    Ok(instruction)
}

/// `wmma.mma.sync.aligned.alayout.blayout.m16n16k16.dtype{.atype.btype}.ctype d, a, b, c`; without types of the factors
/// they are `f16`.
fn wmma_mma(reader: &mut Reader<'_, '_>) -> Decoded {
    for _ in 0..2 {
        reader.one_of(&[("row", ()), ("col", ())])?;
    }
    let sum = reader.type_of("f32 f16")?;
    let second = reader.type_any()?;
    let factor = match reader.type_any() {
        Ok(third) if third == second => second,
        Ok(_) => return Err("factors of different types".into()),
        Err(_) => Type::F16,
    };
    let same = if factor == second && reader.has_suffix() { reader.type_any()? } else { second };
    if same != sum {
        return Err("sums of different types".into());
    }
    let fragments = vec![
        reader.vector_destination(tile_registers(false, sum))?,
        reader.vector_source(tile_registers(true, factor), Type::B32)?,
        reader.vector_source(tile_registers(true, factor), Type::B32)?,
        reader.vector_source(tile_registers(false, sum), Type::B32)?,
    ];
    Ok(of_warp(reader, Matrix::MultiplyTiles { factor, sum }, fragments))
}
