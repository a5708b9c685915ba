//! Where the `anvil` program is: on the machine already, or fetched once with npm.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use anyhow::{Context as _, Result, bail, ensure};

/// Where fetched tools are kept, below the working directory.
pub const TOOLS_DIR: &str = "target/tools";

const PACKAGE: &str = "@foundry-rs/anvil";
const VERSION: &str = "1.7.1";

/// Finds the native `anvil` program: on `PATH`, else in `tools`, where npm puts it if it is not there.
///
/// Scripts on `PATH` are passed over: the wrapper that npm installs does not end its child. Callers in
/// several threads or processes wait for each other. Blocks; takes seconds the first time.
///
/// # Errors
/// When the platform has no such program, or npm is missing or fails; the text says what to do.
pub fn anvil_binary(tools: &Path) -> Result<PathBuf> {
    if let Some(found) = on_path() {
        return Ok(found);
    }
    let package = format!("{PACKAGE}-{}-{}", platform()?, architecture()?);
    let home = tools.join("node_modules").join(package);
    fs::create_dir_all(tools).with_context(|| format!("cannot make {}", tools.display()))?;
    let lock = File::create(tools.join(".lock")).context("cannot make the lock of the tools")?;
    // Freed when it is dropped, whatever happens.
    lock.lock().context("cannot lock the tools")?;
    if !is_installed(&home) {
        install(tools)?;
        ensure!(is_installed(&home), "npm did not put {VERSION} of anvil into {}", home.display());
    }
    let binary = home.join("bin").join("anvil");
    binary.canonicalize().with_context(|| format!("there is no program at {}", binary.display()))
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join("anvil")).find(|file| is_native(file).unwrap_or(false))
}

/// Whether it is a program and no script.
fn is_native(file: &Path) -> io::Result<bool> {
    let mut start = [0; 2];
    File::open(file)?.read_exact(&mut start)?;
    Ok(start != *b"#!")
}

/// Whether the package is there in the version that is wanted.
fn is_installed(home: &Path) -> bool {
    let wanted = format!("\"version\": \"{VERSION}\"");
    fs::read_to_string(home.join("package.json")).is_ok_and(|json| json.contains(&wanted))
}

fn install(tools: &Path) -> Result<()> {
    log::info!(package = PACKAGE, version = VERSION; "installing a tool with npm");
    // The platform's package is all we need; the script that would link it is skipped.
    let output = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(tools)
        .arg(format!("{PACKAGE}@{VERSION}"))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("neither anvil nor npm is on PATH: install Foundry (getfoundry.sh) or Node.js with npm")
        }
        Err(error) => return Err(error).context("npm cannot be started"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "npm cannot install {PACKAGE}@{VERSION}: {}", said.trim());
    Ok(())
}

fn platform() -> Result<&'static str> {
    match env::consts::OS {
        "linux" => Ok("linux"),
        "macos" => Ok("darwin"),
        other => bail!("there is no anvil for {other} in npm: put one on PATH"),
    }
}

fn architecture() -> Result<&'static str> {
    match env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("there is no anvil for {other} in npm: put one on PATH"),
    }
}
