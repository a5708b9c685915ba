//! `clearnet audit` and `clearnet migrate`, run as an operator runs them.
