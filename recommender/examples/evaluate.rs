//! Evaluates the default settings on a folder in the split layout:
//! `cargo run --release -p stoa-recommender --example evaluate -- DIR [test] [rolling|first-return] [ablation] [FILE.html]`.

use stoa_recommender::Settings;
use stoa_recommender::engine::Registry;
use stoa_recommender::evaluate::{Part, Protocol, Split, Trial, page};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let split = Split::read(arguments.first().ok_or("which folder?")?)?;
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let (registry, settings) = (Registry::standard(), Settings::default());
    let trial = Trial { registry: &registry, settings: &settings, ablation: has("ablation") };
    let by_time = [(Protocol::Rolling, "rolling"), (Protocol::FirstReturn, "first-return")];
    let report = if let Some((protocol, _)) = by_time.into_iter().find(|(_, name)| has(name)) {
        trial.evaluate(protocol, &split.catalogue, &split.everything(), &mut |_| ())?
    } else {
        let part = if has("test") { Part::Test } else { Part::Validation };
        trial.evaluate_split(&split, part, &mut |_| ())?
    };
    println!("{report}");
    if let Some(file) = arguments.iter().find(|argument| argument.ends_with(".html")) {
        std::fs::write(file, page(&[report]))?;
    }
    Ok(())
}
