//! The examples under `examples/c`: compiled against the installation and run against a simulator, plain and sanitized.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Place;
use crate::examples::{GRACE, PATIENCE, Simulator, TOKEN};
use crate::report::Tally;
use crate::setup::Tool;
use crate::step::Step;

const FOLDER: &str = "examples/c";

/// A program, the libraries it needs beside ours, and a word that it must say.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    ("ping_bot", &[], "ready: "),
    ("session_lws", &["libwebsockets"], "state: ready"),
    (
        "guarded_curl",
        &["libcurl"],
        "20 requests, 0 of them limited",
    ),
    ("own_store", &[], "role 1 is in memory: no"),
];

/// The Bot layer's test wants a simulator as well.
const BOT: &str = "ffi/tests/c/bot.c";

/// Events a second, so that a bot has something to see.
const RATE: u32 = 20;

/// Runs every example; `shardkeep` is the command that holds the simulator.
pub(crate) fn run(
    place: &Place,
    shardkeep: &Path,
    valgrind: &Tool,
    tally: &mut Tally,
) -> Result<()> {
    let simulator = Simulator::start(shardkeep, RATE)?;
    let mut check = |name: &str, result: Result<()>| match result {
        Ok(()) => tally.passed += 1,
        Err(error) => {
            println!("examples/c, {name}: {error:#}");
            tally.failed += 1;
        }
    };
    for (name, libraries, word) in PROGRAMS {
        check(
            name,
            compiled(place, name, libraries, word, &simulator, &[]),
        );
        let sanitizer = ["-fsanitize=address,undefined"];
        let sanitized = compiled(place, name, libraries, word, &simulator, &sanitizer);
        check(&format!("{name}, sanitized"), sanitized);
    }
    if super::has("ruby")? {
        let ruby = Step::new("ruby").args([Path::new(FOLDER).join("fiddle.rb")]);
        let library = place.prefix.join("lib/libshardkeep.so");
        let ruby = ruby.env("SHARDKEEP_LIBRARY", library).limit(GRACE);
        check("fiddle.rb", says(ruby, "from 16 to 32 shards"));
    }
    check("ping_bot, its length", is_short());
    let bot = |name, flags| {
        let program = place.compile(name, BOT.as_ref(), flags)?;
        let step = against(place.step(&program), &simulator);
        says(step.limit(super::PATIENCE), "both shards resumed")
    };
    check("the Bot layer", bot("bot", &[]));
    check(
        "the Bot layer, sanitized",
        bot("bot-asan", &["-fsanitize=address,undefined"]),
    );
    if let Ok(valgrind) = valgrind {
        let program = place.programs.join("bot");
        let step = super::under_valgrind(place, valgrind).args([&program]);
        let step = against(step, &simulator).limit(super::PATIENCE);
        check("the Bot layer, valgrind", says(step, "both shards resumed"));
    }
    Ok(())
}

/// The first example is a promise: a bot in under 80 lines.
fn is_short() -> Result<()> {
    let text = std::fs::read_to_string(Path::new(FOLDER).join("ping_bot.c"))?;
    match text.lines().count() {
        0..80 => Ok(()),
        lines => bail!("it has {lines} lines, and not under 80"),
    }
}

fn compiled(
    place: &Place,
    name: &str,
    libraries: &[&str],
    word: &str,
    simulator: &Simulator,
    flags: &[&str],
) -> Result<()> {
    let mut extra: Vec<String> = flags.iter().map(|flag| String::from(*flag)).collect();
    if !libraries.is_empty() {
        let found = Step::new("pkg-config").args(["--cflags", "--libs"]);
        let found = found.args(libraries).quiet_output()?;
        extra.extend(found.split_whitespace().map(String::from));
        // libwebsockets' header is not written for -Wpedantic.
        extra.push(String::from("-Wno-pedantic"));
        extra.push(String::from("-Wno-missing-field-initializers"));
    }
    let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
    let source = Path::new(FOLDER).join(format!("{name}.c"));
    let variant = if flags.is_empty() { "" } else { "-asan" };
    let program = place.compile(&format!("{name}{variant}"), &source, &extra)?;
    let step = against(place.step(&program), simulator).limit(PATIENCE + GRACE);
    // The others end by themselves; one that identifies too soon after another waits first.
    let step = match name {
        "ping_bot" => step.interrupt_after(PATIENCE),
        _ => step,
    };
    says(step, word).with_context(|| String::from(name))
}

/// Says where the simulator is.
fn against(step: Step, simulator: &Simulator) -> Step {
    step.env("DISCORD_API_BASE", &simulator.api)
        .env("DISCORD_TOKEN", TOKEN)
        .env("GATEWAY_URL", &simulator.gateway)
}

/// It ends well, and says this.
fn says(step: Step, word: &str) -> Result<()> {
    let mut said = false;
    step.run_seeing(|line| said |= line.contains(word))?;
    if !said {
        bail!("it did not say `{word}`");
    }
    Ok(())
}
