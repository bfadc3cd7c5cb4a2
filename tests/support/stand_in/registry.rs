//! Debian's docker-registry with TLS and a password, as the data plane.

use std::net::TcpStream;
use std::path::{Path, PathBuf};

use super::program::{Service, program, run};

/// The registry, at port 443 of a loopback address of its own.
pub struct Registry {
    service: Service,
    /// The certificate of the authority that signed the registry's.
    pub authority: PathBuf,
}

impl Registry {
    /// Starts an empty registry that keeps everything in a folder, and waits until it listens.
    pub fn start(host: &str, address: &str, password: &str, folder: &Path) -> Self {
        let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
        sign_certificate(host, folder);
        // Its cheapest cost: the registry checks the password on every request.
        let users = run(program("htpasswd").args(["-B", "-C", "4", "-b", "-n", "AWS", password]));
        std::fs::write(at("htpasswd"), users).unwrap();
        let configuration = serde_json::json!({
            "version": "0.1",
            "storage": { "filesystem": { "rootdirectory": at("blobs") } },
            "http": {
                "addr": format!("{address}:443"),
                "tls": { "certificate": at("registry.crt"), "key": at("registry.key") },
            },
            "auth": { "htpasswd": { "realm": "ecr", "path": at("htpasswd") } },
        });
        // JSON is YAML.
        std::fs::write(at("registry.yml"), configuration.to_string()).unwrap();
        let mut service =
            Service::start("docker-registry", &["serve", &at("registry.yml")], folder.join("registry.log"));
        service.wait_for(|_| TcpStream::connect((address, 443)).ok());
        Registry { service, authority: folder.join("authority.crt") }
    }

    /// How many blobs were uploaded so far, as its access log tells.
    pub fn uploads(&self) -> usize {
        let log = self.service.log();
        let finished = log.lines().filter(|line| line.contains("\"PUT /v2/") && line.contains("/blobs/uploads/"));
        finished.filter(|line| line.contains("HTTP/1.1\" 201") || line.contains("HTTP/2.0\" 201")).count()
    }
}

/// Makes an authority, and a certificate for the host that is signed by it.
fn sign_certificate(host: &str, folder: &Path) {
    let configuration = format!(
        "[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = Longshore stand-in\n\
         [authority]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n\
         [registry]\nbasicConstraints = critical, CA:FALSE\nextendedKeyUsage = serverAuth\n\
         subjectAltName = DNS:{host}\n"
    );
    std::fs::write(folder.join("openssl.cnf"), configuration).unwrap();
    let sign = |name: &str, by: &[&str]| {
        let mut command = program("openssl");
        command.current_dir(folder).args(["req", "-x509", "-config", "openssl.cnf", "-days", "2", "-noenc"]);
        command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-extensions", name]);
        command.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.crt")]).args(by);
        run(&mut command);
    };
    sign("authority", &[]);
    sign("registry", &["-subj", "/CN=registry", "-CA", "authority.crt", "-CAkey", "authority.key"]);
}
