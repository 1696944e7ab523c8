//! What TLS needs, from the files that `sslrootcert`, `sslcert` and `sslkey` name (PostgreSQL
//! documentation, 34.19). Built only where a connection may use TLS: reading the system's roots
//! costs more than a connection.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, version};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::certificate::Verifier;
use super::wire::Stream;
use crate::config::connection::{RootCert, SslMode, Tls};
use crate::error::{Explain, Failure, Kind, Result};

/// A stream with TLS on it.
pub(super) type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Stream>>::Stream;

/// Roots, client certificate and the rest, read once for all hosts.
#[derive(Clone)]
pub(super) struct TlsSetup {
    connector: MakeRustlsConnect,
    direct: bool,
    checks_name: bool,
}

impl TlsSetup {
    /// Reads the files. One that was named and is missing is an error in every mode, also where
    /// libpq goes on without it: whoever names a root certificate wants it used.
    pub fn build(tls: &Tls) -> Result<TlsSetup> {
        let provider = Arc::new(ring::default_provider());
        let checks_name = tls.mode == SslMode::VerifyFull;
        let verifier = match roots(tls)? {
            Some(roots) => Verifier::trusting(roots, checks_name, &provider),
            None => Ok(Verifier::trusting_anyone(&provider)),
        };
        let verifier = verifier.explain(Kind::Invalid, format_args!("{} cannot be used", describe(&tls.root)))?;
        let versions: &[&rustls::SupportedProtocolVersion] = match (tls.only_tls13, tls.only_tls12) {
            (true, _) => &[&version::TLS13],
            (_, true) => &[&version::TLS12],
            _ => &[&version::TLS13, &version::TLS12],
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .explain(Kind::Failed, "cannot set up TLS")?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match (&tls.cert, &tls.key) {
            (Some(cert), Some(key)) => {
                let chain = certificates(cert, "client certificate")?;
                builder.with_client_auth_cert(chain, private_key(key)?).explain(
                    Kind::Invalid,
                    format_args!("certificate {} and key {} do not fit", cert.display(), key.display()),
                )?
            }
            _ => builder.with_no_client_auth(),
        };
        config.enable_sni = tls.sni;
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(TlsSetup { connector: MakeRustlsConnect::new(config), direct: tls.direct, checks_name })
    }

    /// Whether the handshake comes without asking first.
    pub fn direct(&self) -> bool {
        self.direct
    }

    /// Puts TLS on a stream to `host`.
    pub async fn handshake(&self, stream: Stream, host: &str) -> io::Result<TlsStream> {
        // A name that no certificate could have still may be used where none is checked. An address
        // stands for it because addresses are not sent as SNI.
        let nameless = !self.checks_name && ServerName::try_from(host).is_err();
        let name = if nameless { "0.0.0.0" } else { host };
        let mut connector = self.connector.clone();
        let Ok(connect) = MakeTlsConnect::<Stream>::make_tls_connect(&mut connector, name);
        connect.connect(stream).await
    }
}

/// The roots to trust; none where nobody is checked. `require` checks where there are roots, as in libpq.
fn roots(tls: &Tls) -> Result<Option<Vec<CertificateDer<'static>>>> {
    match &tls.root {
        RootCert::File(file) => certificates(file, "root certificate").map(Some),
        RootCert::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                return Err(Failure::new(Kind::Invalid, "sslrootcert=system, but this system has no root certificates")
                    .hint("install the package ca-certificates, or name a file: sslrootcert=/path/root.crt"));
            }
            Ok(Some(found.certs))
        }
        RootCert::Absent if matches!(tls.mode, SslMode::VerifyCa | SslMode::VerifyFull) => {
            Err(Failure::new(Kind::Invalid, format_args!("sslmode={} needs a root certificate", tls.mode.word()))
                .hint("name the authority's PEM file (sslrootcert=/path/root.crt), put it at ~/.postgresql/root.crt, or trust the system's: sslrootcert=system"))
        }
        RootCert::Absent => Ok(None),
    }
}

fn certificates(file: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(file)?.collect::<std::result::Result<Vec<_>, pem::Error>>();
    let found = read().map_err(|error| unreadable(&error, file, what))?;
    if found.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            format_args!("{what} file {} contains no certificate", file.display()),
        )
        .hint("it must be in PEM form: -----BEGIN CERTIFICATE-----"));
    }
    Ok(found)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    if let Ok(metadata) = file.metadata() {
        // As libpq: a key of root's may be readable by a group.
        let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
        if !metadata.is_file() {
            return Err(Failure::new(
                Kind::Invalid,
                format_args!("private key {} is not a plain file", file.display()),
            ));
        }
        if metadata.permissions().mode() & forbidden != 0 {
            return Err(Failure::new(
                Kind::Invalid,
                format_args!("private key file {} is open to others", file.display()),
            )
            .hint(format_args!("chmod 600 {}", file.display())));
        }
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            Failure::new(Kind::Invalid, format_args!("private key file {} contains no usable key", file.display()))
                .hint("it must be PEM without a passphrase: openssl pkey -in KEY -out NEWKEY, then chmod 600 NEWKEY")
        }
        error => unreadable(&error, file, "private key"),
    })
}

fn unreadable(error: &pem::Error, file: &Path, what: &str) -> Failure {
    // The library's own text for this one has a prefix that says nothing.
    let why: &dyn std::fmt::Display = if let pem::Error::Io(io) = error { io } else { error };
    Failure::new(Kind::Invalid, format_args!("cannot read {what} file {}: {why}", file.display()))
}

fn describe(root: &RootCert) -> String {
    match root {
        RootCert::File(file) => format!("root certificate file {}", file.display()),
        RootCert::System | RootCert::Absent => "the system's root certificates".to_owned(),
    }
}
