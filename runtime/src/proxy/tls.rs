//! HTTPS for clients: rustls with ring, the provider passed explicitly.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::settings::{ProxyError, Tls};

/// What accepts handshakes with this certificate.
pub(super) fn acceptor(from: &Tls) -> Result<TlsAcceptor, ProxyError> {
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&from.certificates)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(format_args!("the certificate is no PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong("the certificate's file holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(&from.key)
        .map_err(|_| wrong("the key's file holds no private key in PEM"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn wrong(error: impl std::fmt::Display) -> ProxyError {
    ProxyError::Tls(error.to_string())
}
