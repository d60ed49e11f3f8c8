//! What the reader of claims files says to an author, word for word.
//!
//! `claims/bad/NAME.toml` is a file with mistakes and `claims/bad/NAME.expected` all that is said about it. After a
//! change of words, write the expectations anew with `GAPBENCH_BLESS=1 cargo test --test claims` and read the diff.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use gapbench::declare::{
    ClaimErrors, Gate, MAX_BYTES, PaperClaim, PaperFile, Policy, Precision, Price, PriceUnit, Scale,
    SpreadKind, Wording, parse,
};
use gapbench::record::{Condition, ConditionValue, Direction, Metric, Statistic};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/claims").join(name)
}

fn valid(name: &str) -> PaperFile {
    parse(name, &fs::read(folder("valid").join(name)).unwrap()).unwrap()
}

fn claim<'a>(file: &'a PaperFile, id: &str) -> &'a PaperClaim {
    file.claims.iter().find(|claim| claim.id == id).unwrap()
}

fn number(claim: &PaperClaim, condition: Condition) -> f64 {
    match claim.conditions.get(condition) {
        Some(ConditionValue::Number(number)) => *number,
        other => panic!("{condition}: {other:?}"),
    }
}

#[test]
fn every_mistake_has_its_sentence() {
    let bless = std::env::var_os("GAPBENCH_BLESS").is_some();
    let mut inputs: Vec<PathBuf> =
        fs::read_dir(folder("bad")).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    inputs.sort();
    assert!(inputs.len() >= 50, "only {} files found", inputs.len());
    let mut differing = Vec::new();
    for path in inputs {
        let name = format!("papers/{}", path.file_name().unwrap().to_str().unwrap());
        let found = match parse(&name, &fs::read(&path).unwrap()) {
            Ok(_) => format!("{name} has no mistakes\n"),
            Err(errors) => format!("{errors}\n"),
        };
        let expected = path.with_extension("expected");
        if bless {
            fs::write(&expected, &found).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        if found != wanted {
            differing.push(format!("{name}\n--- expected\n{wanted}--- found\n{found}"));
        }
    }
    assert!(differing.is_empty(), "{}\nbless with GAPBENCH_BLESS=1", differing.join("\n"));
}

#[test]
fn a_file_that_is_no_text_is_refused_with_its_place() {
    let said = |bytes: &[u8]| parse("papers/a.toml", bytes).unwrap_err().to_string();
    assert_eq!(
        said(b"schema = 1\ntitle = \"\xC3\xA4\xFF\"\n"),
        "papers/a.toml:2:11: the file is not UTF-8 (byte 22); save it as UTF-8"
    );
    assert_eq!(
        said(b"\xFF\xFEs\0c\0h\0"),
        "papers/a.toml:1:1: the file is UTF-16 (byte 0); save it as UTF-8"
    );
    let empty =
        "papers/a.toml:1:1: the file is empty; start it with `schema = 1`, a [paper] and a [[result]]";
    assert_eq!(said(b""), empty);
    assert_eq!(said(b" \n\t\r\n"), empty);
    assert_eq!(said(b"\xEF\xBB\xBF"), empty);
    let large = vec![b'#'; MAX_BYTES + 1];
    assert_eq!(
        said(&large),
        "papers/a.toml:1:1: the file has 4194305 bytes; a claims file has at most 4194304; \
         check that it is the right file"
    );
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let text = fs::read_to_string(folder("valid/flash-attention-3.toml")).unwrap();
    let windows = format!("\u{FEFF}{}", text.replace('\n', "\r\n"));
    let (plain, windows) = (parse("a", text.as_bytes()).unwrap(), parse("a", windows.as_bytes()).unwrap());
    assert_eq!(plain, windows);
}

#[test]
fn the_reference_example_is_read() {
    let file = valid("flash-attention-3.toml");
    assert_eq!(file.claims.len(), 1);
    let claim = claim(&file, "attn-fwd-fp16");
    assert_eq!((claim.file.as_str(), claim.line), ("flash-attention-3.toml", 19));
    assert_eq!(claim.paper.id, "fa3");
    assert_eq!(claim.paper.date.as_deref(), Some("2024-07"));
    assert_eq!(claim.metric, Metric::ThroughputFlops);
    assert_eq!((claim.statistic, claim.direction), (Statistic::Max, Direction::Higher));
    assert_eq!(claim.declared.value, 740e12);
    assert_eq!((claim.declared.written.as_str(), claim.declared.unit.as_str()), ("740", "TFLOP/s"));
    assert_eq!(claim.precision, Precision { half_width: 5e12, declared: false });
    assert_eq!((claim.wording, claim.n, claim.spread), (Wording::UpTo, None, None));
    assert_eq!(claim.policy, Policy::default());
    assert_eq!(claim.conditions.get(Condition::Hardware), Some(&"h100-sxm-80gb".into()));
    assert_eq!(number(claim, Condition::SeqLen), 16384.0);
    assert_eq!(claim.conditions.get(Condition::Warm), Some(&true.into()));
    assert_eq!(claim.conditions.get(Condition::Model), None);
    assert_eq!(claim.conditions.get(Condition::Dataset), None, "a blank text is unknown");
    assert_eq!(claim.conditions.software["cuda"], ">=12.3");
    assert_eq!(claim.source.kind, "paper");
    assert_eq!(claim.source.page, Some(1));
    assert_eq!(claim.source.table, None);
    assert_eq!(claim.source.verified.as_deref(), Some("self-reported"));
    let warnings: Vec<_> = file.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "flash-attention-3.toml:4:1: [paper] names no `code`; a claim without code is hard to reproduce",
            "flash-attention-3.toml:40:15: `harness` of [result.conditions] is empty and counts as unknown; \
             remove the key",
            "flash-attention-3.toml:42:15: `dataset` of [result.conditions] is empty and counts as unknown; \
             remove the key",
            "flash-attention-3.toml:43:15: `split` of [result.conditions] is empty and counts as unknown; \
             remove the key",
            "flash-attention-3.toml:44:15: `revision` of [result.conditions] is empty and counts as unknown; \
             remove the key",
            "flash-attention-3.toml:52:13: `table` of [result.source] is empty and counts as unknown; \
             remove the key",
        ]
    );
}

#[test]
fn every_key_is_read() {
    let file = valid("every-key.toml");
    assert_eq!(file.warnings, []);
    assert_eq!(file.claims.len(), 3);

    let accuracy = claim(&file, "clinc.accuracy");
    assert_eq!(accuracy.paper.id, "card");
    assert!((accuracy.declared.value - 0.922).abs() < 1e-12);
    assert_eq!(accuracy.declared.written, "92.2");
    assert!((accuracy.precision.half_width - 0.0005).abs() < 1e-12);
    assert_eq!((accuracy.n, accuracy.wording), (Some(4500), Wording::Exact));
    let spread = accuracy.spread.unwrap();
    assert_eq!(spread.kind, SpreadKind::Ci95);
    assert!((spread.lo.unwrap() - 0.914).abs() < 1e-12 && (spread.hi.unwrap() - 0.93).abs() < 1e-12);
    assert_eq!(spread.value, None);
    assert_eq!(number(accuracy, Condition::NShot), 0.0);
    assert_eq!(accuracy.conditions.known.len(), 8);
    assert_eq!(accuracy.source.retrieved.as_deref(), Some("2026-11-23"));
    assert_eq!(
        accuracy.policy,
        Policy {
            discount: 0.1,
            fail_below: 0.8,
            gate: vec![Gate::Fail, Gate::Gap, Gate::Unclear, Gate::NotComparable],
            scale: Scale::None,
            ..Policy::default()
        }
    );

    let latency = claim(&file, "p99");
    assert_eq!(latency.paper.date.as_deref(), Some("2020-04-06"));
    assert_eq!(latency.paper.doi.as_deref(), Some("10.48550/arXiv.2002.10957"));
    assert_eq!(latency.paper.known_issues, ["https://github.com/microsoft/unilm/issues/1"]);
    assert_eq!((latency.statistic, latency.direction), (Statistic::Median, Direction::Lower));
    assert_eq!((latency.declared.value, latency.declared.written.as_str()), (0.0125, "12.50"));
    assert_eq!(latency.precision, Precision { half_width: 0.0005, declared: true });
    assert_eq!(latency.spread.unwrap().value, Some(0.0004));
    assert_eq!(number(latency, Condition::InputLen), 412.5);
    assert_eq!(latency.conditions.get(Condition::Load), Some(&"poisson".into()));
    assert_eq!(latency.conditions.get(Condition::Cold), Some(&"disk".into()));
    assert_eq!(latency.conditions.software["onnxruntime"], "1.20");
    assert_eq!((latency.policy.discount, latency.policy.alpha), (0.5, 0.01));
    assert_eq!(latency.policy.gate, []);

    let errors = claim(&file, "wrong-words");
    assert_eq!((errors.declared.value, errors.wording), (1.04, Wording::AtLeast));
    assert_eq!(errors.policy.discount, 0.1, "the policy of another result does not leak");
    assert_eq!(errors.source.url.as_deref(), Some("http://example.org/issues/7"));
}

#[test]
fn a_price_is_read_and_never_assumed() {
    let price = valid("every-key.toml").cost.unwrap();
    assert_eq!((price.usd_per_hour, price.written.as_str()), (3.5, "3.50"));
    assert_eq!((price.unit, price.count), (PriceUnit::GpuHour, 2));
    assert_eq!((price.date.as_str(), price.source.as_str()), ("2026-11-01", "https://example.org/prices"));
    let line = "3.50 USD/GPU-hour x2 2026-11-01 https://example.org/prices";
    assert_eq!(Price::parse(line).unwrap(), price, "the same from one line");
    assert_eq!(valid("flash-attention-3.toml").cost, None);

    // One where the count is left out; other spellings of the number come out as digits.
    let text = fs::read_to_string(folder("valid/every-key.toml")).unwrap();
    let other = text.replace("count = 2\n", "").replace("price = 3.50", "price = 1_0e0");
    let price = parse("a.toml", other.as_bytes()).unwrap().cost.unwrap();
    assert_eq!((price.count, price.written.as_str()), (1, "10"));
    assert_eq!(Price::parse(&price.to_string()), Ok(price));
}

#[test]
fn remarks_are_no_errors() {
    let text = |unit: &str| {
        format!(
            "schema = 1\n[[paper]]\nid = 'a'\ntitle = 'A'\nurl = 'https://a.example'\ncode = 'https://a.example'\n\
             [[paper]]\nid = 'b'\ntitle = 'B'\nurl = 'https://b.example'\ncode = 'https://b.example'\n\
             [[result]]\nid = 'x'\npaper = 'a'\nmetric = 'quality.f1'\nvalue = 0.92\nunit = '{unit}'\n\
             statistic = 'mean'\nsource.kind = 'self'\n"
        )
    };
    let said = |unit: &str| -> Vec<String> {
        let file = parse("a.toml", text(unit).as_bytes()).unwrap();
        file.warnings.iter().map(ToString::to_string).collect()
    };
    let unused = "a.toml:7:1: no result is from the paper `b`";
    assert_eq!(said("fraction"), [unused]);
    assert_eq!(
        said("%"),
        [
            unused,
            "a.toml:16:9: `value` is 0.92 %, less than one in a hundred; did you mean the unit `fraction`?"
        ]
    );
}

#[test]
fn errors_stand_one_per_line() {
    let errors = parse("a.toml", b"schema = 1\n").unwrap_err();
    let ClaimErrors(list) = &errors;
    assert_eq!(errors.to_string().lines().count(), list.len());
    assert!(!errors.to_string().ends_with('\n'));
}

/// Whatever is cut off or flipped, the reader answers; it never panics and never accepts silently what it did not read.
#[test]
fn damaged_files_are_answered() {
    let whole = fs::read(folder("valid/every-key.toml")).unwrap();
    for end in 0..whole.len() {
        if let Ok(file) = parse("a.toml", &whole[..end]) {
            assert!(!file.claims.is_empty());
        }
    }
    let letters = b"[]{}\"'=,.#\n 0a-\x00\x80";
    for position in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[position] = letters[position % letters.len()];
        let _ = parse("a.toml", &damaged);
    }
}
