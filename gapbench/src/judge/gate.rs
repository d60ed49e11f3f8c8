//! What a whole judgement comes to.

use super::Judgement;

impl Judgement {
    /// How many claims the gate stops.
    pub fn gated(&self) -> usize {
        self.claims.iter().filter(|one| one.gated).count()
    }
}
