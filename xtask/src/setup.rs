//! `cargo xtask setup`: installs what the tests need and is missing. It says what it does and asks nothing.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::step::{Step, is_installed};
use crate::workspace;

/// Where a tool is, or why there is none.
pub(crate) type Tool = Result<PathBuf, String>;

/// What the suites need beyond Rust.
pub(crate) struct Tools {
    /// A Python that has the packages of `xtask/peers/requirements.txt`.
    pub(crate) python: Tool,
    /// The `node_modules` folder with the packages of `xtask/peers/package.json`.
    pub(crate) node_modules: Tool,
    /// A Redis server.
    pub(crate) redis: Tool,
    /// Valgrind.
    pub(crate) valgrind: Tool,
}

impl Tools {
    fn rows(&self) -> [(&'static str, &Tool); 4] {
        [
            ("Python", &self.python),
            ("Node", &self.node_modules),
            ("Redis", &self.redis),
            ("Valgrind", &self.valgrind),
        ]
    }
}

pub(crate) fn run(args: Args) -> Result<()> {
    args.finish()?;
    let tools = prepare();
    let missing = tools
        .rows()
        .iter()
        .filter(|(_, tool)| tool.is_err())
        .count();
    if missing > 0 && workspace::in_ci() {
        bail!("{missing} of the tools above are missing, and CI is set");
    }
    Ok(())
}

/// Installs what is missing and says what there is. What could not be installed is in the answer, with the reason.
pub(crate) fn prepare() -> Tools {
    if let Err(error) = install_packages() {
        println!("{error:#}");
    }
    let tools = Tools {
        python: python(),
        node_modules: node_modules(),
        redis: program("redis-server"),
        valgrind: program("valgrind"),
    };
    for (name, tool) in tools.rows() {
        match tool {
            Ok(path) => println!("{name:<9}{}", path.display()),
            Err(why) => println!("{name:<9}missing: {why}"),
        }
    }
    tools
}

/// Debian packages for what is not there.
fn install_packages() -> Result<()> {
    let mut packages = Vec::new();
    if !is_installed("redis-server") {
        packages.push("redis-server");
    }
    if !is_installed("python3") {
        packages.push("python3");
    }
    // Debian's Python comes without the module that puts pip into a virtual environment.
    if !has_venv() {
        packages.push("python3-venv");
    }
    if !is_installed("node") {
        packages.push("nodejs");
    }
    if !is_installed("npm") {
        packages.push("npm");
    }
    packages.extend(c_packages());
    if packages.is_empty() {
        return Ok(());
    }
    let wanted = packages.join(" ");
    if !is_installed("apt-get") {
        bail!("not installed, and this system has no apt-get to install it with: {wanted}");
    }
    println!("installing {wanted}");
    apt(&["update", "-q"])?;
    apt(&["install", "-q", "-y", "--no-install-recommends"]
        .into_iter()
        .chain(packages)
        .collect::<Vec<_>>())
    .with_context(|| format!("install these yourself and try again: {wanted}"))
}

/// What the C library's tests and examples need: a compiler, what finds libraries, and the libraries of the examples.
fn c_packages() -> Vec<&'static str> {
    let mut packages = Vec::new();
    let programs = [
        ("cc", "gcc"),
        ("c++", "g++"),
        ("pkg-config", "pkg-config"),
        ("cmake", "cmake"),
        ("valgrind", "valgrind"),
        ("ruby", "ruby"),
    ];
    for (program, package) in programs {
        if !is_installed(program) {
            packages.push(package);
        }
    }
    if packages.contains(&"valgrind") {
        // Valgrind replaces functions of the dynamic loader, and finds them by their symbols.
        packages.push("libc6-dbg");
    }
    let headers = [
        ("libwebsockets.h", "libwebsockets-dev"),
        ("curl/curl.h", "libcurl4-openssl-dev"),
    ];
    for (header, package) in headers {
        let include = format!("#include <{header}>");
        let step = Step::new("sh").args(["-c", &format!("echo '{include}' | cc -E -x c -")]);
        if !step.succeeds() {
            packages.push(package);
        }
    }
    packages
}

fn has_venv() -> bool {
    Step::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .succeeds()
}

fn apt(args: &[&str]) -> Result<()> {
    let is_root = Step::new("id").args(["-u"]).quiet_output()?.trim() == "0";
    let step = if is_root {
        Step::new("env")
    } else if is_installed("sudo") {
        // -n: fail rather than ask for a password.
        Step::new("sudo").args(["-n", "env"])
    } else {
        bail!("apt-get needs root, and there is no sudo");
    };
    step.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(args)
        .run()
}

fn program(name: &str) -> Tool {
    if is_installed(name) {
        Ok(PathBuf::from(name))
    } else {
        Err(format!("no `{name}` in PATH"))
    }
}

fn python() -> Tool {
    let venv = workspace::target_dir().join("venv");
    let python = venv.join("bin/python");
    let wanted = ["xtask/peers/requirements.txt"];
    let make = || {
        Step::new("python3")
            .args(["-m", "venv", "--clear"])
            .args([&venv])
            .run()?;
        Step::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--requirement", wanted[0]])
            .run()
    };
    if !has_venv() {
        return Err(String::from(
            "no `python3` with the modules venv and ensurepip",
        ));
    }
    let works = || Step::new(&python).args(["-c", "pass"]).succeeds();
    once(&venv, &wanted, works, make)?;
    Ok(python)
}

fn node_modules() -> Tool {
    let folder = workspace::target_dir().join("node");
    let modules = folder.join("node_modules");
    let wanted = ["xtask/peers/package.json", "xtask/peers/package-lock.json"];
    let make = || {
        std::fs::create_dir_all(&folder)?;
        for file in wanted {
            let name = Path::new(file)
                .file_name()
                .context("the files above have names")?;
            std::fs::copy(file, folder.join(name))?;
        }
        Step::new("npm")
            .args(["ci", "--prefix"])
            .args([&folder])
            .args([
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--loglevel",
                "error",
            ])
            .run()
    };
    program("node")?;
    program("npm")?;
    once(&folder, &wanted, || modules.is_dir(), make)?;
    Ok(modules)
}

/// Runs `make` unless it has been run for `folder` with these very files, and what it made still `works`.
fn once(
    folder: &Path,
    wanted: &[&str],
    works: impl Fn() -> bool,
    make: impl Fn() -> Result<()>,
) -> Result<(), String> {
    let attempt = || {
        let stamp = folder.join("stamp");
        let mark = fingerprint(wanted)?;
        let is_made = std::fs::read_to_string(&stamp).is_ok_and(|old| old == mark);
        if is_made && works() {
            return Ok(());
        }
        make()?;
        std::fs::write(&stamp, mark).with_context(|| stamp.display().to_string())
    };
    attempt().map_err(|error| format!("{error:#}"))
}

/// A hash of these files' contents.
fn fingerprint(files: &[&str]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        hasher.write(&std::fs::read(file).with_context(|| String::from(*file))?);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_made_is_made_again_only_when_its_files_change() {
        let folder = std::env::temp_dir().join(format!("xtask-once-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let list = folder.join("list");
        let made = Cell::new(0);
        let turn = |text: &str, works: bool| {
            std::fs::write(&list, text).unwrap();
            let make = || {
                made.set(made.get() + 1);
                Ok(())
            };
            once(&folder, &[list.to_str().unwrap()], || works, make).unwrap();
            made.get()
        };
        assert_eq!(turn("a", true), 1);
        assert_eq!(turn("a", true), 1);
        assert_eq!(turn("a", false), 2);
        assert_eq!(turn("b", true), 3);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
