//! The names of a function: its scopes, registers, variables, labels and special registers.

use std::collections::HashMap;

use super::instruction::{Clock, FIRST_FREE, Function, Relative, SINK, Slot, Special};
use super::types::Type;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Symbol<'t> {
    Register(Type),
    /// An address.
    Address(u64, Option<Relative>),
    /// A parameter on a frame: its offset and size in bytes.
    Parameter(usize, usize),
    /// The index of an instruction.
    Label(usize),
    Targets(Vec<&'t str>),
}

#[derive(Debug, Default)]
struct Scope<'t> {
    parent: Option<usize>,
    symbols: HashMap<&'t str, Symbol<'t>>,
    /// `%r<10>`: the prefix, the count, the type.
    ranges: Vec<(&'t str, usize, Type)>,
}

/// The names of one function and the slots that they have been given.
#[derive(Debug)]
pub(super) struct Names<'t> {
    scopes: Vec<Scope<'t>>,
    /// The scope that is being read.
    pub(super) current: usize,
    registers: HashMap<(usize, &'t str), Slot>,
    constants: HashMap<(u64, Option<Relative>), Slot>,
    specials: Vec<(Slot, Special)>,
    /// The width of each slot in bits.
    widths: Vec<u32>,
    initial: Vec<u64>,
    relative: Vec<(Slot, Relative)>,
    /// Declared registers in units of 32 bits.
    pub(super) declared: u32,
}

impl<'t> Names<'t> {
    pub(super) fn new() -> Names<'t> {
        Names {
            scopes: vec![Scope::default()],
            current: 0,
            registers: HashMap::new(),
            constants: HashMap::new(),
            specials: Vec::new(),
            widths: vec![32; FIRST_FREE],
            initial: vec![1, 0, 0],
            relative: Vec::new(),
            declared: 0,
        }
    }

    /// Begins a scope inside the current one.
    pub(super) fn open(&mut self) {
        self.scopes.push(Scope { parent: Some(self.current), ..Scope::default() });
        self.current = self.scopes.len() - 1;
    }

    /// Returns to the scope around the current one.
    pub(super) fn close(&mut self) {
        self.current = self.scopes[self.current].parent.unwrap_or(0);
    }

    pub(super) fn declare(&mut self, name: &'t str, symbol: Symbol<'t>) {
        if let Symbol::Register(t) = symbol {
            self.declared = self.declared.saturating_add(t.bits().div_ceil(32));
        }
        self.scopes[self.current].symbols.insert(name, symbol);
    }

    pub(super) fn declare_range(&mut self, prefix: &'t str, count: usize, t: Type) {
        self.declared = self.declared.saturating_add((count as u32).saturating_mul(t.bits().div_ceil(32)));
        self.scopes[self.current].ranges.push((prefix, count, t));
    }

    /// What a name stands for here, and in which scope it is declared.
    pub(super) fn find(&self, name: &str) -> Option<(usize, Symbol<'t>)> {
        let mut scope = Some(self.current);
        while let Some(index) = scope {
            let Scope { parent, symbols, ranges } = &self.scopes[index];
            if let Some(symbol) = symbols.get(name) {
                return Some((index, symbol.clone()));
            }
            let in_range = ranges.iter().find(|(prefix, count, _)| {
                let number = name.strip_prefix(prefix).and_then(|number| number.parse::<usize>().ok());
                number.is_some_and(|number| number < *count)
            });
            if let Some((_, _, t)) = in_range {
                return Some((index, Symbol::Register(*t)));
            }
            scope = *parent;
        }
        None
    }

    /// The slot of a register.
    pub(super) fn register(&mut self, name: &'t str) -> Option<Slot> {
        if name == "_" {
            return Some(SINK);
        }
        let (scope, Symbol::Register(t)) = self.find(name)? else { return None };
        if let Some(slot) = self.registers.get(&(scope, name)) {
            return Some(*slot);
        }
        let slot = self.fresh(0, t.bits());
        self.registers.insert((scope, name), slot);
        Some(slot)
    }

    fn fresh(&mut self, value: u64, bits: u32) -> Slot {
        self.initial.push(value);
        self.widths.push(bits);
        (self.initial.len() - 1) as Slot
    }

    /// A slot that always holds this value.
    pub(super) fn constant(&mut self, value: u64, relative: Option<Relative>) -> Slot {
        if let Some(slot) = self.constants.get(&(value, relative)) {
            return *slot;
        }
        let slot = self.fresh(value, 64);
        self.constants.insert((value, relative), slot);
        self.relative.extend(relative.map(|relative| (slot, relative)));
        slot
    }

    /// The slot of a special register.
    pub(super) fn special(&mut self, special: Special) -> Slot {
        if let Some((slot, _)) = self.specials.iter().find(|row| row.1 == special) {
            return *slot;
        }
        let slot = self.fresh(0, 32);
        self.specials.push((slot, special));
        slot
    }

    /// The width of a slot in bits.
    pub(super) fn width(&self, slot: Slot) -> u32 {
        self.widths[slot as usize]
    }

    /// Hands over the registers to the function that was decoded with these names.
    pub(super) fn finish(self, function: &mut Function) {
        function.registers = self.initial;
        function.relative = self.relative;
        function.specials = self.specials;
    }
}

/// The special register of a name.
pub(super) fn special(name: &str) -> Option<Special> {
    let axis = |letter: &str| ["x", "y", "z"].iter().position(|axis| *axis == letter);
    if let Some((register, letter)) = name.split_once('.') {
        return match (register, axis(letter)?) {
            ("%tid", axis) => Some(Special::Thread(axis)),
            ("%ntid", axis) => Some(Special::BlockSize(axis)),
            ("%ctaid" | "%clusterid", axis) => Some(Special::Block(axis)),
            ("%nctaid" | "%nclusterid", axis) => Some(Special::GridSize(axis)),
            ("%cluster_ctaid", _) => Some(Special::Zero),
            ("%cluster_nctaid", _) => Some(Special::One),
            _ => None,
        };
    }
    Some(match name {
        "%laneid" => Special::Lane,
        "%warpid" => Special::Warp,
        "%nwarpid" => Special::Warps,
        "%smid" => Special::Multiprocessor,
        "%nsmid" => Special::Multiprocessors,
        "%lanemask_eq" => Special::LanesEqual,
        "%lanemask_lt" => Special::LanesBelow,
        "%lanemask_le" => Special::LanesUpTo,
        "%lanemask_ge" => Special::LanesFrom,
        "%lanemask_gt" => Special::LanesAbove,
        "%dynamic_smem_size" => Special::DynamicSharedBytes,
        "%total_smem_size" => Special::TotalSharedBytes,
        "%gridid" | "%cluster_ctarank" => Special::Zero,
        "%cluster_nctarank" => Special::One,
        _ => return None,
    })
}

/// The clock of a name.
pub(super) fn clock(name: &str) -> Option<Clock> {
    match name {
        "%clock" | "%clock64" => Some(Clock::Cycles),
        "%clock_hi" => Some(Clock::CyclesHigh),
        "%globaltimer" | "%globaltimer_lo" => Some(Clock::Nanoseconds),
        "%globaltimer_hi" => Some(Clock::NanosecondsHigh),
        _ => None,
    }
}
