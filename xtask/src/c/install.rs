//! `cargo xtask install --prefix P`: header, libraries, and what finds them: pkg-config and CMake.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::step::Step;
use crate::workspace;

/// The binary interface, as `ffi/src/types.rs` has it: the number in the library's name.
const TYPES: &str = "ffi/src/types.rs";

/// What a program needs that is linked with the static library, on Linux.
const SYSTEM: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

pub(crate) fn run(mut args: Args) -> Result<()> {
    let prefix = args.text("--prefix")?;
    args.finish()?;
    let Some(prefix) = prefix else {
        bail!("say where: --prefix /usr/local");
    };
    into(Path::new(&prefix), Profile::Release)?;
    println!("installed into {prefix}: cc app.c $(pkg-config --cflags --libs shardkeep)");
    Ok(())
}

/// How the library is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// What tests have built already.
    Dev,
    /// What users get.
    Release,
}

/// Builds the library and lays everything out below `prefix`.
pub(crate) fn into(prefix: &Path, profile: Profile) -> Result<()> {
    let mut build = Step::cargo(["build", "--package", "shardkeep-ffi"]);
    let mut folder = "debug";
    if profile == Profile::Release {
        (build, folder) = (build.args(["--release"]), "release");
    }
    build.run()?;
    let built = workspace::target_dir().join(folder);
    let prefix = std::path::absolute(prefix)?;
    let (abi, version) = (abi()?, env!("CARGO_PKG_VERSION"));
    let lib = prefix.join("lib");
    put(
        "include/shardkeep.h".as_ref(),
        &prefix.join("include/shardkeep.h"),
    )?;
    put(
        &built.join("libshardkeep_ffi.a"),
        &lib.join("libshardkeep.a"),
    )?;
    let shared = format!("libshardkeep.so.{abi}.{version}");
    put(&built.join("libshardkeep_ffi.so"), &lib.join(&shared))?;
    link(&shared, &lib.join(format!("libshardkeep.so.{abi}")))?;
    link(&shared, &lib.join("libshardkeep.so"))?;
    write(
        &lib.join("pkgconfig/shardkeep.pc"),
        &pkg_config(&prefix, version),
    )?;
    let cmake = lib.join("cmake/Shardkeep");
    write(&cmake.join("ShardkeepConfig.cmake"), CMAKE)?;
    write(
        &cmake.join("ShardkeepConfigVersion.cmake"),
        &cmake_version(version),
    )?;
    Ok(())
}

fn abi() -> Result<u32> {
    let text = fs::read_to_string(workspace::root()?.join(TYPES)).context(TYPES)?;
    let number = text
        .lines()
        .find_map(|line| line.strip_prefix("pub const SHARDKEEP_ABI: u32 = "))
        .and_then(|rest| rest.trim_end_matches(';').parse().ok());
    number.with_context(|| format!("{TYPES} has no SHARDKEEP_ABI"))
}

fn folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())
}

/// Copies a file, in place of what was there: a program that runs keeps the old library.
fn put(from: &Path, to: &Path) -> Result<()> {
    folder_of(to)?;
    remove(to)?;
    fs::copy(from, to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    Ok(())
}

fn link(target: &str, at: &Path) -> Result<()> {
    remove(at)?;
    symlink(target, at).with_context(|| at.display().to_string())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    folder_of(path)?;
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn pkg_config(prefix: &Path, version: &str) -> String {
    format!(
        "prefix={}\nlibdir=${{prefix}}/lib\nincludedir=${{prefix}}/include\n\nName: shardkeep\nDescription: Keeps \
         Discord bots alive at scale\nVersion: {version}\nCflags: -I${{includedir}}\nLibs: -L${{libdir}} \
         -lshardkeep\nLibs.private: {SYSTEM}\n",
        prefix.display()
    )
}

/// Works wherever the tree is moved to, because CMake finds it beside this file.
const CMAKE: &str = r#"# find_package(Shardkeep) gives Shardkeep::shardkeep and Shardkeep::static.

get_filename_component(_shardkeep "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET Shardkeep::shardkeep)
  add_library(Shardkeep::shardkeep SHARED IMPORTED)
  set_target_properties(Shardkeep::shardkeep PROPERTIES
    IMPORTED_LOCATION "${_shardkeep}/lib/libshardkeep.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_shardkeep}/include")
  add_library(Shardkeep::static STATIC IMPORTED)
  set_target_properties(Shardkeep::static PROPERTIES
    IMPORTED_LOCATION "${_shardkeep}/lib/libshardkeep.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_shardkeep}/include"
    INTERFACE_LINK_LIBRARIES "gcc_s;util;rt;pthread;m;dl;c")
endif()
"#;

fn cmake_version(version: &str) -> String {
    format!(
        "set(PACKAGE_VERSION \"{version}\")\nif(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)\n  \
         set(PACKAGE_VERSION_COMPATIBLE FALSE)\nelse()\n  set(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarys_name_follows_the_interface() {
        assert!(abi().unwrap() >= 1);
        let build = fs::read_to_string(workspace::root().unwrap().join("ffi/build.rs")).unwrap();
        let soname = format!("libshardkeep.so.{}\"", abi().unwrap());
        assert!(
            build.contains(&soname),
            "ffi/build.rs names another version"
        );
    }
}
