//! Where a streaming service says that a token is out.

use super::super::clock;
use crate::load::RequestTimes;

/// Gaps that are kept per answer, half a megabyte per worker: the longest outputs of today's models have 65,536 tokens.
const MOST_GAPS: usize = 65_536;

/// The tokens of one answer.
#[derive(Debug)]
pub struct Emit {
    begin_ns: u64,
    pub(super) first_ns: Option<u64>,
    last_ns: u64,
    pub(super) tokens: u32,
    longest_gap_ns: u64,
    pub(super) gaps_ns: Vec<u64>,
    pub(super) gaps_left_out: u64,
}

impl Emit {
    /// With memory for gaps only if there will be any.
    pub(super) fn new(stream: bool) -> Emit {
        Emit {
            begin_ns: 0,
            first_ns: None,
            last_ns: 0,
            tokens: 0,
            longest_gap_ns: 0,
            gaps_ns: Vec::with_capacity(if stream { MOST_GAPS } else { 0 }),
            gaps_left_out: 0,
        }
    }

    /// For an answer whose tokens nobody times.
    pub fn nowhere() -> Emit {
        Emit::new(false)
    }

    #[inline]
    pub(super) fn begin(&mut self, begin_ns: u64) {
        self.begin_ns = begin_ns;
        self.first_ns = None;
        self.last_ns = begin_ns;
        self.tokens = 0;
        self.longest_gap_ns = 0;
        self.gaps_ns.clear();
        self.gaps_left_out = 0;
    }

    /// One token is out now.
    #[inline]
    pub fn token(&mut self) {
        self.tokens(1);
    }

    /// `count` tokens are out now, together: the gap before them is one gap, as a client sees it.
    #[inline]
    pub fn tokens(&mut self, count: u32) {
        if count == 0 {
            return;
        }
        let now_ns = clock::now_ns();
        if self.first_ns.is_none() {
            self.first_ns = Some(now_ns);
        } else {
            let gap_ns = now_ns.saturating_sub(self.last_ns);
            self.longest_gap_ns = self.longest_gap_ns.max(gap_ns);
            if self.gaps_ns.len() < self.gaps_ns.capacity() {
                self.gaps_ns.push(gap_ns);
            } else {
                self.gaps_left_out += 1;
            }
        }
        self.last_ns = now_ns;
        self.tokens = self.tokens.saturating_add(count);
    }

    /// The times of the request, which was due at `due_ns`.
    pub(super) fn times(&self, e2e_ns: u64, due_ns: u64) -> RequestTimes {
        let Some(first_ns) = self.first_ns else { return RequestTimes { e2e_ns, ..RequestTimes::default() } };
        let several = self.tokens > 1;
        let per_token =
            |from_ns: u64, tokens: u32| self.last_ns.saturating_sub(from_ns) as f64 / f64::from(tokens);
        RequestTimes {
            e2e_ns,
            ttft_ns: Some(first_ns.saturating_sub(due_ns)),
            tpot_excl_first_ns: several.then(|| per_token(first_ns, self.tokens.saturating_sub(1))),
            tpot_incl_first_ns: Some(per_token(self.begin_ns, self.tokens.max(1))),
            longest_gap_ns: several.then_some(self.longest_gap_ns),
        }
    }
}
