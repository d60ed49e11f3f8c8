//! Random numbers that are the same everywhere: seeds, shuffles and resampling.

/// The SplitMix64 generator. Its whole state is one word, so that independent streams come from independent names.
///
/// # Source
/// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"; constants as in Java's
/// `SplittableRandom`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64 {
    state: u64,
}

/// The odd increment of the state, 2^64 over the golden ratio.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl SplitMix64 {
    /// A stream of this seed.
    pub const fn new(seed: u64) -> SplitMix64 {
        SplitMix64 { state: seed }
    }

    /// A stream of its own for a name such as `42:typo.keyboard:0`: order and threads do not matter.
    pub fn named(name: &str) -> SplitMix64 {
        SplitMix64::new(fnv1a64(name.as_bytes()))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..n` (0 for `n = 0`), biased by less than `n / 2^64`.
    pub fn below(&mut self, n: u64) -> u64 {
        // The product's high word fits by construction.
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * 2.0_f64.powi(-53)
    }

    /// Puts `items` in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            let chosen = usize::try_from(self.below(end as u64 + 1)).unwrap_or(end);
            items.swap(end, chosen);
        }
    }
}

/// The 64-bit FNV-1a hash: stable across machines and versions, not for secrets.
///
/// # Source
/// Fowler, Noll and Vo; constants of the IETF draft `draft-eastlake-fnv`.
pub fn fnv1a64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        assert_eq!(fnv1a64(b"42:typo.keyboard:0"), 4_317_044_777_728_582_758);
        let mut stream = SplitMix64::named("42:typo.keyboard:0");
        let first: Vec<u64> = (0..3).map(|_| stream.next_u64()).collect();
        assert_eq!(
            first,
            [8_687_508_888_576_400_349, 14_496_485_601_211_905_211, 12_226_841_436_735_612_552]
        );
    }

    #[test]
    fn ranges_hold() {
        let mut stream = SplitMix64::new(1);
        for n in [1, 2, 7, u64::MAX] {
            assert!((0..1000).all(|_| stream.below(n) < n));
        }
        assert_eq!(stream.below(0), 0);
        let mean = (0..10_000).map(|_| stream.next_f64()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn a_shuffle_is_a_permutation_of_its_seed() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..50).collect();
            SplitMix64::new(seed).shuffle(&mut items);
            items
        };
        assert_eq!(shuffled(7), shuffled(7));
        assert_ne!(shuffled(7), shuffled(8));
        let mut sorted = shuffled(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        SplitMix64::new(1).shuffle::<u8>(&mut []);
    }
}
