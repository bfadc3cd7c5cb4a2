//! The connections to one registry.

use std::time::Duration;

use reqwest::{Certificate, redirect};

use super::retry;
use crate::effects::tls;
use crate::execute::ports::{Failure, ServiceError};
use crate::facts::Variables;
use crate::names::RegistryHost;

/// How connections to a registry are made.
pub(super) struct Wire {
    host: RegistryHost,
    roots: Vec<Certificate>,
}

impl Wire {
    /// Trusted are the system's certificates, those of `AWS_CA_BUNDLE`, and those that the Docker daemon trusts for this
    /// host.
    ///
    /// # Errors
    /// If a certificate among them is none.
    pub(super) fn new(host: &RegistryHost, variables: &Variables) -> Result<Self, ServiceError> {
        let mut roots = Vec::new();
        for pem in tls::registry_roots(host).into_iter().chain(tls::extra_roots(variables)?) {
            roots.extend(Certificate::from_pem_bundle(&pem).map_err(|error| broken(host, &error))?);
        }
        Ok(Wire { host: host.clone(), roots })
    }

    /// A client that gives up an answer which stays silent for so long; without a limit for those who keep watch
    /// themselves.
    ///
    /// # Errors
    /// If it cannot be set up with these certificates.
    pub(super) fn client(&self, silence: Option<Duration>) -> Result<reqwest::Client, ServiceError> {
        let mut http = reqwest::Client::builder();
        // As the Docker daemon has it too: nothing stands between a machine and itself.
        if self.host.is_loopback() {
            http = http.no_proxy();
        }
        if let Some(silence) = silence {
            http = http.read_timeout(silence);
        }
        http.user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(retry::CONNECT_TIMEOUT)
            .redirect(redirects())
            .tls_certs_merge(self.roots.iter().cloned())
            .build()
            .map_err(|error| broken(&self.host, &error))
    }
}

fn broken(host: &RegistryHost, error: &reqwest::Error) -> ServiceError {
    ServiceError {
        failure: Failure::CertificatesUnreadable { path: format!("/etc/docker/certs.d/{host}") },
        doing: format!("set up TLS for {host}"),
        cause: retry::chain(error),
    }
}

/// Where a registry may send its readers on: anywhere over TLS, but never from there into the clear, and not in circles.
fn redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let from_tls = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
        match attempt.previous().len() {
            10.. => attempt.error("the registry sends its readers in circles"),
            _ if from_tls && attempt.url().scheme() != "https" => {
                attempt.error("the registry sends its readers from TLS into the clear")
            }
            _ => attempt.follow(),
        }
    })
}
