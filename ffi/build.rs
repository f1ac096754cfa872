//! Gives the shared library its name within the system: programs that were linked with it find any of the same ABI.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if target == "linux" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libshardkeep.so.1");
    }
}
