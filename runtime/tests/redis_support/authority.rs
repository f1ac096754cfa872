//! A certificate authority, and a server that it vouches for.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A certificate authority of this test, and a certificate for `localhost`, in files.
pub(crate) struct Authority {
    pub(crate) folder: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("shardkeep-ca-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut of_ca = CertificateParams::default();
        of_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().expect("a key");
        let ca = of_ca.self_signed(&ca_key).expect("a certificate");
        let issuer = Issuer::new(of_ca, ca_key);
        let key = KeyPair::generate().expect("a key");
        let of_server = CertificateParams::new(vec![String::from("localhost")]);
        let server = of_server.expect("a name").signed_by(&key, &issuer);
        for (name, text) in [
            ("ca", ca.pem()),
            ("server", server.expect("a certificate").pem()),
            ("key", key.serialize_pem()),
        ] {
            std::fs::write(folder.join(format!("{name}.pem")), text).expect("a file");
        }
        Self { folder }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
