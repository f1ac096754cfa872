//! The suite "C": the installed library under programs in C and C++: plain, under AddressSanitizer, under valgrind.

pub(crate) mod bench;
mod examples;
mod flat;
mod freestanding;
pub(crate) mod install;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::report::{Outcome, Tally};
use crate::setup::Tools;
use crate::step::{Step, is_installed};
use crate::workspace;
use install::Profile;

const SOURCES: &str = "ffi/tests/c";
const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror"];
/// The programs, and whether they take the file of vectors.
const PROGRAMS: &[(&str, bool)] = &[("misuse", false), ("replay", true), ("threads", false)];
/// What the sizes and numbers of this interface are.
const ABI: &str = "ffi/tests/c/abi.txt";
const PATIENCE: Duration = Duration::from_secs(600);

/// Where things are while the suite runs.
pub(crate) struct Place {
    /// The installation.
    pub(crate) prefix: PathBuf,
    /// Where programs are put.
    pub(crate) programs: PathBuf,
    vectors: PathBuf,
}

impl Place {
    /// Installs what the tests have built, into the target folder.
    pub(crate) fn prepare() -> Result<Self> {
        let root = std::path::absolute(workspace::target_dir().join("c"))?;
        let place = Self {
            prefix: root.join("prefix"),
            programs: root.join("programs"),
            vectors: root.join("vectors.flat"),
        };
        std::fs::create_dir_all(&place.programs)?;
        install::into(&place.prefix, Profile::Dev)?;
        Ok(place)
    }

    /// What pkg-config says that a program needs.
    pub(crate) fn flags(&self, is_static: bool) -> Result<Vec<String>> {
        let mut step = Step::new("pkg-config")
            .env("PKG_CONFIG_PATH", self.prefix.join("lib/pkgconfig"))
            .args(["--cflags", "--libs"]);
        if is_static {
            step = step.args(["--static"]);
        }
        let text = step.args(["shardkeep"]).quiet_output()?;
        Ok(text.split_whitespace().map(String::from).collect())
    }

    /// Compiles a program against the installation. `extra` goes before the sources.
    pub(crate) fn compile(&self, name: &str, source: &Path, extra: &[&str]) -> Result<PathBuf> {
        let program = self.programs.join(name);
        Step::new("cc")
            .args([
                "-std=c99",
                "-D_POSIX_C_SOURCE=200809L",
                "-g",
                "-O1",
                "-pthread",
            ])
            .args(WARNINGS)
            .args(["-I", SOURCES])
            .args(extra.iter().filter(|arg| !arg.starts_with("-l")))
            .args([source])
            .args(["-o"])
            .args([&program])
            .args(self.flags(false)?)
            .args(extra.iter().filter(|arg| arg.starts_with("-l")))
            .run()?;
        Ok(program)
    }

    /// A step that finds the shared library.
    pub(crate) fn step(&self, program: &Path) -> Step {
        Step::new(program)
            .env("LD_LIBRARY_PATH", self.prefix.join("lib"))
            .limit(PATIENCE)
    }
}

/// Runs everything; `shardkeep` is the command that holds the simulator.
pub(crate) fn run(tools: &Tools, shardkeep: &Path) -> Result<Outcome> {
    let place = Place::prepare()?;
    let vectors = flat::write(&place.vectors)?;
    let mut tally = Tally::default();
    let mut check = |what: &str, result: Result<()>| match result {
        Ok(()) => tally.passed += 1,
        Err(error) => {
            println!("C, {what}: {error:#}");
            tally.failed += 1;
        }
    };
    check("header", header(&place));
    check("abi", abi(&place));
    for (name, wants_vectors) in PROGRAMS {
        let source = Path::new(SOURCES).join(format!("{name}.c"));
        let told = wants_vectors.then_some(vectors);
        check(name, plain(&place, name, &source, told));
        check(
            &format!("{name}, sanitized"),
            sanitized(&place, name, &source, told),
        );
        match &tools.valgrind {
            Ok(valgrind) => {
                check(
                    &format!("{name}, valgrind"),
                    watched(&place, valgrind, name, told),
                );
            }
            Err(why) if workspace::in_ci() => check("valgrind", Err(anyhow::anyhow!("{why}"))),
            Err(_) => tally_skip(name),
        }
    }
    check("the sanitizer is on", caught(&place));
    check("static", linked_statically(&place));
    check("cmake", cmake(&place));
    check("freestanding", freestanding::run(&place));
    examples::run(&place, shardkeep, &tools.valgrind, &mut tally)?;
    Ok(Outcome::Ran(tally))
}

fn tally_skip(name: &str) {
    println!("C, {name}: not run under valgrind, which is not installed");
}

/// The header alone, in both languages.
fn header(place: &Place) -> Result<()> {
    for standard in ["-std=c99", "-std=c11"] {
        Step::new("cc")
            .args([standard, "-fsyntax-only", "-x", "c"])
            .args(WARNINGS)
            .args(["include/shardkeep.h"])
            .run()?;
    }
    let program = place.programs.join("header");
    Step::new("c++")
        .args(["-std=c++11"])
        .args(WARNINGS)
        .args([Path::new(SOURCES).join("header.cpp")])
        .args(["-o"])
        .args([&program])
        .args(place.flags(false)?)
        .run()?;
    place.step(&program).run()
}

/// Sizes, offsets and numbers are those that are written down.
fn abi(place: &Place) -> Result<()> {
    let program = place.compile("abi", &Path::new(SOURCES).join("abi.c"), &[])?;
    let library = place.prefix.join("lib");
    let found = Step::new(&program)
        .env("LD_LIBRARY_PATH", library)
        .quiet_output()?;
    if std::env::var_os("SHARDKEEP_BLESS").is_some() {
        std::fs::write(ABI, &found)?;
    }
    let wanted = std::fs::read_to_string(ABI).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).find(|(a, b)| a != b);
    if found != wanted {
        bail!(
            "{ABI} is not what a compiler finds ({differs:?}): programs that exist would break. Put it back, or raise \
             SHARDKEEP_ABI and write the file anew with SHARDKEEP_BLESS=1"
        );
    }
    Ok(())
}

fn arguments(place: &Place, vectors: Option<usize>) -> Vec<PathBuf> {
    vectors.map(|_| place.vectors.clone()).into_iter().collect()
}

/// Runs a program; of vectors it must say how many it replayed.
fn replayed(step: Step, vectors: Option<usize>) -> Result<()> {
    let mut last = String::new();
    step.run_seeing(|line| last = String::from(line))?;
    match vectors {
        Some(count) if last != format!("{count} vectors") => {
            bail!("it replayed {last} of {count} vectors")
        }
        _ if last.is_empty() => bail!("it said nothing"),
        _ => Ok(()),
    }
}

fn plain(place: &Place, name: &str, source: &Path, vectors: Option<usize>) -> Result<()> {
    let program = place.compile(name, source, &[])?;
    let step = place.step(&program).args(arguments(place, vectors));
    replayed(step, vectors)
}

fn sanitized(place: &Place, name: &str, source: &Path, vectors: Option<usize>) -> Result<()> {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let program = place.compile(&format!("{name}-asan"), source, &flags)?;
    let step = place
        .step(&program)
        .env("ASAN_OPTIONS", "detect_leaks=1:exitcode=42")
        .args(arguments(place, vectors));
    replayed(step, vectors)
}

/// A program that reads past an end must be caught, or the sanitizer was not on.
fn caught(place: &Place) -> Result<()> {
    let source = Path::new(SOURCES).join("overflow.c");
    // Only at run time: the compiler is not to see it.
    let flags = ["-fsanitize=address", "-Wno-error", "-w", "-O0"];
    let program = place.compile("overflow-asan", &source, &flags)?;
    let log = place.programs.join("overflow.log");
    let shell = format!(
        "{} > {} 2>&1; test $? -eq 42",
        program.display(),
        log.display()
    );
    Step::new("sh")
        .env("LD_LIBRARY_PATH", place.prefix.join("lib"))
        .env("ASAN_OPTIONS", "exitcode=42")
        .args(["-c", &shell])
        .run()
        .context("an overflow went unnoticed: AddressSanitizer is not on")?;
    let said = std::fs::read_to_string(&log)?;
    if !said.contains("heap-buffer-overflow") {
        bail!("the sanitizer said something else: {said}");
    }
    Ok(())
}

/// Valgrind, which is to fail at any error and at anything lost. What threads keep that are still ending is not lost.
fn under_valgrind(place: &Place, valgrind: &Path) -> Step {
    place.step(valgrind).args([
        "--quiet",
        "--error-exitcode=42",
        "--leak-check=full",
        "--show-leak-kinds=definite,indirect",
        "--errors-for-leak-kinds=definite,indirect",
    ])
}

fn watched(place: &Place, valgrind: &Path, name: &str, vectors: Option<usize>) -> Result<()> {
    let program = place.programs.join(name);
    let step = under_valgrind(place, valgrind)
        .args([&program])
        .args(arguments(place, vectors));
    replayed(step, vectors)
}

fn linked_statically(place: &Place) -> Result<()> {
    let program = place.programs.join("misuse-static");
    let library = place.prefix.join("lib/libshardkeep.a");
    let flags = place.flags(true)?;
    let others = flags.into_iter().filter(|flag| flag != "-lshardkeep");
    Step::new("cc")
        .args(["-std=c99", "-I", SOURCES])
        .args([Path::new(SOURCES).join("misuse.c")])
        .args([&library])
        .args(others)
        .args(["-o"])
        .args([&program])
        .run()?;
    Step::new(&program).limit(PATIENCE).run()
}

/// Whether there is a program; in CI there must be.
fn has(program: &str) -> Result<bool> {
    let has = is_installed(program);
    if !has && workspace::in_ci() {
        bail!("{program} is not installed, and CI is set");
    }
    if !has {
        println!("C: {program} is not installed, so what needs it is left out");
    }
    Ok(has)
}

fn cmake(place: &Place) -> Result<()> {
    if !has("cmake")? {
        return Ok(());
    }
    let project = place.programs.join("cmake");
    std::fs::create_dir_all(&project)?;
    std::fs::copy(
        Path::new(SOURCES).join("installed.cmake"),
        project.join("CMakeLists.txt"),
    )?;
    let build = project.join("build");
    let define = |name: &str, path: &Path| format!("-D{name}={}", path.display());
    Step::new("cmake")
        .args(["-S"])
        .args([&project])
        .args(["-B"])
        .args([&build])
        .args([define("CMAKE_PREFIX_PATH", &place.prefix)])
        .args([define("SOURCES", &std::path::absolute(SOURCES)?)])
        .run()?;
    Step::new("cmake").args(["--build"]).args([&build]).run()?;
    place.step(&build.join("misuse")).run()?;
    Step::new(build.join("misuse_static")).run()
}
