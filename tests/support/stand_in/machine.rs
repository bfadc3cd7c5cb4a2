//! What has to be changed on the machine so that a host name of AWS means a registry on loopback; undone when dropped.

use std::fs::File;
use std::path::{Path, PathBuf};

const HOSTS: &str = "/etc/hosts";
const MARK: &str = "# longshore stand-in";
const CERTIFICATES: &str = "/etc/docker/certs.d";

/// One stand-in at a time on this machine, also among processes.
pub fn only_one() -> File {
    let path = std::env::temp_dir().join("longshore-stand-in.lock");
    let file = File::options().create(true).truncate(false).write(true).open(path).unwrap();
    file.lock().unwrap();
    file
}

/// A line in `/etc/hosts`. What a killed run left behind is taken away first.
pub struct HostName(());

impl HostName {
    /// Lets a name mean an address.
    pub fn point(host: &str, address: &str) -> Self {
        let others = without_marked_lines();
        let newline = if others.is_empty() || others.ends_with('\n') { "" } else { "\n" };
        write_hosts(&format!("{others}{newline}{address} {host} {MARK}\n"));
        HostName(())
    }
}

impl Drop for HostName {
    fn drop(&mut self) {
        write_hosts(&without_marked_lines());
    }
}

fn without_marked_lines() -> String {
    let text = std::fs::read_to_string(HOSTS).unwrap();
    text.split_inclusive('\n').filter(|line| !line.contains(MARK)).collect()
}

/// In place, because in a container the file is a mount that no other can take the place of.
fn write_hosts(text: &str) {
    std::fs::write(HOSTS, text).unwrap();
}

/// A certificate authority that the Docker daemon trusts for one registry.
pub struct Trust {
    /// The folders that were made for it, innermost first.
    made: Vec<PathBuf>,
    file: PathBuf,
}

impl Trust {
    /// Puts the authority's certificate where dockerd, and Longshore's own registry client, look for it.
    pub fn install(host: &str, authority: &Path) -> Self {
        let folder = Path::new(CERTIFICATES).join(host);
        let made = folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("ca.crt");
        std::fs::copy(authority, &file).unwrap();
        Trust { made, file }
    }
}

impl Drop for Trust {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
        // A folder that somebody else uses by now is not empty, and stays.
        for folder in &self.made {
            let _ = std::fs::remove_dir(folder);
        }
    }
}
