//! `cargo gapbench import`, by running it: files that were published (docs/IMPORT.md cites each), what is ambiguous, and
//! what is broken or hostile.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gapbench::declare::{self, PaperClaim, SpreadKind};
use gapbench::record::{Condition, Metric, Statistic};

/// Files of which something is imported, and the words that are needed for it.
const PUBLISHED: &[(&str, &[&str])] = &[
    ("luxembourgish.md", &[]),
    ("santacoder.md", &[]),
    ("stsb.md", &[]),
    ("squad2.md", &[]),
    ("dog-food.md", &[]),
    ("gpqa.yaml", &["--id", "gemma-4", "--title", "Gemma 4 12B"]),
    ("mmlu-pro.yaml", &[]),
    ("afrixnli.json", &[]),
    ("mafand.json", &["--shares", "percent"]),
    ("mlperf-offline.txt", &[]),
    ("mlperf-server.txt", &[]),
    ("mlperf-single-stream.txt", &[]),
    ("nvbench.json", &[]),
    ("liger.csv", &[]),
    ("triton.csv", &["--metric", "throughput.bytes", "--unit", "GB/s"]),
    ("rope.csv", &["--metric", "latency.kernel", "--unit", "ms"]),
    ("criterion.json", &[]),
    ("criterion-old.json", &[]),
];

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import").join(name)
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-gapbench"));
    command.current_dir(folder).args(["gapbench", "import"]).args(arguments).output().unwrap()
}

fn is_golden(name: &str, found: &str) {
    let path = golden(name);
    if std::env::var_os("GAPBENCH_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == found, "{name} differs; GAPBENCH_BLESS=1 rewrites the golden files\n{found}");
}

/// The claims of an output, which has to be a sound claims file.
fn claims(text: &str) -> Vec<PaperClaim> {
    declare::parse("imported", text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}")).claims
}

/// What `text` in a file `name` becomes: the claims file and what was said.
fn import_as(name: &str, text: impl AsRef<[u8]>, more: &[&str]) -> (String, String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let output = run(folder.path(), &[&[name], more].concat());
    let utf8 = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (utf8(output.stdout), utf8(output.stderr), output.status.code())
}

/// The claims of a file, and what was said.
fn imported(name: &str, text: impl AsRef<[u8]>, more: &[&str]) -> (Vec<PaperClaim>, String) {
    let (out, said, code) = import_as(name, text, more);
    assert_eq!(code, Some(0), "{said}");
    (claims(&out), said)
}

/// What was said of a file of which nothing is imported.
fn refused(name: &str, text: impl AsRef<[u8]>, more: &[&str]) -> String {
    let (out, said, code) = import_as(name, text, more);
    assert_eq!((out.as_str(), code), ("", Some(2)), "{said}");
    said
}

/// A card with these metrics, written as YAML flow maps.
fn card(metrics: &[&str]) -> String {
    let list: String = metrics.iter().map(|metric| format!("    - {metric}\n")).collect();
    format!("---\nmodel-index:\n- name: m\n  results:\n  - dataset: {{type: d}}\n    metrics:\n{list}---\n")
}

#[test]
fn published_files() {
    for (name, more) in PUBLISHED {
        let output = run(&golden(""), &[&[*name], *more].concat());
        let (out, said) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        is_golden(&format!("{name}.toml"), &out);
        is_golden(&format!("{name}.said"), &said);
        let source = fs::read_to_string(golden(name)).unwrap();
        for claim in claims(&out) {
            let written = &claim.declared.written;
            assert!(source.contains(written.as_str()), "{name}: the digits {written} are not the source's");
        }
    }
}

#[test]
fn numbers_that_others_published() {
    let of = |name: &str| {
        let (_, more) = PUBLISHED.iter().find(|(published, _)| *published == name).unwrap();
        claims(&String::from_utf8(run(&golden(""), &[&[name], *more].concat()).stdout).unwrap())
    };
    let afrixnli = of("afrixnli.json");
    let accuracy = &afrixnli[0];
    assert_eq!(
        (accuracy.metric, accuracy.declared.value, accuracy.n),
        (Metric::QualityAccuracy, 0.325, Some(600))
    );
    let spread = accuracy.spread.unwrap();
    assert_eq!((spread.kind, spread.value), (SpreadKind::Se, Some(0.019137277557702306)));
    assert_eq!(accuracy.conditions.get(Condition::NShot), Some(&5.0.into()));
    assert_eq!(accuracy.paper.date.as_deref(), Some("2026-01-26"));
    let stream = of("mlperf-single-stream.txt");
    let p99 = stream.iter().find(|claim| claim.statistic == Statistic::P99).unwrap();
    assert!((p99.declared.value - 0.073720458).abs() < 1e-15, "{}", p99.declared.value);
    assert_eq!(stream.iter().filter(|claim| claim.statistic == Statistic::P90).count(), 1);
    let server = of("mlperf-server.txt");
    assert_eq!(server[0].conditions.get(Condition::Rate), Some(&83.5.into()));
    let first = server
        .iter()
        .find(|claim| claim.metric == Metric::LatencyTtft && claim.statistic == Statistic::P99)
        .unwrap();
    assert!((first.declared.value - 1.914647645).abs() < 1e-12, "{}", first.declared.value);
    let liger = of("liger.csv");
    let memory = liger.iter().find(|claim| claim.metric == Metric::MemoryDevicePeak).unwrap();
    // 12.94140625 times 2^20; as decimal megabytes it would not be a whole number of bytes.
    assert_eq!(memory.declared.value, 13_570_048.0);
    assert_eq!(liger[1].spread.unwrap().kind, SpreadKind::P20P80);
    assert_eq!(of("nvbench.json")[0].conditions.get(Condition::Hardware), Some(&"Quadro GV100".into()));
    assert_eq!(of("nvbench.json")[0].n, Some(499));
    let criterion = of("criterion.json");
    assert!((criterion[0].declared.value - 111.60340800956254e-9).abs() < 1e-20);
    assert_eq!(criterion[0].spread.unwrap().kind, SpreadKind::Ci95);
    assert_eq!(of("luxembourgish.md")[1].declared.value, 0.2309);
    assert_eq!(of("santacoder.md")[1].conditions.get(Condition::K), Some(&10.0.into()));
    assert_eq!(of("squad2.md")[0].source.verified.as_deref(), Some("hf-token"));
    assert_eq!(of("dog-food.md")[0].source.verified.as_deref(), Some("self-reported"));
}

#[test]
fn published_files_that_hold_no_claim() {
    let said = |name: &str, words: &[&str]| {
        let output = run(&golden(""), &[&[name], words].concat());
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{name}");
        let said = String::from_utf8(output.stderr).unwrap();
        is_golden(&format!("{name}.refused"), &said);
        said
    };
    assert!(said("lunar-lander.md", &[]).contains("is a reward"));
    assert!(said("whisper-sk.md", &[]).contains("contradicts itself"));
    assert!(said("mafand.json", &[]).contains("--shares"));
    assert!(said("triton.csv", &[]).contains("neither metric nor unit"));
}

#[test]
fn percent_or_fraction() {
    let of = |values: &[&str]| {
        let metrics: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(index, value)| format!("{{type: accuracy, name: a{index}, value: {value}}}"))
            .collect();
        let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
        card(&metrics)
    };
    let (percent, said) = imported("README.md", of(&["85.3"]), &[]);
    assert_eq!((percent[0].declared.value, percent[0].declared.unit.as_str()), (0.853, "%"));
    assert!(
        said.contains("README.md:7:41: `d a0` = 85.3: note: assumed `%`: the source names no unit"),
        "{said}"
    );
    let (fraction, _) = imported("README.md", of(&["0.853"]), &[]);
    assert_eq!((fraction[0].declared.value, fraction[0].declared.unit.as_str()), (0.853, "fraction"));
    let (labelled, _) = imported("README.md", of(&["'85.3 %'", "0.853"]), &[]);
    assert_eq!(labelled[0].declared.value, labelled[1].declared.value);
    assert!(
        refused("README.md", of(&["'0.853 %'"]), &[])
            .contains("is labelled `%` but less than one in a hundred")
    );
    let (mixed, said) = imported("README.md", of(&["85.3", "0.853"]), &[]);
    assert_eq!(mixed.len(), 1);
    assert!(said.contains("`d a1` = 0.853: not imported: is a fraction or a percentage"), "{said}");
    let (asked, _) = imported("README.md", of(&["85.3", "0.853"]), &["--shares", "percent"]);
    assert_eq!(asked[1].declared.value, 0.00853);
    assert!(refused("README.md", of(&["853"]), &[]).contains("is above 100"));
    assert!(refused("README.md", of(&["-0.1"]), &[]).contains("is negative"));
    let label = card(&["{type: accuracy, name: 'Accuracy (%)', value: 85.3}"]);
    assert!(!imported("README.md", label, &[]).1.contains("names no unit"));
}

#[test]
fn what_stands_behind_plus_minus() {
    let text = card(&["{type: accuracy, value: 20.0 ± 1.2}"]);
    let (none, said) = imported("README.md", &text, &[]);
    assert_eq!((none[0].declared.written.as_str(), none[0].spread), ("20.0", None));
    assert!(said.contains("no spread: of ± 1.2"), "{said}");
    for (word, kind) in [("sd", SpreadKind::Sd), ("se", SpreadKind::Se)] {
        let (claims, _) = imported("README.md", &text, &["--plus-minus", word]);
        let spread = claims[0].spread.unwrap();
        assert_eq!((spread.kind, spread.value), (kind, Some(0.012)));
    }
}

#[test]
fn contradictions_are_no_claims() {
    let run = |higher: &str, value: &str| {
        format!(
            "{{\"results\": {{\"t\": {{\"acc,none\": {value}, \"acc_stderr,none\": NaN}}}}, \"versions\": {{\"t\": 1}}, \
             \"higher_is_better\": {{\"t\": {{\"acc\": {higher}}}}}}}"
        )
    };
    assert!(refused("r.json", run("false", "0.5"), &[]).contains("that lower is better"));
    let (claims, said) = imported("r.json", run("true", "0.5"), &[]);
    assert_eq!(claims[0].spread, None);
    assert!(said.contains("no spread: `acc_stderr,none` is not a number"), "{said}");
    let wer = card(&["{type: accuracy, name: Test WER, value: 12.5}"]);
    assert!(
        refused("README.md", wer, &[]).contains("type says quality.accuracy and the name says quality.wer")
    );
    let twice = ["{type: f1, value: 80.1}", "{type: f1, value: 80.1}"];
    let (one, said) = imported("README.md", card(&twice), &[]);
    assert_eq!(one.len(), 1);
    assert!(said.contains("stands 2 times with the same value"), "{said}");
    let different = card(&["{type: f1, value: 80.1}", "{type: f1, value: 80.2}"]);
    assert!(refused("README.md", different, &[]).contains("is 80.1 and 80.2"));
}

#[test]
fn what_was_not_measured_is_no_claim() {
    for value in ["NaN", ".nan", "nan +/- nan", "NA", "Infinity"] {
        let said = refused("README.md", card(&[&format!("{{type: accuracy, value: {value}}}")]), &[]);
        assert!(said.contains("what was not measured is no claim"), "{value}: {said}");
    }
    for (value, why) in [("null", "is not a number"), ("[1, 2]", "is not a number"), ("'1,234'", "comma")] {
        let said = refused("README.md", card(&[&format!("{{type: accuracy, value: {value}}}")]), &[]);
        assert!(said.contains(why), "{value}: {said}");
    }
    let nan = "{\"results\": {\"t\": {\"acc,none\": NaN}}, \"versions\": {\"t\": 1}}";
    assert!(refused("r.json", nan, &[]).contains("r.json:1:32: `t acc,none` = `NaN`"));
    let zero = fs::read_to_string(golden("mlperf-offline.txt")).unwrap().replace("6268465782", "0");
    assert!(
        imported("s.txt", zero, &[]).1.contains("is no claim: `value` is 0; latency.e2e is a number above 0")
    );
}

#[test]
fn dates_have_a_defined_outcome() {
    let entry = |date: &str| format!("- dataset: {{id: cais/hle}}\n  value: 20.90\n  date: \"{date}\"\n");
    let date = |text: &str| imported("hle.yaml", text, &[]).0[0].paper.date.clone();
    assert_eq!(date(&entry("2025-01-31T10:00:00Z")).as_deref(), Some("2025-01-31"));
    for bad in ["31/01/2025", "2025-02-30", "yesterday"] {
        let (claims, said) = imported("hle.yaml", entry(bad), &[]);
        assert_eq!(claims[0].paper.date, None);
        assert!(said.contains(&format!("the date `{bad}` is left out")), "{said}");
    }
    let two = format!("{}{}", entry("2025-01-31"), entry("2025-02-01").replace("cais/hle", "openai/gsm8k"));
    let (claims, said) = imported("hle.yaml", two, &[]);
    assert_eq!(claims[0].paper.date, None);
    assert!(said.contains("have 2 dates"), "{said}");
}

#[test]
fn a_benchmark_without_a_metric_needs_one() {
    let text = "- dataset: {id: someone/unknown, task_id: t}\n  value: 0.412\n";
    assert!(refused("e.yaml", text, &[]).contains("whose metric the file does not name"));
    let (claims, _) = imported("e.yaml", text, &["--metric", "quality.f1"]);
    assert_eq!(claims[0].metric, Metric::QualityF1);
    assert_eq!(claims[0].conditions.get(Condition::Dataset), Some(&"someone/unknown/t".into()));
}

#[test]
fn runs_that_are_not_valid() {
    let text = fs::read_to_string(golden("mlperf-offline.txt")).unwrap();
    let invalid = refused("s.txt", text.replace(": VALID", ": INVALID"), &[]);
    assert!(invalid.contains("is of a run that LoadGen calls `INVALID`"), "{invalid}");
    let accuracy = refused("s.txt", text.replace("PerformanceOnly", "AccuracyOnly"), &[]);
    assert!(accuracy.contains("measures no performance"), "{accuracy}");
    let cut = text.split("Result is").next().unwrap();
    assert!(refused("s.txt", cut, &[]).contains("s.txt:7:1: the file ends and has no `Result is`"));
    let left = "No warnings encountered during test.\n\nNo errors encountered during test.\n";
    assert!(refused("s.txt", left, &[]).contains("a run of its accuracy does not write"));
    let change = r#"{"mean":{"point_estimate":0.01},"median":{"point_estimate":0.02}}"#;
    assert!(refused("change/estimates.json", change, &[]).contains("holds relative changes and no times"));
    let skipped = r#"{"devices": [], "benchmarks": [{"name": "b", "states": [{"name": "s", "is_skipped": true, "skip_reason": "no\nmemory"}]}]}"#;
    assert!(refused("n.json", skipped, &[]).contains(r"was skipped: `no\u{a}memory`"));
}

#[test]
fn tables_of_triton_with_units() {
    let text =
        "rows,Triton (GB/s),Triton-min (GB/s),Torch (TFLOPS),x (furlongs)\n2048.0,137.911701,1.0,3.5,1\n";
    let (claims, said) = imported("p.csv", text, &[]);
    let found: Vec<_> = claims.iter().map(|claim| (claim.metric, claim.declared.unit.as_str())).collect();
    assert_eq!(found, [(Metric::ThroughputBytes, "GB/s"), (Metric::ThroughputFlops, "TFLOP/s")]);
    assert_eq!(claims[0].conditions.get(Condition::Rows), Some(&2048.0.into()));
    assert_eq!(claims[0].statistic, Statistic::Unspecified);
    assert!(said.contains("is in `furlongs`") && said.contains("an end of a range"), "{said}");
}

#[test]
fn a_benchmark_of_criterion_is_named_by_its_folder() {
    let text = fs::read(golden("criterion.json")).unwrap();
    let (claims, said) = imported("target/criterion/fib 20/naive/new/estimates.json", text, &[]);
    assert_eq!(claims[0].paper.title, "criterion: fib 20/naive");
    assert_eq!(claims[0].paper.url, "./target/criterion/fib%2020/naive/new/estimates.json");
    assert_eq!(claims[1].id, "fib-20-naive-median");
    assert!(said.contains("is a slope of times over iterations"), "{said}");
}

#[test]
fn the_format_is_told_by_the_content() {
    let unknown = refused("x.txt", "Dear reader,\nhello\n", &[]);
    for format in ["model-index", "eval-results", "lm-eval", "mlperf", "nvbench", "kernel-csv", "criterion"] {
        assert!(unknown.contains(format), "{unknown}");
    }
    assert!(unknown.contains("Dear reader"), "{unknown}");
    assert!(refused("x.json", "{\"a\": 1, \"b\": 2}", &[]).contains("JSON: a table with a, b"));
    assert!(refused("README.md", "---\ntags: []\n---\n", &[]).contains("front matter without `model-index`"));
    let both =
        "{\"results\": {\"t\": {\"acc\": 0.5}}, \"versions\": {}, \"devices\": [], \"benchmarks\": []}";
    assert!(refused("x.json", both, &[]).contains("could be lm-eval or nvbench"));
    assert_eq!(imported("x.json", both, &["--format", "lm-eval"]).0.len(), 1);
    assert!(refused("x.json", both, &["--format", "lmeval"]).contains("[possible values: model-index"));
}

#[test]
fn broken_files_are_refused_at_their_place() {
    for (name, text, place) in [
        ("empty.md", &b""[..], "empty.md: is empty"),
        ("blank.csv", b" \n\n", "blank.csv: is empty"),
        ("cut.json", b"{\"results\": {\"t\":", "cut.json:1:17: not valid JSON: EOF"),
        ("latin.md", b"---\nmodel-index:\n- name: M\xFCller\n", "latin.md:3:10: is not UTF-8 (byte 26)"),
        ("wide.json", b"\xFF\xFE{\0}\0", "wide.json:1:1: is UTF-16"),
        ("cut.md", b"---\nmodel-index:\n- name: 'x\n---\n", "cut.md:"),
        (
            "twice.md",
            b"---\nmodel-index: []\nmodel-index: []\n---\n",
            "twice.md:3:1: the key `model-index` stands twice",
        ),
        (
            "twice.json",
            b"{\"results\": {},\n \"results\": {}}",
            "twice.json:2:13: the key `results` stands twice",
        ),
        ("rows.csv", b"N,Triton (ms),Torch (ms)\n1,2,3\n4,5\n", "rows.csv:3:1: not a table"),
        ("open.md", b"---\nmodel-index:\n- name: x\n", "open.md: no known format"),
        ("model.md", b"---\nmodel-index: 5\n---\n", "model.md:2:14: `model-index` is `5`; expected a list"),
    ] {
        let said = refused(name, text, &[]);
        assert!(said.contains(place), "{name}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    let missing = run(&golden(""), &["missing.md"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("missing.md: cannot be read"));
}

#[test]
fn files_that_only_want_to_be_large() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.json");
    fs::File::create(&path).unwrap().set_len(65 << 20).unwrap();
    let output = run(folder.path(), &["huge.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("has more than 67108864 bytes"));
    assert!(refused("deep.json", "[".repeat(100_000), &[]).contains("deep.json:1:"));
    let nested = format!("{{\"results\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    assert!(refused("nested.json", nested, &[]).contains("more than 64 levels"));
}

#[test]
fn foreign_text_is_only_text() {
    let hostile = "a\"\n[[result]]\nid = \"evil\"\u{0}\u{1b}[31m\u{202e}\u{2028}'''\\";
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let text = format!(
        "{{\"results\": {{{name}: {{\"acc,none\": 0.5, \"bleu,none\": \"x\"}}}}, \"versions\": {{}}, \"model_name\": {name}, \
         \"lm_eval_version\": {name}, \"n-samples\": {{{name}: {{\"effective\": {name}}}}}, \"n-shot\": {{{name}: {name}}}}}",
        name = json(hostile)
    );
    let (out, said, code) = import_as("r.json", &text, &[]);
    assert_eq!(code, Some(0), "{said}");
    let found = claims(&out);
    assert_eq!(found.len(), 1, "{out}");
    assert_eq!(found[0].conditions.get(Condition::Model), Some(&hostile.into()));
    assert_eq!(found[0].conditions.software.get("lm_eval").map(String::as_str), Some(hostile));
    assert_eq!(found[0].n, None);
    for shown in [&out, &said] {
        assert!(!shown.contains(['\u{1b}', '\u{0}']), "{shown:?}");
    }
    assert!(!said.contains('\u{202e}') && said.lines().count() < 12, "{said:?}");
    let id = "x\"]\nschema = 2";
    let (out, said, code) = import_as("r.json", &text, &["--id", id]);
    assert_eq!((out.as_str(), code), ("", Some(2)), "{said}");
}

#[test]
fn several_files_and_a_file_that_exists() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["gpqa.yaml", "luxembourgish.md", "afrixnli.json"] {
        fs::copy(golden(name), folder.path().join(name)).unwrap();
    }
    let files = ["gpqa.yaml", "luxembourgish.md", "afrixnli.json"];
    let into = |more: &[&str]| run(folder.path(), &[&files[..], &["--output", "papers.toml"], more].concat());
    let output = into(&[]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
    let text = fs::read_to_string(folder.path().join("papers.toml")).unwrap();
    let found = claims(&text);
    let papers: Vec<&str> = found.iter().map(|claim| claim.paper.id.as_str()).collect();
    assert_eq!(
        papers,
        [
            "Evaluation-results",
            "Lemswasabi-wav2vec2-base-luxembourgish-4h",
            "Lemswasabi-wav2vec2-base-luxembourgish-4h",
            "google-gemma-2b",
            "google-gemma-2b"
        ]
    );
    let again = into(&[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8(again.stderr).unwrap().contains("a reviewed file is not overwritten"));
    assert_eq!(fs::read_to_string(folder.path().join("papers.toml")).unwrap(), text);
    let one = run(
        folder.path(),
        &[&files[..], &["--id", "mine", "--url", "https://example.com/x", "--only", "acc"]].concat(),
    );
    let found = claims(&String::from_utf8(one.stdout).unwrap());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].paper.id.as_str(), found[0].paper.url.as_str()), ("mine", "https://example.com/x"));
    fs::write(folder.path().join("broken.json"), "{").unwrap();
    let mixed = run(folder.path(), &["gpqa.yaml", "broken.json"]);
    assert_eq!((mixed.status.code(), mixed.stdout.as_slice()), (Some(2), &b""[..]));
}

#[test]
fn what_does_not_fit_is_said() {
    let said = |words: &[&str]| refused("gpqa.yaml", fs::read(golden("gpqa.yaml")).unwrap(), words);
    assert!(said(&["--url", "javascript:x"]).contains("is no address"));
    assert!(said(&["--metric", "latency.e2e", "--unit", "GB/s"]).contains("does not fit latency.e2e"));
    assert!(said(&["--unit", "GB/s"]).contains("--metric <NAME>"));
    assert!(said(&["--id", "not an id"]).contains("not a name"));
    let (_, unasked) = imported("gpqa.yaml", fs::read(golden("gpqa.yaml")).unwrap(), &["--plus-minus", "sd"]);
    assert!(unasked.contains("--plus-minus decided nothing"), "{unasked}");
    assert!(said(&["--only", "nothing"]).contains("hold no numbers, or none that --only asks for"));
    let bad = "- dataset: {id: cais/hle}\n  value: 20.9\n  source: {url: 'file:///etc/passwd'}\n";
    let (claims, said) = imported("hle.yaml", bad, &[]);
    assert_eq!(claims[0].source.url, None);
    assert!(said.contains("the address `file:///etc/passwd` is left out"), "{said}");
}
