//! Certificates for the TLS tests, made anew in every run.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use dbctl::pg::sandbox::Sandbox;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SigningKey};
use x509_cert::der::asn1::{Any, BitString, UtcTime};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{DateTime, Decode, Encode};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate, Version};

/// An authority that signs server and client certificates.
pub struct Authority {
    name: String,
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A certificate with its key, in PEM.
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { name: name.to_owned(), issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a common name and alternative names.
    pub fn sign(&self, common_name: &str, alternatives: &[&str]) -> Pair {
        self.sign_with(common_name, alternatives, |_| {})
    }

    pub fn sign_with(
        &self,
        common_name: &str,
        alternatives: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let names: Vec<String> = alternatives.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Pair { cert: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }

    /// A certificate as `openssl x509 -req` of OpenSSL 3.0 makes it without further ado: version 1.
    pub fn sign_version_1(&self, common_name: &str, valid: bool) -> Pair {
        let key = KeyPair::generate().unwrap();
        let ecdsa_with_sha256 = AlgorithmIdentifierOwned {
            oid: ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
            parameters: None::<Any>,
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let at = |when: Duration| {
            Time::UtcTime(UtcTime::from_date_time(DateTime::from_unix_duration(when).unwrap()).unwrap())
        };
        let (start, end) = if valid { (3600, 3600) } else { (7200, 0) };
        let tbs = TbsCertificate {
            version: Version::V1,
            serial_number: SerialNumber::new(&[7]).unwrap(),
            signature: ecdsa_with_sha256.clone(),
            issuer: Name::from_str(&format!("CN={}", self.name)).unwrap(),
            validity: Validity {
                not_before: at(now - Duration::from_secs(start)),
                not_after: at(now + Duration::from_secs(end) - Duration::from_secs(u64::from(!valid) * 60)),
            },
            subject: Name::from_str(&format!("CN={common_name}")).unwrap(),
            subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(
                &rcgen::PublicKeyData::subject_public_key_info(&key),
            )
            .unwrap(),
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: None,
        };
        let signature = self.issuer.key().sign(&tbs.to_der().unwrap()).unwrap();
        let cert = Certificate {
            tbs_certificate: tbs,
            signature_algorithm: ecdsa_with_sha256,
            signature: BitString::from_bytes(&signature).unwrap(),
        };
        let cert = pem::encode(&pem::Pem::new("CERTIFICATE", cert.to_der().unwrap()));
        Pair { cert, key: key.serialize_pem() }
    }
}

/// A self-signed certificate that is also an authority, as `openssl req -x509` makes it.
pub fn self_signed(name: &str) -> Pair {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    Pair { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

/// Writes a file that only its owner may read.
pub fn write(path: &Path, text: &str) -> PathBuf {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

/// Gives the server a certificate and an authority for client certificates.
pub fn install(server: &mut Sandbox, pair: &Pair, clients: &Authority) {
    use nix::unistd::User;
    let owner = User::from_name(server.account()).unwrap().unwrap();
    for (name, text) in [("server.crt", &pair.cert), ("server.key", &pair.key), ("clients.crt", &clients.pem)] {
        let path = write(&server.data_dir().join(name), text);
        chown(&path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw())).unwrap();
    }
    if super::sql(server, "SHOW ssl") == "off" {
        super::sql(server, "ALTER SYSTEM SET ssl = on");
        super::sql(server, "ALTER SYSTEM SET ssl_ca_file = 'clients.crt'");
    }
    // New sessions say when the postmaster that bore them last read its files.
    let loaded = |server: &Sandbox| super::sql(server, "SELECT pg_conf_load_time()");
    let before = loaded(server);
    server.reload().unwrap();
    let waits = (0..500).take_while(|_| loaded(server) == before);
    waits.for_each(|_| std::thread::sleep(Duration::from_millis(10)));
    assert_eq!(super::sql(server, "SHOW ssl"), "on", "{}", server.log());
}
