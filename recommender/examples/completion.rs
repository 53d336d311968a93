//! How well the completion model foretells the later fifth of a split's `trainval.tsv`:
//! `cargo run --release -p stoa-recommender --example completion -- DIR`.

use std::time::Instant;

use stoa_recommender::completion;
use stoa_recommender::evaluate::Split;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("which folder?")?;
    let split = Split::read(dir)?;
    let start = Instant::now();
    match completion::evaluate(&split.catalogue, &split.trainval) {
        Some(report) => println!(
            "{} rows, {:.1} % complete: AUC {:.4}, Brier {:.4}, ECE {:.4}; {:.2} s\n{:.3?}",
            report.rows,
            report.base_rate * 100.0,
            report.auc,
            report.brier,
            report.ece,
            start.elapsed().as_secs_f64(),
            report.curve
        ),
        None => println!("nothing measured completion"),
    }
    Ok(())
}
