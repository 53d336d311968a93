//! Evaluates the default settings on a folder in the split layout:
//! `cargo run --release -p stoa-recommender --example evaluate -- DIR [test]`.

use stoa_recommender::Settings;
use stoa_recommender::evaluate::{Part, Split, evaluate_split};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("which folder?")?;
    let part = match arguments.next().as_deref() {
        Some("test") => Part::Test,
        _ => Part::Validation,
    };
    let split = Split::read(dir)?;
    let report = evaluate_split(&split, part, &Settings::default(), &mut |_| ())?;
    println!("{report}");
    Ok(())
}
