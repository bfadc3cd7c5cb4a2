//! What the daemon knows of an image that it holds.

use bollard::models::ImageHistoryResponseItem;

use super::{Docker, DockerAddress, failure};
use crate::execute::ports::{Anatomy, BuiltImage, Carriage, Failure, ServiceError};

/// Instructions that make no layer, as BuildKit writes them into the history; the classic builder writes `#(nop)`.
const NO_LAYER: [&str; 12] = [
    "ARG",
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
];

impl Docker {
    /// See [`Engine::carriage`](crate::execute::ports::Engine::carriage).
    pub(super) async fn find_carriage(&self) -> Result<Carriage, ServiceError> {
        let facts = self.look().await?;
        let graph_driver = !facts.containerd_store && !facts.podman && facts.os == "linux";
        let near = matches!(self.address, DockerAddress::Socket(_) | DockerAddress::Pipe(_));
        Ok(Carriage { seeds: graph_driver, hands_out: graph_driver, near })
    }

    /// See [`Engine::anatomy`](crate::execute::ports::Engine::anatomy).
    pub(super) async fn look_at_image(&self, image: &BuiltImage) -> Result<Option<Anatomy>, ServiceError> {
        let facts = self.look().await?;
        // There the id is that of a manifest, and the layers are compressed already.
        if facts.containerd_store {
            return Ok(None);
        }
        let doing = format!("look at image `{}`", image.id);
        let failed = |error: &bollard::errors::Error| match failure::daemon_words(error) {
            Some(words) => ServiceError { failure: Failure::Unexpected, doing: doing.clone(), cause: words.to_owned() },
            None => failure::unreachable(&self.address, &doing, error),
        };
        let (found, history) =
            tokio::try_join!(self.client.inspect_image(&image.id), self.client.image_history(&image.id))
                .map_err(|error| failed(&error))?;
        let layers = found.root_fs.and_then(|root| root.layers).unwrap_or_default();
        let Ok(diff_ids) = layers.iter().map(|layer| layer.parse()).collect::<Result<Vec<_>, _>>() else {
            return Ok(None);
        };
        let sizes = sizes(&history, diff_ids.len());
        let size = found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        Ok(Some(Anatomy { diff_ids, size, sizes }))
    }
}

/// The sizes of the layers, if it can be told which steps of the history made one; they come newest first.
fn sizes(history: &[ImageHistoryResponseItem], layers: usize) -> Option<Vec<u64>> {
    let size = |item: &ImageHistoryResponseItem| u64::try_from(item.size).unwrap_or(0);
    let makes_layer = |item: &&ImageHistoryResponseItem| {
        let first = item.created_by.split_whitespace().next().unwrap_or_default();
        let idle = NO_LAYER.contains(&first) || first == "VOLUME";
        size(item) > 0 || !(idle || item.created_by.contains("#(nop)"))
    };
    let sizes: Vec<u64> = history.iter().rev().filter(makes_layer).map(size).collect();
    (sizes.len() == layers).then_some(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_layers() {
        let item = |created_by: &str, size| ImageHistoryResponseItem {
            created_by: created_by.to_owned(),
            size,
            ..ImageHistoryResponseItem::default()
        };
        let history = [
            item("LABEL a=b", 0),
            item("WORKDIR /x", 0),
            item("COPY deps /deps # buildkit", 60),
            item("/bin/sh -c #(nop)  CMD [\"x\"]", 0),
            item("/bin/sh -c #(nop) ADD file:1 in / ", 250),
        ];
        assert_eq!(sizes(&history, 3), Some(vec![250, 60, 0]));
        assert_eq!(sizes(&history, 2), None, "what is not understood is not guessed");
    }
}
