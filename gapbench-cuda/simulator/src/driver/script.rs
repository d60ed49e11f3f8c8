//! What a test tells the driver to do: statements separated by `;`, each of a fixed form.

use std::collections::{BTreeMap, BTreeSet};

/// The state that the statements have built up.
#[derive(Debug)]
pub(crate) struct Script {
    /// `CUDA_SIMULATOR` held a statement that is no statement; no program may run on half a script.
    pub(crate) broken: bool,
    pub(crate) stub: bool,
    pub(crate) no_device: bool,
    pub(crate) realtime: bool,
    pub(crate) driver_version: i32,
    pub(crate) memory_bytes: u64,
    pub(crate) attributes: BTreeMap<i32, i32>,
    pub(crate) missing: BTreeSet<String>,
    pub(crate) hanging: BTreeSet<String>,
    pub(crate) costs: BTreeMap<String, FixedCost>,
    pub(crate) slow: BTreeMap<String, f64>,
    pub(crate) throttle: Option<Throttle>,
    calls: Vec<FailingCall>,
    kernels: BTreeMap<String, FailingKernel>,
}

/// What a kernel costs instead of what the model says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FixedCost {
    pub(crate) ns: u64,
    pub(crate) per_block_ns: u64,
}

/// A device that has lowered its clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle {
    pub(crate) factor: f64,
    pub(crate) reasons: u64,
    pub(crate) launches_left: Option<u64>,
}

#[derive(Debug)]
struct FailingCall {
    function: String,
    /// Calls before the first that fails.
    passes: u64,
    code: u32,
    sticky: bool,
    always: bool,
}

/// A kernel that fails: at its launch, or, `sticky`, while it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailingKernel {
    pub(crate) code: u32,
    pub(crate) sticky: bool,
}

impl Default for Script {
    fn default() -> Self {
        Script {
            broken: false,
            stub: false,
            no_device: false,
            realtime: false,
            driver_version: 13_000,
            // What an H200 reports: 143 771 MiB of its 141 GB.
            memory_bytes: 143_771 << 20,
            attributes: BTreeMap::new(),
            missing: BTreeSet::new(),
            hanging: BTreeSet::new(),
            costs: BTreeMap::new(),
            slow: BTreeMap::new(),
            throttle: None,
            calls: Vec::new(),
            kernels: BTreeMap::new(),
        }
    }
}

impl Script {
    /// Applies statements until one is wrong; the error is a sentence that names it. `exists` tells whether a name is
    /// that of a function, since a statement about one that is none would never take effect.
    pub(crate) fn apply(&mut self, text: &str, exists: fn(&str) -> bool) -> Result<(), String> {
        for statement in text.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            self.statement(statement, exists).map_err(|reason| format!("`{statement}`: {reason}"))?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &str, exists: fn(&str) -> bool) -> Result<(), String> {
        let words: Vec<&str> = statement.split_whitespace().collect();
        match words.as_slice() {
            ["stub"] => self.stub = true,
            ["no-device"] => self.no_device = true,
            ["realtime"] => self.realtime = true,
            ["driver", version] => self.driver_version = number(version)?,
            ["memory", bytes] => self.memory_bytes = number(bytes)?,
            ["attribute", attribute, value] => {
                self.attributes.insert(number(attribute)?, number(value)?);
            }
            ["missing", symbol] => {
                self.missing.insert((*symbol).to_owned());
            }
            ["hang", kernel] => {
                self.hanging.insert((*kernel).to_owned());
            }
            ["cost", kernel, ns] => self.cost(kernel, ns, "0")?,
            ["cost", kernel, ns, per_block] => self.cost(kernel, ns, per_block)?,
            ["slow", kernel, by] => {
                self.slow.insert((*kernel).to_owned(), factor(by)?);
            }
            ["throttle", by, reasons] => self.throttle(by, reasons, None)?,
            ["throttle", by, reasons, "for", launches, "launches"] => {
                self.throttle(by, reasons, Some(number(launches)?))?;
            }
            ["fail", "kernel", kernel, "with", code] => self.fail_kernel(kernel, code, false)?,
            ["fail", "kernel", kernel, "with", code, "sticky"] => self.fail_kernel(kernel, code, true)?,
            ["fail", function, "at", ..] if !exists(function) => {
                return Err(format!("`{function}` is no function here"));
            }
            ["fail", function, "at", nth, "with", code] => self.fail_call(function, nth, code, "")?,
            ["fail", function, "at", nth, "with", code, mode @ ("sticky" | "always")] => {
                self.fail_call(function, nth, code, mode)?;
            }
            _ => return Err("not a statement of the simulator (see its README)".into()),
        }
        Ok(())
    }

    fn cost(&mut self, kernel: &str, ns: &str, per_block: &str) -> Result<(), String> {
        let cost = FixedCost { ns: number(ns)?, per_block_ns: number(per_block)? };
        self.costs.insert(kernel.to_owned(), cost);
        Ok(())
    }

    fn throttle(&mut self, by: &str, reasons: &str, launches_left: Option<u64>) -> Result<(), String> {
        let reasons = match reasons.strip_prefix("0x") {
            Some(digits) => {
                u64::from_str_radix(digits, 16).map_err(|_| format!("`{reasons}` is no number"))?
            }
            None => number(reasons)?,
        };
        self.throttle = Some(Throttle { factor: factor(by)?, reasons, launches_left });
        Ok(())
    }

    fn fail_kernel(&mut self, kernel: &str, code: &str, sticky: bool) -> Result<(), String> {
        self.kernels.insert(kernel.to_owned(), FailingKernel { code: error(code)?, sticky });
        Ok(())
    }

    fn fail_call(&mut self, function: &str, nth: &str, code: &str, mode: &str) -> Result<(), String> {
        let nth: u64 = number(nth)?;
        let passes = nth.checked_sub(1).ok_or("calls are counted from 1")?;
        let (sticky, always) = (mode == "sticky", mode == "always");
        self.calls.push(FailingCall {
            function: function.to_owned(),
            passes,
            code: error(code)?,
            sticky,
            always,
        });
        Ok(())
    }

    /// The code with which this call has to fail, and whether the context is lost with it.
    pub(crate) fn failing_call(&mut self, function: &str) -> Option<(u32, bool)> {
        let mut answer = None;
        // Every statement counts every call, also one that another statement makes fail.
        self.calls.retain_mut(|failing| {
            if failing.function != function {
                return true;
            }
            if failing.passes > 0 {
                failing.passes -= 1;
                return true;
            }
            answer.get_or_insert((failing.code, failing.sticky));
            failing.always
        });
        answer
    }

    /// Whether and how this kernel fails; a failure at launch happens once.
    pub(crate) fn failing_kernel(&mut self, kernel: &str, running: bool) -> Option<FailingKernel> {
        let failing = *self.kernels.get(kernel)?;
        if failing.sticky != running {
            return None;
        }
        self.kernels.remove(kernel)
    }

    /// By what kernels and clocks are slower now; counts one launch.
    pub(crate) fn throttle_launch(&mut self) -> f64 {
        let Some(throttle) = self.throttle.as_mut() else { return 1.0 };
        let factor = throttle.factor;
        if let Some(left) = throttle.launches_left.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.throttle = None;
            }
        }
        factor
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is no number that fits here"))
}

fn error(text: &str) -> Result<u32, String> {
    match number(text)? {
        0 => Err("code 0 is success".into()),
        code => Ok(code),
    }
}

fn factor(text: &str) -> Result<f64, String> {
    let factor: f64 = number(text)?;
    if factor.is_finite() && factor >= 1.0 {
        Ok(factor)
    } else {
        Err(format!("`{text}` is no factor of 1 or more"))
    }
}

#[cfg(test)]
mod tests {
    use super::Script;

    #[test]
    fn a_wrong_statement_is_named_and_changes_nothing() {
        let mut script = Script::default();
        let error = script
            .apply("driver 12040; fial cuInit at 1 with 2; memory 7", |name| name != "cuMemAlloc")
            .unwrap_err();
        assert!(error.starts_with("`fial cuInit at 1 with 2`"), "{error}");
        assert_eq!((script.driver_version, script.memory_bytes), (12_040, 143_771 << 20));
        for wrong in [
            "fail cuInit at 0 with 2",
            "slow k 0.5",
            "cost k",
            "throttle 2",
            "fail kernel k with 0",
            "fail cuMemAlloc at 1 with 2",
        ] {
            assert!(Script::default().apply(wrong, |name| name != "cuMemAlloc").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_call_fails_at_its_number_once_or_from_then_on() {
        let mut script = Script::default();
        script.apply("fail a at 2 with 2; fail b at 2 with 700 always", |name| name != "cuMemAlloc").unwrap();
        let answers =
            |script: &mut Script, name| [0; 3].map(|_| script.failing_call(name).map(|(code, _)| code));
        assert_eq!(answers(&mut script, "a"), [None, Some(2), None]);
        assert_eq!(answers(&mut script, "b"), [None, Some(700), Some(700)]);
        script.apply("fail a at 1 with 2; fail a at 2 with 3", |_| true).unwrap();
        assert_eq!(answers(&mut script, "a"), [Some(2), Some(3), None]);
    }

    #[test]
    fn a_throttle_ends_after_its_launches() {
        let mut script = Script::default();
        script.apply("throttle 2 0x40 for 2 launches", |name| name != "cuMemAlloc").unwrap();
        assert_eq!([0; 3].map(|_| script.throttle_launch()), [2.0, 2.0, 1.0]);
    }
}
