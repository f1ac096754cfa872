//! A server that answers every request at once with a user and the headers of a limit that never binds.

use std::convert::Infallible;
use std::io::{Write as _, stdout};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::Outcome;

const USER: &str = concat!(
    r#"{"id":"80351110224678912","username":"nelly","discriminator":"0","global_name":"Nelly","#,
    r#""avatar":"8342729096ea3675442027381ff50dfe","bot":false,"public_flags":64,"banner":null,"#,
    r#""accent_color":null}"#
);

pub(super) fn serve() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(stdout(), "http://{}/api/v10", listener.local_addr()?)?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            tokio::spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new();
                // A client that goes away has seen enough.
                let _gone = connection
                    .serve_connection(TokioIo::new(socket), service_fn(answer))
                    .await;
            });
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::new(Bytes::from_static(USER.as_bytes())));
    for (name, value) in [
        ("content-type", "application/json"),
        ("via", "1.1 google"),
        ("x-ratelimit-limit", "100000"),
        ("x-ratelimit-remaining", "99999"),
        ("x-ratelimit-reset", "1800000000.000"),
        ("x-ratelimit-reset-after", "1.000"),
        ("x-ratelimit-bucket", "d721dea6054f6322373d361f98e5c38b"),
    ] {
        response
            .headers_mut()
            .insert(name, hyper::header::HeaderValue::from_static(value));
    }
    Ok(response)
}
