//! `clearnet sandbox` and test mode, as people who write front ends meet them: the real program as a child, its one
//! line of JSON, and then nothing but what that line says.

mod crash;
mod hammer;
mod life;
mod refusals;
mod start;
mod world;
