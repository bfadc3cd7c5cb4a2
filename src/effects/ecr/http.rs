//! How requests to AWS travel.

use aws_sdk_ecr::config::RuntimeComponents;
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::execute::ports::{Failure, ServiceError};

/// The SDK's HTTP client with ring for TLS, the system's certificates and more, and these proxies.
pub(super) fn client(extra_roots: Option<Vec<u8>>, proxies: ProxyConfig) -> Result<SharedHttpClient, ServiceError> {
    let mut roots = tls::TrustStore::default();
    if let Some(pem) = extra_roots {
        roots = roots.with_pem_certificate(pem);
    }
    let context = tls::TlsContext::builder().with_trust_store(roots).build().map_err(|error| ServiceError {
        failure: Failure::Unexpected,
        doing: "set up TLS".to_owned(),
        cause: error.to_string(),
    })?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .tls_context(context.clone())
            .proxy_config(proxies.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    }))
}
