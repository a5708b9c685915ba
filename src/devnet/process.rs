//! A program as a child process, which never outlives its parent.
//!
//! The child is started by a shell that holds the other end of a pipe from us and kills the child when
//! the pipe closes: when we say so, and when we die in whatever way, `kill -9` included. The kernel's
//! signal at the death of a parent would come too early: it follows the thread that started the child, and
//! tests and runtimes end threads all the time.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, anyhow};
use tokio::sync::oneshot;

/// Runs the program in `$@` until standard input ends, and hands on the signals that are named there. The program's output is the shell's, which keeps none
/// of it open, so that the reader sees when the program ends.
const SHELL: &str = r#""$@" </dev/null 2>&1 & child=$!; exec >/dev/null 2>&1; while read -r signal; do kill "-$signal" $child; done; kill -9 $child; wait $child"#;

/// How much output is kept to explain a failed start.
const LINES_KEPT: usize = 20;

/// How variables begin that would change what a broker of ours is configured to be.
const OUR_VARIABLES: &str = "CLEARNET__";

/// The shell that keeps a program, and the thread that reads what it prints. Ends the program when dropped.
#[derive(Debug)]
pub(super) struct Process {
    leash: Option<ChildStdin>,
    reader: Option<JoinHandle<Option<ExitStatus>>>,
    /// Comes when the program's output has ended.
    silence: Option<oneshot::Receiver<()>>,
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    /// Starts a program with these variables beside our own, and hears each line that it prints, on stderr too, until it ends. What `hear` first makes
    /// of one is for the receiver, which learns as well when nothing will come.
    pub(super) fn spawn<T: Send + 'static>(
        command_line: &[&OsStr],
        variables: &[(&str, &str)],
        hear: impl FnMut(&str) -> Option<T> + Send + 'static,
    ) -> Result<(Self, oneshot::Receiver<T>)> {
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "sh"]).args(command_line);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(OUR_VARIABLES))
        {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A Ctrl-C is for us; we end the child when we are done.
        command.process_group(0);
        let mut child = command.spawn().context("sh cannot be started")?;
        let leash = child.stdin.take();
        let output = child.stdout.take().context("the output of a child is not piped")?;
        let (heard, hears) = oneshot::channel();
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let reader = thread::Builder::new().name("child".to_owned());
        let (silent, silence) = oneshot::channel();
        let reader = reader.spawn(move || {
            read(output, hear, heard, &kept);
            // Whoever does not wait for it needs no word.
            let _ = silent.send(());
            bury(child)
        })?;
        Ok((Self { leash, reader: Some(reader), silence: Some(silence), lines }, hears))
    }

    /// Sends the program a signal, by its short name.
    ///
    /// # Errors
    /// When the shell that keeps the program is gone.
    pub(super) fn signal(&mut self, name: &str) -> Result<()> {
        let leash = self.leash.as_mut().context("the program was let go")?;
        writeln!(leash, "{name}").context("the shell that keeps the program is gone")
    }

    /// Waits until the program has ended by itself; its exit code, above 128 when a signal ended it.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub(super) async fn ended(mut self) -> Result<i32> {
        let silence = self.silence.take().context("the program was waited for before")?;
        silence.await.context("the output of the program was given up")?;
        self.leash = None;
        let reader = self.reader.take().context("the program was waited for before")?;
        let status = tokio::task::spawn_blocking(move || reader.join()).await?;
        status.ok().flatten().and_then(|status| status.code()).context("the program's end is not known")
    }

    /// Kills the program and returns when it is dead. Blocks for milliseconds.
    pub(super) fn kill(mut self) {
        self.leash = None;
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has nothing left to wait for.
            let _ = reader.join();
        }
    }

    /// An error with the last lines of output.
    pub(super) fn failure(&self, what: &'static str) -> anyhow::Error {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let said: Vec<&str> = lines.iter().map(String::as_str).collect();
        anyhow!("{}", said.join("\n")).context(what)
    }
}

/// Reads what the program prints, so that it never waits for a reader.
fn read<T>(
    output: ChildStdout,
    mut hear: impl FnMut(&str) -> Option<T>,
    heard: oneshot::Sender<T>,
    kept: &Mutex<VecDeque<String>>,
) {
    let mut heard = Some(heard);
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(said) = hear(&line)
            && let Some(heard) = heard.take()
        {
            // Whoever waited may have given up.
            let _ = heard.send(said);
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    // Without it, who waits learns that nothing will come.
    drop(heard);
}

/// Waits until the shell has ended, and takes its exit code, which is that of the program.
fn bury(mut child: Child) -> Option<ExitStatus> {
    child.wait().inspect_err(|error| log::warn!(error:%; "the shell of a child cannot be waited for")).ok()
}
