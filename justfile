# The commands of a working day. `.ci/run` is what a change has to pass; `just check` is its quick part.

# Show the recipes.
default:
    @just --list

# Format, lints without and with the default features, tests, documentation.
check:
    cargo fmt --all --check
    cargo clippy -p gapbench --no-default-features --all-targets -- -D warnings
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --workspace
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Write the golden files anew. Read the diff before you commit it; never done in CI.
bless:
    GAPBENCH_BLESS=1 TRYBUILD=overwrite cargo test --workspace
    git status --short

# Measure the worked example in a few seconds; `just demo full` takes its time.
demo profile="smoke":
    GAPBENCH_PROFILE={{profile}} cargo bench -p intent-classifier

# Print the plan of the worked example and run nothing.
[positional-arguments]
explain *filters:
    cargo bench -p intent-classifier -- --explain "$@"

# Licences, sources and bans of the dependency tree (needs cargo-deny).
deny:
    cargo deny check licenses bans sources

# Build the packages as they would be published.
package:
    cargo package -p gapbench -p gapbench-macros -p gapbench-cuda

# Build target/gpu-pack: what a machine with a GPU and without Rust needs to measure the kernels (docs/GPU.md).
gpu-pack:
    scripts/gpu/pack.sh
