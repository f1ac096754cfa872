//! TLS by rustls: the ring provider passed explicitly, never installed for the process, and the roots to trust.

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::config::Roots;

/// Why TLS cannot be set up.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The operating system has no certificate authorities where they are looked for.
    #[error(
        "the platform has no root certificates ({reason}): install ca-certificates, or use the bundled roots"
    )]
    NoPlatformRoots {
        /// What looking for them said.
        reason: String,
    },
    /// rustls refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    Rustls(rustls::Error),
}

/// The cryptography that everything here uses.
pub(super) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    &PROVIDER
}

/// The operating system's authorities.
fn platform_roots() -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        let reason = if reasons.is_empty() {
            "none found".to_owned()
        } else {
            reasons.join("; ")
        };
        return Err(TlsError::NoPlatformRoots { reason });
    }
    Ok(found.certs)
}

/// The configuration that every connection of a bot shares.
pub(crate) fn client_config(roots: Roots) -> Result<Arc<ClientConfig>, TlsError> {
    client_config_trusting(roots, &[])
}

/// As [`client_config`], for servers whose certificates an authority of one's own has signed.
pub(crate) fn client_config_trusting(
    roots: Roots,
    own: &[CertificateDer<'static>],
) -> Result<Arc<ClientConfig>, TlsError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Bundled => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Roots::Platform => {
            // A platform's list may hold certificates that webpki cannot read; the rest still counts.
            store.add_parsable_certificates(platform_roots()?);
        }
    }
    for certificate in own {
        store.add(certificate.clone()).map_err(TlsError::Rustls)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Rustls)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_roots_suffice_and_nothing_is_installed_for_the_process() {
        assert!(client_config(Roots::Bundled).is_ok());
        assert!(CryptoProvider::get_default().is_none());
    }
}
