//! Whether a server's certificate is good enough. webpki decides; three things that libpq accepts
//! and webpki does not are added, because PostgreSQL's own manual (19.9.5) makes such certificates:
//! a host named only in the common name, a self-signed server certificate that is itself in the root
//! file, and X.509 version 1 certificates signed by a root. Does not know files or connections.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::{Certificate, Version};

/// Decides over server certificates as an sslmode wants.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Option<Trust>,
    checks_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
struct Trust {
    webpki: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// `verify-ca`, or `verify-full` where the name counts too.
    pub fn trusting(
        roots: Vec<CertificateDer<'static>>,
        checks_name: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Verifier, VerifierBuilderError> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build()?;
        let algorithms = provider.signature_verification_algorithms;
        Ok(Verifier { trust: Some(Trust { webpki, roots }), checks_name, algorithms })
    }

    /// `require` without a root certificate: the server must own its certificate's key, whoever it is.
    pub fn trusting_anyone(provider: &CryptoProvider) -> Verifier {
        Verifier { trust: None, checks_name: false, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(Trust { webpki, roots }) = &self.trust else { return Ok(ServerCertVerified::assertion()) };
        match webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Ok(verified) => return Ok(verified),
            // webpki looks at the name last: the chain is good.
            Err(error) if is_about_the_name(&error) => {}
            Err(error) => {
                if !vouched_by_a_root(end_entity, roots, now, &self.algorithms) {
                    return Err(error);
                }
            }
        }
        if self.checks_name {
            verify_name(end_entity, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let Some(key) = key_of_version_1(cert) else {
            return verify_tls12_signature(message, cert, dss, &self.algorithms);
        };
        let candidates = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == dss.scheme);
        let good = candidates
            .flat_map(|(_, algorithms)| algorithms.iter())
            .filter(|algorithm| parameters(&key.algorithm).as_deref() == Some(algorithm.public_key_alg_id().as_ref()))
            .any(|algorithm| {
                algorithm.verify_signature(key.subject_public_key.raw_bytes(), message, dss.signature()).is_ok()
            });
        if good { Ok(HandshakeSignatureValid::assertion()) } else { Err(CertificateError::BadSignature.into()) }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match key_of_version_1(cert).and_then(|key| key.to_der().ok()) {
            Some(key) => {
                let key = SubjectPublicKeyInfoDer::from(key);
                verify_tls13_signature_with_raw_key(message, &key, dss, &self.algorithms)
            }
            None => verify_tls13_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether an error says only that the certificate is for another host.
pub(super) fn is_about_the_name(error: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// A self-signed certificate that is one of the roots, or one of version 1 that a root signed: what
/// OpenSSL accepts and webpki cannot judge. No intermediates, so that this stays a page.
fn vouched_by_a_root(
    end_entity: &CertificateDer<'_>,
    roots: &[CertificateDer<'static>],
    now: UnixTime,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let Ok(cert) = Certificate::from_der(end_entity) else { return false };
    if !is_current(&cert, now) {
        return false;
    }
    let tbs = &cert.tbs_certificate;
    if tbs.issuer == tbs.subject {
        return roots.iter().any(|root| root.as_ref() == end_entity.as_ref());
    }
    tbs.version == Version::V1
        && roots.iter().filter_map(|root| Certificate::from_der(root).ok()).any(|root| {
            root.tbs_certificate.subject == tbs.issuer
                && is_current(&root, now)
                && is_signed_by(end_entity, &cert, &root.tbs_certificate.subject_public_key_info, algorithms)
        })
}

fn is_current(cert: &Certificate, now: UnixTime) -> bool {
    let validity = &cert.tbs_certificate.validity;
    let now = now.as_secs();
    validity.not_before.to_unix_duration().as_secs() <= now && now <= validity.not_after.to_unix_duration().as_secs()
}

fn is_signed_by(
    der: &CertificateDer<'_>,
    cert: &Certificate,
    key: &SubjectPublicKeyInfoOwned,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let signed = SliceReader::new(der).and_then(|mut reader| {
        reader.sequence(|inner| {
            let tbs = inner.tlv_bytes()?;
            inner.tlv_bytes()?;
            inner.tlv_bytes()?;
            Ok(tbs)
        })
    });
    let (Ok(signed), Some(signature)) = (signed, cert.signature.as_bytes()) else { return false };
    let (Some(signature_id), Some(key_id)) = (parameters(&cert.signature_algorithm), parameters(&key.algorithm)) else {
        return false;
    };
    algorithms
        .all
        .iter()
        .filter(|a| a.signature_alg_id().as_ref() == signature_id && a.public_key_alg_id().as_ref() == key_id)
        .any(|a| a.verify_signature(key.subject_public_key.raw_bytes(), signed, signature).is_ok())
}

/// An algorithm identifier without its outer header, the form that rustls compares.
fn parameters(algorithm: &x509_cert::spki::AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let der = algorithm.to_der().ok()?;
    Some(AnyRef::from_der(&der).ok()?.value().to_vec())
}

/// The key of a certificate that webpki cannot read for its age.
fn key_of_version_1(cert: &CertificateDer<'_>) -> Option<SubjectPublicKeyInfoOwned> {
    let cert = Certificate::from_der(cert).ok().filter(|cert| cert.tbs_certificate.version == Version::V1)?;
    Some(cert.tbs_certificate.subject_public_key_info)
}

/// Alternative names first; the common name where there are none, as libpq does.
fn verify_name(end_entity: &CertificateDer<'_>, wanted: &ServerName<'_>) -> Result<(), Error> {
    let unreadable = |error| Error::from(CertificateError::Other(OtherError(Arc::new(error))));
    let cert = Certificate::from_der(end_entity).map_err(unreadable)?;
    let alternatives = cert.tbs_certificate.get::<SubjectAltName>().map_err(unreadable)?;
    let named = |name: &GeneralName| matches!(name, GeneralName::DnsName(_) | GeneralName::IpAddress(_));
    if alternatives.is_some_and(|(_, names)| names.0.iter().any(named)) {
        return verify_server_name(&ParsedCertificate::try_from(end_entity)?, wanted);
    }
    let name = common_name(&cert);
    if name.as_deref().is_some_and(|name| stands_for(name, &wanted.to_str())) {
        return Ok(());
    }
    let presented = name.into_iter().collect();
    Err(CertificateError::NotValidForNameContext { expected: wanted.to_owned(), presented }.into())
}

fn common_name(cert: &Certificate) -> Option<String> {
    const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
    let mut attributes = cert.tbs_certificate.subject.0.iter().flat_map(|set| set.0.iter());
    let name = attributes.find(|attribute| attribute.oid == COMMON_NAME)?;
    // A zero byte has fooled verifiers into reading half a name.
    String::from_utf8(name.value.value().to_vec()).ok().filter(|name| !name.contains('\0'))
}

/// Whether a name in a certificate, maybe `*.example.com`, is that of a host. The star stands for
/// one whole label, never for part of an IP address.
fn stands_for(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((label, rest))) if !is_address => {
            !label.is_empty() && !domain.is_empty() && domain.eq_ignore_ascii_case(rest)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        for (pattern, host, fits) in [
            ("db.example.com", "DB.example.com", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "a.db.example.com", false),
            ("d*.example.com", "db.example.com", false),
            ("*", "db", false),
            ("*.", "db.", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("*.0.0.1", "10.0.0.1", false),
            ("", "db", false),
        ] {
            assert_eq!(stands_for(pattern, host), fits, "{pattern} for {host}");
        }
    }
}
