//! What a server holds, as other clients see it.

use std::fs;

use serde_json::Value;

use super::{Call, LocalServer, User};

/// An image by what follows the user's own name in its reference, as in `-web:v1` for `UNIQUE-web:v1`.
impl LocalServer {
    fn aws(&self, user: &User, arguments: &[&str]) -> Call {
        let endpoint = format!("http://{}", self.host());
        self.env(user.program("aws", &user.at("home"))).args(&["--endpoint-url", &endpoint, "ecr"]).args(arguments)
    }

    fn skopeo(&self, user: &User, command: &str, more: &[&str], image: &str) -> Call {
        let password = self.aws(user, &["get-login-password"]).succeeds();
        let credential = format!("AWS:{}", password.trim());
        let reference = format!("docker://{}/{}{image}", self.host(), user.unique());
        let skopeo = user.program("skopeo", &user.at("home")).args(more).arg(command);
        let tls = if command == "copy" { "--src-tls-verify=false" } else { "--tls-verify=false" };
        let credentials = if command == "copy" { "--src-creds" } else { "--creds" };
        skopeo.args(&[tls, credentials, &credential, &reference])
    }

    /// The manifest or index as the registry keeps it.
    pub fn raw(&self, user: &User, image: &str) -> Value {
        let printed = self.skopeo(user, "inspect", &[], image).arg("--raw").succeeds();
        serde_json::from_str(&printed).unwrap()
    }

    /// The text of a file in the last layer of an image, as who pulls it for this architecture gets it.
    pub fn file_of(&self, user: &User, image: &str, architecture: &str, file: &str) -> String {
        let folder = user.at(&format!("pulled-{architecture}"));
        let _ = fs::remove_dir_all(&folder);
        let pull = self.skopeo(user, "copy", &["--override-arch", architecture], image);
        pull.arg(format!("dir:{}", folder.display())).succeeds();
        let manifest: Value = serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        let layer = layers.last().unwrap()["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
        user.program("tar", &folder).args(&["-xzOf", &layer, file]).succeeds()
    }
}
