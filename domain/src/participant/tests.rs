mod together;
mod wallet;
