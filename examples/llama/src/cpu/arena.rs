//! Memory for all weights of the engine in one piece, on huge pages where the system has them: a model larger than the
//! caches is read from memory for each token, and with pages of 4 KiB it takes time to find each of them. Knows numbers
//! only.

use std::{ops::Deref, ops::Range, sync::Arc};

use memmap2::{Mmap, MmapMut};
use pulp::bytemuck;

use crate::Error;

/// Numbers that are still being filled in.
pub(super) struct Arena {
    map: MmapMut,
}

/// Part of the numbers of an arena, which keeps all of it.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    map: Arc<Mmap>,
    range: Range<usize>,
}

impl Arena {
    /// `count` zeros.
    pub(super) fn new(count: usize) -> Result<Self, Error> {
        let bytes = count.saturating_mul(size_of::<f32>());
        let map = MmapMut::map_anon(bytes.max(1)).map_err(|source| Error::Memory {
            place: "host memory".into(),
            available: 0,
            plan: format!("{bytes} B of weights were refused: {source}"),
        })?;
        // A wish: a system without huge pages does the same with small ones.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map })
    }

    /// The numbers of this range, to be filled in.
    pub(super) fn part(&mut self, range: Range<usize>) -> &mut [f32] {
        // A map begins at a page and holds whole numbers, unless it holds none.
        let numbers: &mut [f32] = bytemuck::try_cast_slice_mut(&mut self.map).unwrap_or_default();
        numbers.get_mut(range).unwrap_or_default()
    }

    /// The same memory, which does not change any more.
    pub(super) fn freeze(self) -> Result<impl Fn(Range<usize>) -> Numbers, Error> {
        let map = self.map.make_read_only().map_err(|source| {
            Error::Device(format!("the host's memory of the weights cannot be protected: {source}"))
        })?;
        let map = Arc::new(map);
        Ok(move |range| Numbers { map: Arc::clone(&map), range })
    }
}

impl Deref for Numbers {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        let numbers: &[f32] = bytemuck::try_cast_slice(&self.map).unwrap_or_default();
        numbers.get(self.range.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_was_put_there() {
        let mut arena = Arena::new(1000).unwrap();
        arena.part(10..13).copy_from_slice(&[1.0, 2.0, 3.0]);
        arena.part(999..1000).fill(4.0);
        assert!(arena.part(999..1001).is_empty(), "nothing is beyond the end");
        let part = arena.freeze().unwrap();
        assert_eq!(*part(9..14), [0.0, 1.0, 2.0, 3.0, 0.0]);
        assert_eq!((*part(999..1000)).to_vec(), [4.0]);
        assert!(Arena::new(0).unwrap().part(0..0).is_empty());
    }

    #[test]
    fn more_than_an_address_space_is_refused() {
        let error = Arena::new(usize::MAX / 8).err().unwrap().to_string();
        assert!(error.contains("of weights were refused"), "{error}");
    }
}
