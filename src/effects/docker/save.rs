//! An image out of the daemon.

use futures_util::StreamExt as _;

use super::Docker;
use crate::execute::ports::{Archive, BuiltImage};

impl Docker {
    /// See [`Engine::hand_out`](crate::execute::ports::Engine::hand_out).
    pub(super) fn save_image(&self, image: &BuiltImage) -> Archive {
        Box::pin(self.client.export_image(&image.id).map(|piece| piece.map_err(std::io::Error::other)))
    }

    /// Whether the daemon has an image under this name; see [`Engine::holds`](crate::execute::ports::Engine::holds).
    pub(super) async fn has_image(&self, name: &str) -> bool {
        self.client.inspect_image(name).await.is_ok()
    }
}
