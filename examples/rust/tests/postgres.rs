//! The example over PostgreSQL, with a real primary and a real replica.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, WorldConfig};

/// Who runs PostgreSQL where the tests are run by root, whom it refuses.
const USER: &str = "postgres";

/// Where PostgreSQL's programs are; `None` if it is not installed.
fn programs() -> Option<PathBuf> {
    let found = Command::new("pg_config").arg("--bindir").output().ok();
    let found = found.and_then(|output| String::from_utf8(output.stdout).ok());
    let listed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = listed.map(|version| version.path().join("bin")).collect();
    folders.extend(found.map(|text| PathBuf::from(text.trim())));
    folders.into_iter().find(|folder| folder.join("initdb").exists())
}

/// A primary and its replica, in folders of their own. Dropping it stops and removes both.
struct Pair {
    programs: PathBuf,
    folder: PathBuf,
    is_root: bool,
}

impl Pair {
    fn start(programs: PathBuf) -> Self {
        let folder =
            std::env::temp_dir().join(format!("shardkeep-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let id = Command::new("id").arg("-u").output().expect("id");
        let pair = Self { programs, folder, is_root: id.stdout.starts_with(b"0") };
        if pair.is_root {
            let owner = Command::new("chown").arg(USER).arg(&pair.folder).status();
            assert!(owner.expect("chown").success());
        }
        let (primary, replica) = (pair.data("primary"), pair.data("replica"));
        pair.run("initdb", &["-D", &primary, "-A", "trust", "-U", "bot", "--no-sync"]);
        let confirmed = "-c synchronous_standby_names=replica";
        pair.serve(&primary, "primary", confirmed);
        let socket = pair.folder.display().to_string();
        pair.run(
            "pg_basebackup",
            &["-h", &socket, "-p", "5432", "-U", "bot", "-D", &replica, "-R", "--no-sync"],
        );
        let named = format!(
            "-c primary_conninfo='host={socket} port=5432 user=bot application_name=replica'"
        );
        pair.serve(&replica, "replica", &named);
        pair
    }

    fn data(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The primary listens on socket 5432 of the folder, the replica on 5433; neither on the network.
    fn serve(&self, data: &str, name: &str, more: &str) {
        let port = if name == "primary" { 5432 } else { 5433 };
        let socket = self.folder.display();
        let options = format!("-p {port} -k {socket} -h '' -c fsync=off {more}");
        let log = self.folder.join(format!("{name}.log")).display().to_string();
        self.run("pg_ctl", &["-D", data, "-l", &log, "-o", &options, "-w", "start"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let path = self.programs.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        let status =
            command.args(arguments).current_dir(&self.folder).stdout(Stdio::null()).status();
        assert!(status.expect("a program").success(), "{program} {arguments:?}");
    }

    fn url(&self, port: u16) -> String {
        format!("host={} port={port} user=bot dbname=postgres", self.folder.display())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in ["replica", "primary"] {
            let data = self.data(name);
            if Path::new(&data).join("postmaster.pid").exists() {
                self.run("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]);
            }
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let debug = test.ancestors().nth(2).expect("target/debug/deps/test");
    debug.join("examples").join("postgres")
}

fn run(pair: &Pair) -> String {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let world = WorldConfig { chatter_per_s: 200, ..WorldConfig::default() };
    let config = ServerConfig { world, ..ServerConfig::default() };
    let server = runtime.block_on(Server::start(config)).expect("a free port on loopback");
    let Output { status, stdout, stderr } = Command::new(example())
        .env("DISCORD_API_BASE", server.api_base())
        .env("DISCORD_TOKEN", DEFAULT_TOKEN)
        .env("POSTGRES_PRIMARY", pair.url(5432))
        .env("POSTGRES_REPLICAS", pair.url(5433))
        .env("SHARDKEEP_EXAMPLE_EVENTS", "30")
        .output()
        .expect("cargo builds examples before it runs tests");
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{text}\n{}", String::from_utf8_lossy(&stderr));
    text
}

#[test]
fn a_bot_over_a_primary_and_a_replica() {
    let Some(programs) = programs() else {
        println!("skipped: PostgreSQL is not installed");
        return;
    };
    let pair = Pair::start(programs);
    let text = run(&pair);
    assert_eq!(text.matches(": hello\n").count(), 30, "{text}");
    assert!(text.contains("written: ") && !text.contains("written: 0,"), "{text}");
    let again = run(&pair);
    assert!(again.contains("shared_hits: ") && !again.contains("shared_hits: 0,"), "{again}");
}
