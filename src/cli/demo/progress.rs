//! What the demo is doing: a line for each step on stderr, and how long each took.

use std::future::Future;

use serde::Serialize;
use tokio::time::Instant;

/// The steps taken so far.
pub(super) struct Progress {
    begun: Instant,
    steps: Vec<Step>,
}

/// A step that was taken.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    name: &'static str,
    seconds: f64,
}

impl Progress {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), steps: Vec::new() }
    }

    /// Takes a step and says so.
    pub(super) async fn step<T>(
        &mut self,
        name: &'static str,
        step: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let begun = Instant::now();
        let number = self.steps.len() + 1;
        let done = step.await.map_err(|error| error.context(format!("step {number} failed: {name}")))?;
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("{number:2}. {name} ({seconds:.2} s)");
        self.steps.push(Step { name, seconds });
        Ok(done)
    }

    /// How long everything took, and the steps.
    pub(super) fn end(self) -> (f64, Vec<Step>) {
        (self.begun.elapsed().as_secs_f64(), self.steps)
    }
}
