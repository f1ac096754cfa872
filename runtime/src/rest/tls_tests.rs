//! The transport over TLS, with an authority of the test's own.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, ServerConfig};
use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{Auth, Failure};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::base::Base;
use super::http1::Http1;
use super::*;
use crate::transport::client_config;
use crate::transport::tests::own_authority;

/// Answers with what it is sent; the connection must have agreed on HTTP/1.1.
async fn serve(config: Arc<ServerConfig>) -> String {
    let mut config = Arc::unwrap_or_clone(config);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // A client that does not trust the certificate goes away.
            let Ok(tls) = acceptor.accept(tcp).await else {
                continue;
            };
            assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            let service = service_fn(async |request: Request<Incoming>| {
                let body = request
                    .into_body()
                    .collect()
                    .await
                    .map(|body| body.to_bytes());
                Ok::<_, Infallible>(Response::new(Full::new(body.unwrap_or_default())))
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(async move {
                let _hung_up = http.serve_connection(TokioIo::new(tls), service).await;
            });
        }
    });
    format!("https://localhost:{port}/api")
}

fn client(base: &str, config: Arc<ClientConfig>) -> Client {
    let mut settings = Settings::new(base);
    settings.scheduler.retries = 0;
    let base = Base::parse(base).unwrap();
    let http = Http1::new(base, config, Duration::from_secs(5), 1 << 20);
    Client::start_with(settings, Arc::new(http)).unwrap()
}

#[tokio::test]
async fn bodies_of_every_size_come_through() {
    let (server, config) = own_authority();
    let client = client(&serve(server).await, config);
    for len in [0, 1, 16_384, 300_000] {
        let mut request = RawRequest::new(Auth::NONE, Method::Put, "/guilds/1/x");
        request.body = Body::from(Bytes::from(vec![7; len]));
        let answer = client.submit(request).unwrap().await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, len));
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let (server, _) = own_authority();
    let client = client(
        &serve(server).await,
        client_config(Default::default()).unwrap(),
    );
    let request = RawRequest::new(Auth::NONE, Method::Get, "/gateway");
    let error = client.submit(request).unwrap().await.unwrap_err();
    let RestError::Transport {
        failure, reason, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(*failure, Failure::NotSent);
    assert!(reason.contains("certificate"), "{reason}");
}
