//! Encrypted connections, with the certificates that this system trusts.

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};
use std::{io, net::TcpStream, sync::Arc};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// A connection over which a websocket speaks.
pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// How HTTP is encrypted.
pub(crate) fn of_http() -> TlsConfig {
    let trusted = rustls_native_certs::load_native_certs();
    let trusted: Vec<_> = trusted
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(trusted)))
        .build()
}

/// Encrypts a connection to that host.
///
/// # Errors
///
/// When nobody can be trusted to be that host. That the host is another is found by the first that is said.
pub(crate) fn encrypted(host: &str, connection: TcpStream) -> io::Result<Stream> {
    let mut roots = RootCertStore::empty();
    // Where none is usable, no server is trusted.
    let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Ok(StreamOwned::new(session, connection))
}
