//! How far a result may be from its reference. Knows no kernel.

/// Unit roundoff of f32: half the distance from 1 to the next number.
pub(crate) const F32_ROUNDOFF: f64 = 1.0 / (1u64 << 24) as f64;
/// Unit roundoff of bf16, which has 8 significant bits.
pub(crate) const BF16_ROUNDOFF: f64 = 1.0 / 256.0;

/// A result `got` is right if |got − want| ≤ `absolute` + `relative` · |want|.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// In the unit of the result.
    pub absolute: f64,
    /// A share of the reference.
    pub relative: f64,
}

impl Tolerance {
    /// The largest error as a multiple of what is allowed: right up to 1, infinite where the lengths differ or only one
    /// of the two is NaN.
    ///
    /// ```
    /// let tolerance = kernels::Tolerance { absolute: 0.0, relative: 0.1 };
    /// assert_eq!(tolerance.worst([10.5f32], &[10.0]), 0.5);
    /// assert_eq!(tolerance.worst([f32::NAN], &[10.0]), f64::INFINITY);
    /// ```
    pub fn worst<T: Into<f64>>(&self, got: impl IntoIterator<Item = T>, want: &[f64]) -> f64 {
        let mut got = got.into_iter();
        let mut worst = 0.0f64;
        for &want in want {
            let Some(got) = got.next() else { return f64::INFINITY };
            worst = worst.max(self.share(got.into(), want));
        }
        if got.next().is_some() { f64::INFINITY } else { worst }
    }

    fn share(&self, got: f64, want: f64) -> f64 {
        if got == want || (got.is_nan() && want.is_nan()) {
            return 0.0; // equal infinities too
        }
        let share = (got - want).abs() / (self.absolute + self.relative * want.abs());
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_shares_of_what_is_allowed() {
        let tolerance = Tolerance { absolute: 1.0, relative: 0.5 };
        let table = [
            (3.0, 2.0, 0.5),
            (1.0, 2.0, 0.5),
            (-3.0, -2.0, 0.5),
            (1.0, 0.0, 1.0),
            (f64::NAN, f64::NAN, 0.0),
            (f64::INFINITY, f64::INFINITY, 0.0),
            (f64::NAN, 1.0, f64::INFINITY),
            (1.0, f64::NAN, f64::INFINITY),
            (f64::INFINITY, 1.0, f64::INFINITY),
            (f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY),
        ];
        for (got, want, share) in table {
            assert_eq!(tolerance.worst([got], &[want]), share, "{got} for {want}");
        }
    }

    #[test]
    fn exactness_can_be_asked_for() {
        let exact = Tolerance { absolute: 0.0, relative: 0.0 };
        assert_eq!(exact.worst([1.0, 0.0], &[1.0, 0.0]), 0.0);
        assert_eq!(exact.worst([1.0, 0.1], &[1.0, 0.0]), f64::INFINITY);
    }

    #[test]
    fn every_element_counts() {
        let tolerance = Tolerance { absolute: 1.0, relative: 0.0 };
        assert_eq!(tolerance.worst([0.0, 0.25, 0.0], &[0.0; 3]), 0.25);
        assert_eq!(tolerance.worst([0.0], &[0.0, 0.0]), f64::INFINITY);
        assert_eq!(tolerance.worst([0.0, 0.0], &[0.0]), f64::INFINITY);
        assert_eq!(tolerance.worst([0.0; 0], &[]), 0.0);
    }
}
