//! Serves a simulated Discord until it is told to stop: `cargo run -p shardkeep-sim --example serve -- 127.0.0.1:8080`.

use std::error::Error;
use std::io::Write;

use shardkeep_sim::WorldConfig;
use shardkeep_sim::server::{Server, ServerConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut config = ServerConfig {
        world: WorldConfig {
            guilds: 20,
            members_per_guild: 50,
            ..WorldConfig::default()
        },
        ..ServerConfig::default()
    };
    if let Some(listen) = std::env::args().nth(1) {
        config.listen = listen.parse()?;
    }
    let server = Server::start(config).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.addresses())?;
    out.flush()?;
    std::future::pending().await
}
