//! The block that runs: what its threads share, and every check of an access.

use std::ptr::NonNull;

use super::instruction::{Clock, Space, Special};
use super::memory::{Bytes, LOCAL_WINDOW, PARAMETER_WINDOW, SHARED_WINDOW, WINDOW_BYTES};
use super::types::low_bits;
use super::warp::LANES;
use super::{FaultKind, GlobalMemory, Launch, Work};

/// The multiprocessors of the simulated device, over which blocks are dealt out.
const MULTIPROCESSORS: u64 = 132;

/// The block that runs, and what its threads share.
pub(super) struct Block<'a> {
    pub(super) launch: &'a Launch<'a>,
    pub(super) memory: &'a dyn GlobalMemory,
    pub(super) parameters: &'a Bytes,
    pub(super) shared: Bytes,
    pub(super) position: [u32; 3],
    pub(super) work: Work,
    /// Nanoseconds of `nanosleep`.
    pub(super) slept: u64,
}

/// Whether an access goes to global memory.
pub(super) fn is_global(address: u64, space: Space) -> bool {
    space == Space::Generic && address < WINDOW_BYTES
}

/// An error if the address is no multiple of the bytes.
pub(super) fn misaligned(address: u64, bytes: usize) -> Result<(), FaultKind> {
    if address.is_multiple_of(bytes as u64) {
        Ok(())
    } else {
        Err(FaultKind::MisalignedAddress { address, bytes })
    }
}

impl Block<'_> {
    /// The host address of an access, after every check; counts global memory traffic.
    pub(super) fn place(
        &mut self,
        stack: &Bytes,
        space: Space,
        address: u64,
        bytes: usize,
        write: bool,
    ) -> Result<NonNull<u8>, FaultKind> {
        misaligned(address, bytes)?;
        self.place_bytes(stack, space, address, bytes, write)
    }

    /// The same for any alignment.
    pub(super) fn place_bytes(
        &mut self,
        stack: &Bytes,
        space: Space,
        address: u64,
        bytes: usize,
        write: bool,
    ) -> Result<NonNull<u8>, FaultKind> {
        let (name, place) = match (space, address / WINDOW_BYTES) {
            (Space::Shared, _) => ("shared", self.shared.at(address, bytes)),
            (Space::Generic, 0) => {
                let variables = &self.launch.kernel.variables;
                let inside = address.wrapping_sub(variables.address());
                let place = if inside < variables.length() as u64 {
                    variables.at(inside, bytes)
                } else {
                    self.memory.at(address, bytes)
                };
                let counter = if write { &mut self.work.bytes_written } else { &mut self.work.bytes_read };
                *counter += bytes as u64;
                ("global", place)
            }
            (Space::Generic, window) => match window * WINDOW_BYTES {
                SHARED_WINDOW => ("shared", self.shared.at(address - SHARED_WINDOW, bytes)),
                LOCAL_WINDOW => ("local", stack.at(address - LOCAL_WINDOW, bytes)),
                PARAMETER_WINDOW if !write => {
                    ("param", self.parameters.at(address - PARAMETER_WINDOW, bytes))
                }
                PARAMETER_WINDOW => ("param", None),
                _ => ("global", None),
            },
        };
        place.ok_or(FaultKind::IllegalAddress { address, bytes, space: name, write })
    }
}

impl Clock {
    /// Both clocks advance by one per executed instruction.
    pub(super) fn read(self, launch: &Launch<'_>, executed: u64) -> u64 {
        match self {
            Clock::Cycles => launch.start_cycles.wrapping_add(executed),
            Clock::CyclesHigh => launch.start_cycles.wrapping_add(executed) >> 32,
            Clock::Nanoseconds => launch.start_ns.wrapping_add(executed),
            Clock::NanosecondsHigh => launch.start_ns.wrapping_add(executed) >> 32,
        }
    }
}

impl Special {
    /// Its value in a thread of the block that runs.
    pub(super) fn value(self, thread: usize, position: [u32; 3], block: &Block<'_>) -> u64 {
        let launch = block.launch;
        let lane = thread % LANES;
        let below = (1_u64 << lane) - 1;
        let threads: u64 = launch.block.iter().map(|threads| u64::from(*threads)).product();
        let [x, y, z] = block.position.map(u64::from);
        let [width, height, _] = launch.grid.map(u64::from);
        let value = match self {
            Special::Thread(axis) => position[axis].into(),
            Special::BlockSize(axis) => launch.block[axis].into(),
            Special::Block(axis) => block.position[axis].into(),
            Special::GridSize(axis) => launch.grid[axis].into(),
            Special::Lane => lane as u64,
            Special::Warp => (thread / LANES) as u64,
            Special::Warps => threads.div_ceil(LANES as u64),
            Special::Multiprocessor => (x + width * (y + height * z)) % MULTIPROCESSORS,
            Special::Multiprocessors => MULTIPROCESSORS,
            Special::LanesEqual => below + 1,
            Special::LanesBelow => below,
            Special::LanesUpTo => below << 1 | 1,
            Special::LanesFrom => !below,
            Special::LanesAbove => !(below << 1 | 1),
            Special::DynamicSharedBytes => launch.dynamic_shared_bytes as u64,
            Special::TotalSharedBytes => block.shared.length() as u64,
            Special::Zero => 0,
            Special::One => 1,
        };
        low_bits(value, 32)
    }
}
