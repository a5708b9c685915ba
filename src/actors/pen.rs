//! What every author keeps of its dealings with the journal.
//!
//! Numbers commits, remembers what waits for each, and counts what others post. Decides nothing.

use std::collections::{BTreeMap, VecDeque};

use domain::ledger::AccountKey;
use thiserror::Error;

use super::journal::{
    Author, Commit, Incarnation, JournalClosed, JournalHandle, PostedAccount, Registered, Ticket,
};

/// One incarnation's way to write. `W` is what waits until a commit is durable.
#[derive(Debug)]
pub struct Pen<W> {
    journal: JournalHandle,
    author: Author,
    incarnation: Incarnation,
    last: Ticket,
    waiting: VecDeque<(Ticket, W)>,
    credit_nos: BTreeMap<AccountKey, u64>,
}

/// Postings were missed: the incarnation cannot vouch for its memory any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("posting {found} on {account} follows {known}")]
pub struct PostingGap {
    /// The account.
    pub account: AccountKey,
    /// The last posting that was applied.
    pub known: u64,
    /// The one that came.
    pub found: u64,
}

impl<W> Pen<W> {
    /// Begins with what was registered.
    #[must_use]
    pub fn new(journal: JournalHandle, author: Author, registered: &Registered) -> Self {
        let accounts = registered.stored.accounts.iter();
        Self {
            journal,
            author,
            incarnation: registered.incarnation,
            last: Ticket(0),
            waiting: VecDeque::new(),
            credit_nos: accounts.map(|row| (row.key, row.credit_no)).collect(),
        }
    }

    /// The incarnation to name where this author prepares for others.
    #[must_use]
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The journal this pen writes in.
    #[must_use]
    pub const fn journal(&self) -> &JournalHandle {
        &self.journal
    }

    /// The next commit, still empty.
    #[must_use]
    pub const fn begin(&self) -> Commit {
        Commit::new(self.author, self.incarnation, Ticket(self.last.0 + 1))
    }

    /// Hands over the commit that was begun last and remembers what waits for it.
    ///
    /// # Errors
    /// [`JournalClosed`]: nothing was taken, and the author must end.
    pub fn hand_over(&mut self, commit: Commit, waits: W) -> Result<(), JournalClosed> {
        let ticket = commit.ticket;
        if let Some((permit, _)) = &commit.answer {
            let key = permit.key();
            log::debug!(owner:% = self.author, participant:% = key.signer, request_id:% = key.id; "decided");
        }
        self.journal.hand_over(commit)?;
        self.last = ticket;
        self.waiting.push_back((ticket, waits));
        Ok(())
    }

    /// Remembers what waits until everything that was handed over is durable; gives it back when it is.
    pub fn wait_for_last(&mut self, waits: W) -> Option<W> {
        if self.is_quiet() {
            return Some(waits);
        }
        self.waiting.push_back((self.last, waits));
        None
    }

    /// What waited for the commits up to `upto`, in their order.
    pub fn durable(&mut self, upto: Ticket) -> Vec<W> {
        let count = self.waiting.iter().take_while(|(ticket, _)| *ticket <= upto).count();
        self.waiting.drain(..count).map(|(_, waits)| waits).collect()
    }

    /// What waited for one commit that is lost while the author lives on, as the supervisor does.
    pub fn lost(&mut self, ticket: Ticket) -> Option<W> {
        let place = self.waiting.iter().position(|(waiting, _)| *waiting == ticket)?;
        self.waiting.remove(place).map(|(_, waits)| waits)
    }

    /// Whether a posting is to be applied: the next one is, an older one is not.
    ///
    /// # Errors
    /// [`PostingGap`]: the author must end and be rebuilt.
    pub fn counts(&mut self, posted: &PostedAccount) -> Result<bool, PostingGap> {
        let known = self.credit_nos.entry(posted.account).or_default();
        if posted.credit_no > *known + 1 {
            return Err(PostingGap { account: posted.account, known: *known, found: posted.credit_no });
        }
        let is_next = posted.credit_no == *known + 1;
        *known = posted.credit_no.max(*known);
        Ok(is_next)
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Ends the incarnation; only when nothing is in flight.
    pub fn leave(&self) {
        // A journal that is gone has ended every incarnation already.
        let _closed = self.journal.leave(self.author, self.incarnation);
    }
}

#[cfg(test)]
mod tests {
    use domain::ledger::OwnerId;
    use domain::primitives::{Address, ChainId, Timestamp, Token};

    use super::super::journal::JournalActor;
    use super::*;
    use crate::store::MemoryStore;

    fn posted(credit_no: u64) -> PostedAccount {
        let token = Token { chain_id: ChainId::new(1), address: Address::ZERO };
        let account = AccountKey::wallet(Address::ZERO, token);
        PostedAccount { account, credit_no, postings: Vec::new() }
    }

    #[actix::test]
    async fn applies_the_next_posting_ignores_older_ones_and_stops_at_a_gap() {
        let store = std::sync::Arc::new(MemoryStore::new());
        let journal = JournalActor::open(store, Address::ZERO, Timestamp::from_millis(0)).await.unwrap();
        let author = Author::Owner(OwnerId::Participant(Address::ZERO));
        let (registered, _told) = journal.register(author).await.unwrap();
        let mut pen: Pen<u8> = Pen::new(journal, author, &registered);
        assert_eq!(pen.counts(&posted(1)), Ok(true));
        assert_eq!(pen.counts(&posted(1)), Ok(false));
        assert_eq!(pen.counts(&posted(2)), Ok(true));
        let gap = PostingGap { account: posted(4).account, known: 2, found: 4 };
        assert_eq!(pen.counts(&posted(4)), Err(gap));
        for waits in 1..=3 {
            let commit = pen.begin();
            pen.hand_over(commit, waits).unwrap();
        }
        assert_eq!(pen.durable(Ticket(2)), [1, 2]);
        assert!(!pen.is_quiet());
        assert_eq!(pen.wait_for_last(4), None);
        assert_eq!(pen.durable(Ticket(3)), [3, 4]);
        assert!(pen.is_quiet());
        assert_eq!(pen.wait_for_last(5), Some(5));
    }
}
