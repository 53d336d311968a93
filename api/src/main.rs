//! `stoa`: the command line.

use std::process::ExitCode;

/// Quicker than the system's for many small values on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stoa_api::main_with(stoa_recommender::Registry::standard())
}
