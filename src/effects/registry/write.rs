//! An image that the engine hands out, written to a registry: what is not there yet is compressed and sent while the rest
//! is still being read, and the manifest comes last.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::Either;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::client::RegistryClient;
use crate::effects::archive::{self, Layer as Arriving, Part, Reading};
use crate::execute::events::PushEvent;
use crate::execute::ports::{
    Archive, Credential, Failure, Freight, Layer, LayerBlob, Manifest, Registry as _, ServiceError,
};
use crate::names::{Digest, ImageRef};
use crate::plan::Compression;

/// How many layers of one image are on their way at once.
const AT_ONCE: usize = 6;

/// How many pieces of the archive, of some tens of KiB each, may wait to be read.
const WAITING: usize = 32;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const OCI_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

impl RegistryClient {
    /// See [`Registry::write`](crate::execute::ports::Registry::write).
    pub(super) async fn write_image(
        &self,
        freight: Freight<'_>,
        target: &ImageRef,
        credential: &Credential,
        tell: &dyn Fn(PushEvent),
        arrived: &dyn Fn(&Layer),
    ) -> Result<Digest, ServiceError> {
        let doing = format!("push {target}");
        let known: BTreeMap<Digest, LayerBlob> = freight.known.into_iter().collect();
        let diff_ids = &freight.anatomy.diff_ids;
        for diff_id in diff_ids {
            tell(PushEvent::LayerFound);
            if known.contains_key(diff_id) {
                tell(PushEvent::LayerThereAlready);
            }
        }
        let reading = Reading {
            anatomy: freight.anatomy.clone(),
            config: freight.config.clone(),
            known: known.keys().cloned().collect(),
            compression: freight.compression,
        };
        let (pieces, received) = mpsc::channel(WAITING);
        let (parts, thread) = archive::read(reading, received);
        let writing = Writing { registry: self, target, credential, compression: freight.compression, tell, arrived };
        let found = RefCell::new(Found { layers: known, config: None });
        let (written, ()) = tokio::join!(writing.parts(parts, &found), pump(freight.archive, pieces));
        written?;
        let read = thread.await.map_err(std::io::Error::other).and_then(|read| read);
        read.map_err(|error| unreadable(&doing, &error.to_string()))?;

        let Found { layers, config } = found.into_inner();
        let config =
            config.ok_or_else(|| unreadable(&doing, &format!("it holds no configuration {}", freight.config)))?;
        let ordered: Option<Vec<&LayerBlob>> = diff_ids.iter().map(|diff_id| layers.get(diff_id)).collect();
        let ordered = ordered.ok_or_else(|| unreadable(&doing, "a layer of the image is not in it"))?;
        self.put_blob(target, &config, credential).await?;
        let manifest = manifest(&config, &ordered);
        self.tag(target, &manifest, credential).await?;
        Ok(manifest.digest)
    }
}

/// What was found in the archive and is in the repository by now.
struct Found {
    layers: BTreeMap<Digest, LayerBlob>,
    config: Option<Vec<u8>>,
}

struct Writing<'a> {
    registry: &'a RegistryClient,
    target: &'a ImageRef,
    credential: &'a Credential,
    compression: Compression,
    tell: &'a dyn Fn(PushEvent),
    arrived: &'a dyn Fn(&Layer),
}

impl Writing<'_> {
    async fn parts(&self, mut parts: mpsc::Receiver<Part>, found: &RefCell<Found>) -> Result<(), ServiceError> {
        let mut uploads = FuturesUnordered::new();
        let mut open = true;
        while open || !uploads.is_empty() {
            let next = match open && uploads.len() < AT_ONCE {
                true => Either::Left(parts.recv()),
                false => Either::Right(std::future::pending()),
            };
            tokio::select! {
                Some(layer) = uploads.next() => {
                    let layer = layer?;
                    (self.tell)(PushEvent::LayerSent);
                    (self.arrived)(&layer);
                    found.borrow_mut().layers.insert(layer.diff_id, layer.blob);
                }
                part = next => match part {
                    Some(Part::Layer(layer)) => uploads.push(self.layer(layer)),
                    Some(Part::Config(config)) => found.borrow_mut().config = Some(config),
                    None => open = false,
                },
            }
        }
        Ok(())
    }

    async fn layer(&self, layer: Arriving) -> Result<Layer, ServiceError> {
        let total = layer.size;
        (self.tell)(PushEvent::LayerSending { sent: 0, total });
        let what = format!("a layer of {total} bytes");
        let heard = |_| (self.tell)(PushEvent::LayerSending { sent: total, total });
        let (digest, size) =
            self.registry.send_blocks(self.target, &what, layer.blocks, &heard, self.credential).await?;
        let diff_id = layer.diff_id.await;
        let diff_id = diff_id.map_err(|_| unreadable(&format!("push {}", self.target), "it broke off"))?;
        let media_type = match self.compression {
            Compression::Gzip { .. } => DOCKER_GZIP,
            Compression::Zstd { .. } => OCI_ZSTD,
        };
        Ok(Layer { diff_id, blob: LayerBlob { digest, size, media_type: media_type.to_owned() } })
    }
}

/// Hands the archive on to the thread that reads it; ends with either.
async fn pump(mut archive: Archive, pieces: mpsc::Sender<std::io::Result<Bytes>>) {
    while let Some(piece) = archive.next().await {
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

/// The manifest in Docker's form, as the daemon writes it, unless a layer has none there.
fn manifest(config: &[u8], layers: &[&LayerBlob]) -> Manifest {
    let docker = layers.iter().all(|layer| layer.media_type.ends_with("gzip"));
    let (media_type, config_type) = if docker { (DOCKER_MANIFEST, DOCKER_CONFIG) } else { (OCI_MANIFEST, OCI_CONFIG) };
    let entry = |layer: &&LayerBlob| {
        let media_type = match layer.media_type.as_str() {
            kind if docker && kind.ends_with("gzip") => DOCKER_GZIP,
            kind if kind.ends_with("gzip") => OCI_GZIP,
            kind => kind,
        };
        json!({ "mediaType": media_type, "size": layer.size, "digest": layer.digest })
    };
    let layers: Vec<Value> = layers.iter().map(entry).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": { "mediaType": config_type, "size": config.len(), "digest": Digest::of(config) },
        "layers": layers,
    });
    let bytes = manifest.to_string().into_bytes();
    Manifest { digest: Digest::of(&bytes), media_type: media_type.to_owned(), bytes }
}

fn unreadable(doing: &str, cause: &str) -> ServiceError {
    let cause = format!("the image that the engine handed out cannot be read: {cause}");
    ServiceError { failure: Failure::Unexpected, doing: doing.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(media_type: &str) -> LayerBlob {
        LayerBlob { digest: Digest::of(media_type.as_bytes()), size: 7, media_type: media_type.to_owned() }
    }

    #[test]
    fn one_form_for_all_layers() {
        let types = |layers: &[LayerBlob]| {
            let manifest = manifest(b"{}", &layers.iter().collect::<Vec<_>>());
            let document: Value = serde_json::from_slice(&manifest.bytes).unwrap();
            let layers = document["layers"].as_array().unwrap().iter();
            let layers: Vec<String> = layers.map(|layer| layer["mediaType"].as_str().unwrap().to_owned()).collect();
            (manifest.media_type, document["config"]["mediaType"].as_str().unwrap().to_owned(), layers)
        };
        let docker = types(&[blob(OCI_GZIP), blob(DOCKER_GZIP)]);
        assert_eq!(docker, (DOCKER_MANIFEST.into(), DOCKER_CONFIG.into(), vec![DOCKER_GZIP.into(); 2]));
        let oci = types(&[blob(DOCKER_GZIP), blob(OCI_ZSTD)]);
        assert_eq!(oci, (OCI_MANIFEST.into(), OCI_CONFIG.into(), vec![OCI_GZIP.into(), OCI_ZSTD.into()]));
    }
}
