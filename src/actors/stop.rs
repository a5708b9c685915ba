//! The end of the broker, told to everybody who serves clients.

use tokio::sync::watch;

/// How far the end has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Not at all.
    #[default]
    Serving,
    /// Nothing more is taken; what was taken is answered.
    Stopping,
    /// The time for answers is over.
    Leaving,
}

/// Whether the broker is stopping. It never goes back to serving.
#[derive(Debug, Default)]
pub struct Stop(watch::Sender<Stage>);

impl Stop {
    /// From here on nothing more is taken.
    pub fn begin(&self) {
        self.reach(Stage::Stopping);
    }

    /// From here on nobody waits for answers either.
    pub fn leave(&self) {
        self.reach(Stage::Leaving);
    }

    /// Whether nothing more is taken.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow() >= Stage::Stopping
    }

    /// Waits until nothing more is taken.
    pub fn begun(&self) -> impl Future<Output = ()> + 'static {
        self.reached(Stage::Stopping)
    }

    /// Waits until the time for answers is over.
    pub fn left(&self) -> impl Future<Output = ()> + 'static {
        self.reached(Stage::Leaving)
    }

    fn reach(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let is_later = *now < stage;
            *now = stage.max(*now);
            is_later
        });
    }

    fn reached(&self, stage: Stage) -> impl Future<Output = ()> + 'static {
        let mut watched = self.0.subscribe();
        async move {
            // Who is never told, because nobody is there to tell, waits for ever.
            if watched.wait_for(|now| *now >= stage).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
