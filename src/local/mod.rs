//! A small ECR on loopback: the control plane and the registry on one port, with one store behind both.
//!
//! It behaves as Amazon ECR is documented and observed to behave where that differs from a plain registry. What it
//! only remembers: encryption, repository policies, which images are signed; what scans find stands in a script. The
//! control plane accepts every signature of a request.

#![expect(clippy::disallowed_methods, reason = "this room is a server: it has its own disk, clock and network")]

mod api;
mod clock;
mod ecr;
mod faults;
mod front;
mod later;
mod lock;
mod log;
mod mutability;
mod operation;
mod refusal;
mod registry;
mod replicate;
mod replication;
mod scanning;
mod script;
mod serve;
mod settings;
mod signing;
mod store;
mod templates;
mod token;
mod wildcard;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use faults::{Answer, Deed, Fault, FileError, Lie, Moment, Nth, ecr_quotas};
pub use settings::{Beside, DEFAULT_PORT, Settings, StartError};

use crate::names::{Region, RegistryHost};
use clock::Clock;
use ecr::Ecr;
use faults::Faults;
use lock::Lock;
use log::Log;
use replicate::Replicator;
use script::Script;
use signing::Signer;
use store::{Kept, Store};
use token::Tokens;

/// How long requests under way may go on after [`Server::stop`].
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that is running. Dropping it stops it too, without waiting for what is under way.
pub struct Server {
    ecr: Arc<Ecr>,
    stop: watch::Sender<()>,
    serving: JoinHandle<()>,
    /// Those that stand beside it.
    beside: Vec<Server>,
    _lock: Lock,
}

impl Server {
    /// Starts serving in a task of its own.
    ///
    /// # Errors
    /// If the data folder or the port cannot be had.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let mut beside = Vec::with_capacity(settings.beside.len());
        for other in &settings.beside {
            let account = other.account.clone().unwrap_or_else(|| settings.account.clone());
            let data = settings.data.join("beside").join(format!("{account}-{}", other.region));
            let (region, port) = (other.region.clone(), Some(other.port.unwrap_or(0)));
            let settings = Settings { data, port, account, region, beside: Vec::new(), ..settings.clone() };
            beside.push(Server::start_one(settings, true).await?);
        }
        let first = Server::start_one(settings, false).await?;
        let all: Vec<_> = std::iter::once(&first).chain(&beside).map(|server| Arc::downgrade(&server.ecr)).collect();
        std::iter::once(&first).chain(&beside).for_each(|server| server.ecr.replicator.meet(all.clone()));
        Ok(Server { beside, ..first })
    }

    async fn start_one(settings: Settings, is_beside: bool) -> Result<Self, StartError> {
        let data = settings.data.clone();
        let failed = |cause| StartError::Data { data: data.clone(), cause };
        std::fs::create_dir_all(&data).map_err(failed)?;
        let log = settings
            .log
            .as_deref()
            .map(|path| Log::open(path).map_err(|cause| StartError::Log { path: path.to_owned(), cause }));
        let log = log.transpose()?;
        let script = Script::open(settings.scans.clone())
            .map_err(|cause| StartError::Scans { path: settings.scans.clone().unwrap_or_default(), cause })?;
        let mut lock = Lock::take(&data)?;
        let (listener, host) = listen(settings.port).await?;
        let (replicator, to_replicate) = Replicator::new();
        let (signer, to_sign) = Signer::new();
        let open = {
            let data = data.clone();
            move || {
                Ok(Ecr {
                    store: Store::open(&data, settings.account.clone())?,
                    scanning: Kept::open(data.join("scanning.json"))?,
                    script,
                    templates: Kept::open(data.join("templates.json"))?,
                    replication: Kept::open(data.join("replication.json"))?,
                    replicator,
                    signing: Kept::open(data.join("signing.json"))?,
                    signer,
                    is_beside,
                    tokens: Tokens::open(&data.join("key"))?,
                    account: settings.account,
                    region: settings.region,
                    host,
                    blob_mounting: settings.blob_mounting,
                    clock: Clock::default(),
                    log,
                    faults: Faults::new(settings.faults),
                })
            }
        };
        let opened = tokio::task::spawn_blocking(open).await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        let ecr = Arc::new(opened.map_err(failed)?);
        lock.announce(&ecr.endpoint()).map_err(failed)?;

        // It also ends when the server is dropped, which closes the channel.
        let (stop, stopped) = watch::channel(());
        let (replicating, signing) = (Arc::clone(&ecr), Arc::clone(&ecr));
        let replicate = move |errand| replicate::replicate(Arc::clone(&replicating), errand);
        tokio::spawn(to_replicate.run(stopped.clone(), replicate));
        tokio::spawn(to_sign.run(stopped.clone(), move |errand| signing::sign(Arc::clone(&signing), errand)));
        let serving = tokio::spawn(serve::serve(listener, Arc::clone(&ecr), stopped));
        Ok(Server { ecr, stop, serving, beside: Vec::new(), _lock: lock })
    }

    /// The host under which images are pushed, as in `127.0.0.1:5010`.
    pub fn host(&self) -> &RegistryHost {
        &self.ecr.host
    }

    /// The region that it plays.
    pub fn region(&self) -> &Region {
        &self.ecr.region
    }

    /// The address of the control plane, as in `http://127.0.0.1:5010`.
    pub fn endpoint(&self) -> String {
        self.ecr.endpoint()
    }

    /// What a user exports to have the AWS tools and Longshore talk to this server, with credentials that open
    /// nothing else.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("AWS_ENDPOINT_URL_ECR", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_REGION", self.ecr.region.to_string()),
            ("AWS_DEFAULT_REGION", self.ecr.region.to_string()),
        ];
        let beside: Vec<&str> = self.beside.iter().map(|server| server.host().as_str()).collect();
        if !beside.is_empty() {
            all.push(("LONGSHORE_BESIDE", beside.join(" ")));
        }
        all.push(("LONGSHORE_REGISTRY", self.host().to_string()));
        all
    }

    /// Those that stand beside it, in the order of the settings.
    pub fn beside(&self) -> &[Server] {
        &self.beside
    }

    /// The account and the region that it plays, as in `123456789012/us-east-1`.
    pub fn place(&self) -> String {
        self.ecr.place().to_string()
    }

    /// Puts the server's clock forward, so that tokens expire at once.
    pub fn advance(&self, time: Duration) {
        self.ecr.clock.advance(time);
    }

    /// Arms these faults in place of those that it has; every count begins anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.ecr.faults.replace(faults);
    }

    /// Takes no more requests, waits a little for those under way, and lets go of the data folder.
    pub async fn stop(self) {
        for other in self.beside {
            Box::pin(other.stop()).await;
        }
        // An error means that serving has ended already.
        let _ = self.stop.send(());
        let abort = self.serving.abort_handle();
        if tokio::time::timeout(PATIENCE, self.serving).await.is_err() {
            abort.abort();
        }
    }
}

async fn listen(port: Option<u16>) -> Result<(TcpListener, RegistryHost), StartError> {
    let wanted = port.unwrap_or(DEFAULT_PORT);
    let bound = match TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match port {
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
            Some(port) => return Err(StartError::PortTaken { port }),
        },
        bound => bound,
    };
    let listener = bound.map_err(|cause| StartError::Listen { cause })?;
    let address = listener.local_addr().map_err(|cause| StartError::Listen { cause })?;
    let host = address.to_string().parse().map_err(|error| StartError::Listen { cause: io::Error::other(error) })?;
    Ok((listener, host))
}
