//! Gives the library the name under which programs ask for it, so that once it is open they find it.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcublas.so.13");
}
