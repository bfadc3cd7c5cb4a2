//! A git repository with a pipeline in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Call, LABEL, User};

/// A folder with a pipeline, and a git repository around it unless that was taken away.
pub struct Checkout<'a> {
    user: &'a User,
    root: PathBuf,
}

impl User {
    /// A git repository of these files, on the branch `main`, with one commit.
    pub fn checkout(&self, files: &[(&str, &str)]) -> Checkout<'_> {
        let checkout = self.folder_of("checkout", files);
        checkout.git(&["init", "--quiet", "--initial-branch=main"]);
        checkout.commit();
        checkout
    }

    /// A folder of these files without a git repository, as CodePipeline unpacks it.
    pub fn folder_of(&self, name: &str, files: &[(&str, &str)]) -> Checkout<'_> {
        let checkout = Checkout { user: self, root: self.at(name) };
        fs::create_dir_all(&checkout.root).unwrap();
        for (name, text) in files {
            checkout.write(name, text);
        }
        checkout
    }

    /// A Dockerfile of an image that is this user's own, with more lines after its label.
    pub fn dockerfile(&self, lines: &str) -> String {
        format!("FROM scratch\nLABEL {LABEL}={}\n{lines}", self.id)
    }
}

impl Checkout<'_> {
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        self.user.write(&self.at(name), text);
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_else(|error| panic!("cannot read `{name}`: {error}"))
    }

    /// Puts a static busybox into a folder of the checkout.
    pub fn add_busybox(&self, folder: &str) {
        let to = self.at(folder).join("busybox");
        fs::copy("/bin/busybox", to).expect("no /bin/busybox: run `make test`, which installs it");
    }

    /// The program under test, started at the top of the checkout.
    pub fn longshore(&self, arguments: &[&str]) -> Call {
        self.user.longshore(&self.root, arguments)
    }

    /// `longshore run --local` over the user's own data folder.
    pub fn run_local(&self, arguments: &[&str]) -> Call {
        self.longshore(&["run", "--local", "--data"]).arg(self.user.at("data")).args(arguments)
    }

    /// Commits everything there is.
    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "All there is"]);
    }

    /// The full hash of the commit that is checked out.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Runs git with an identity of its own and no configuration of the machine's.
    pub fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=Longshore", "-c", "user.email=test@example.com"];
        let git = self.user.program("git", &self.root).args(&identity).args(arguments);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").succeeds()
    }
}
