//! A preset's weights in memory, without a file: where a disk is smaller than the model.

use memmap2::MmapMut;

use super::{
    Preset,
    numbers::fill,
    planned::{Planned, header, shards},
    threads,
};
use crate::{Error, Weights, plan};

/// Bytes that a thread makes at a time.
const PIECE: usize = 1 << 20;

/// The weights that [`write()`](super::write()) would write with the same `seed`, in one file of any size, as if it were
/// mapped.
///
/// # Errors
///
/// [`Error::Memory`] where the host has less memory available, or does not give it.
pub fn in_memory(preset: &Preset, seed: u64) -> Result<Weights, Error> {
    let tensors: Vec<Planned> = shards(preset, u64::MAX).into_iter().flatten().collect();
    let header = header(&tensors);
    let bytes = header.len() as u64 + tensors.iter().map(Planned::bytes).sum::<u64>();
    let refused = |available| Error::Memory {
        place: "host memory".into(),
        available,
        plan: format!("weights of a preset, in memory  {bytes} B"),
    };
    let available = plan::host_available().unwrap_or(u64::MAX);
    if bytes > available {
        return Err(refused(available));
    }
    let length = usize::try_from(bytes).map_err(|_| refused(available))?;
    let mut map = MmapMut::map_anon(length).map_err(|_| refused(available))?;
    // Fewer faults while it is filled; without it, all is the same but slower.
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    let (head, mut rest) = map.split_at_mut(header.len());
    head.copy_from_slice(&header);
    let mut pieces = Vec::new();
    for tensor in &tensors {
        let (mut numbers, after) = rest.split_at_mut(tensor.bytes() as usize);
        let mut start = 0;
        while !numbers.is_empty() {
            let (piece, more) = numbers.split_at_mut(PIECE.min(numbers.len()));
            let length = piece.len() as u64;
            pieces.push((tensor, start, piece));
            (start, numbers) = (start + length, more);
        }
        rest = after;
    }
    threads::each(pieces.into_iter(), |(tensor, start, piece)| {
        fill(tensor, seed, start, piece);
        Ok::<_, Error>(())
    })?;
    let map = map.make_read_only().map_err(|_| refused(available))?;
    Weights::of_map("a preset in memory".into(), map)
}
