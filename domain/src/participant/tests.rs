mod keys;
mod together;
mod wallet;
