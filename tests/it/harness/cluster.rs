//! A PostgreSQL cluster of a test's own, for what the one that all tests share must not go through: restarts.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{interval, timeout};

/// Longer than a cluster takes to start, also after a crash.
const START: Duration = Duration::from_secs(60);

/// How a cluster is told to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    /// In order: sessions are ended, what was not committed is taken back.
    Fast,
    /// By SIGKILL, as if it had crashed.
    Kill,
}

#[derive(Debug)]
pub(crate) struct Cluster {
    /// Listens on a socket in here, and nowhere else.
    directory: TempDir,
    postmaster: Mutex<Option<Child>>,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        if let Some(user) = user_instead_of_root() {
            chown(directory.path(), Some(id(&["-u", user])), Some(id(&["-g", user]))).unwrap();
        }
        let cluster = Self { directory, postmaster: Mutex::new(None) };
        let data = cluster.data();
        let made = tokio::task::spawn_blocking({
            let mut initdb = cluster.program("initdb");
            initdb.arg("--pgdata").arg(data).args(["--username", "clearnet", "--auth", "trust"]);
            initdb.args(["--encoding", "UTF8", "--no-locale", "--no-sync"]);
            move || initdb.output()
        });
        let made = made.await.unwrap().unwrap();
        assert!(made.status.success(), "{made:?}");
        cluster.revive().await;
        cluster
    }

    /// Stops the cluster and starts it again on the same data.
    pub(crate) async fn restart(&self, stop: Stop) {
        self.stop(stop);
        self.revive().await;
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://clearnet@localhost/postgres?host={}", self.directory.path().display())
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A program of PostgreSQL, under a user that it takes; it dies with the thread of the test.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(user) = user_instead_of_root() {
            command.args(["--reuid", user, "--regid", &id(&["-g", user]).to_string(), "--clear-groups"]);
        }
        command.arg("--").arg(name).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    /// Starts the cluster and waits until it takes sessions.
    async fn revive(&self) {
        let until_up = async {
            let mut ticks = interval(Duration::from_millis(50));
            loop {
                ticks.tick().await;
                // One that was killed may have left sessions, which it does not start beside.
                if self.has_ended() {
                    self.spawn();
                }
                if super::database::try_connect(self.url()).await.is_ok() {
                    return;
                }
            }
        };
        let log = self.directory.path().join("log");
        timeout(START, until_up).await.unwrap_or_else(|_| panic!("{:?}", fs::read_to_string(log)));
    }

    fn spawn(&self) {
        let log = File::options().create(true).append(true).open(self.directory.path().join("log")).unwrap();
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(self.data()).stdout(log.try_clone().unwrap()).stderr(log);
        let sockets = format!("unix_socket_directories={}", self.directory.path().display());
        for setting in ["listen_addresses=", &sockets, "fsync=off"] {
            postgres.args(["-c", setting]);
        }
        *self.postmaster.lock().unwrap() = Some(postgres.spawn().unwrap());
    }

    fn has_ended(&self) -> bool {
        let mut postmaster = self.postmaster.lock().unwrap();
        postmaster.as_mut().is_none_or(|postmaster| postmaster.try_wait().unwrap().is_some())
    }

    /// Ends the cluster and returns when it is dead.
    fn stop(&self, stop: Stop) {
        let Some(mut postmaster) = self.postmaster.lock().unwrap().take() else { return };
        match stop {
            Stop::Fast => {
                let told = Command::new("kill").args(["-INT", &postmaster.id().to_string()]).status();
                assert!(told.unwrap().success());
            }
            Stop::Kill => postmaster.kill().unwrap(),
        }
        postmaster.wait().unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop(Stop::Fast);
    }
}

/// Whom PostgreSQL runs as, which refuses root; none when this is not root.
fn user_instead_of_root() -> Option<&'static str> {
    let has_user =
        || fs::read_to_string("/etc/passwd").unwrap().lines().any(|it| it.starts_with("postgres:"));
    let is_root = id(&["-u"]) == 0;
    is_root.then(|| if has_user() { "postgres" } else { "nobody" })
}

/// What `id` says.
fn id(arguments: &[&str]) -> u32 {
    let said = Command::new("id").args(arguments).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().parse().unwrap()
}
