//! TLS by rustls, with a certificate that is read anew when its files change.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwap;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// The files are looked at when somebody connects, at most this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why TLS can't be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("http.{setting}: {} can't be read: {error}", path.display())]
    Unreadable {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// There is no certificate in the file.
    #[error("http.tls_certificate: {} has no certificate in PEM (`-----BEGIN CERTIFICATE-----`)", .0.display())]
    NoCertificate(PathBuf),
    /// There is no key in the file.
    #[error(
        "http.tls_key: {} has no private key in PEM that can be used (`-----BEGIN PRIVATE KEY-----`); one behind a password can't be",
        .0.display()
    )]
    NoKey(PathBuf),
    /// They don't go together.
    #[error(
        "http.tls_key is not the key of http.tls_certificate: the first certificate in the file must be the server's own"
    )]
    Mismatch,
    /// What else rustls does not like.
    #[error("http.tls_certificate and http.tls_key can't be used: {0}")]
    Unusable(rustls::Error),
}

/// A certificate and its key, as the files have them.
pub(super) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<ServerConfig>,
    seen: Mutex<Seen>,
}

/// By which a file that has changed is known: when it was written, and its length.
type Stamp = [Option<(SystemTime, u64)>; 2];

struct Seen {
    looked: Instant,
    stamp: Stamp,
}

impl Tls {
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let stamp = stamp(certificate, key);
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: ArcSwap::new(config(certificate, key)?),
            seen: Mutex::new(Seen { looked: Instant::now(), stamp }),
        })
    }

    /// What a connection that comes now is spoken to with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.renew();
        TlsAcceptor::from(self.current.load_full())
    }

    /// Takes files that have changed. While they don't go together, such as between the writing of the two, the certificate
    /// before stays.
    fn renew(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.elapsed() < LOOK_EVERY {
            return;
        }
        seen.looked = Instant::now();
        let stamp = stamp(&self.certificate, &self.key);
        if stamp == seen.stamp {
            return;
        }
        seen.stamp = stamp;
        match config(&self.certificate, &self.key) {
            Ok(config) => {
                self.current.store(config);
                tracing::info!(certificate = %self.certificate.display(), "a new certificate is used");
            }
            Err(error) => {
                tracing::error!(%error, "the certificate has changed, and can't be used: the one before stays");
            }
        }
    }
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| {
        let about = fs::metadata(path).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let read = |setting, path: &Path| {
        fs::read(path).map_err(|error| TlsError::Unreadable {
            setting,
            path: path.to_owned(),
            error: error.to_string(),
        })
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&read("tls_certificate", certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::NoCertificate(certificate.to_owned()))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_slice(&read("tls_key", key)?).map_err(|_| TlsError::NoKey(key.to_owned()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch,
            other => TlsError::Unusable(other),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
