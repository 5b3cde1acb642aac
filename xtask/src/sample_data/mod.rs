//! The sample month: a call file and the setup it belongs to, drawn by chance from a fixed seed.

mod accounts;
mod calls;
mod chance;
mod clock;
mod faults;

use std::{fs, path::Path};

use calls::Call;
use chance::Chance;

const SEED: u64 = 2026;

/// Writes `examples/data/master.csv` and `examples/data/setup.json`.
pub fn run(root: &Path) -> Result<(), String> {
    let folder = root.join("examples/data");
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).map_err(|error| format!("sample-data: {}: {error}", file.display()))
    };
    fs::create_dir_all(&folder).map_err(|error| format!("sample-data: {error}"))?;
    let lines = lines();
    write("master.csv", &format!("{}\n", lines.join("\n")))?;
    write("setup.json", &accounts::setup())?;
    println!("sample-data: {} lines for {} accounts", lines.len(), accounts::all().len());
    Ok(())
}

/// The lines of the file: calls in the order in which they ended, and among them what goes wrong in practice.
fn lines() -> Vec<String> {
    let mut chance = Chance::new(SEED);
    let calls = calls::all(&accounts::all(), &mut chance);
    let mut lines: Vec<String> = calls.iter().map(Call::line).collect();
    faults::conflicts(&mut lines, &calls);
    faults::malformed(&mut lines, &calls);
    faults::repeated(&mut lines, &mut chance);
    lines
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sample_is_the_same_every_time() {
        assert_eq!(super::lines(), super::lines());
    }

    #[test]
    fn the_setup_is_json() {
        let setup: serde_json::Value =
            serde_json::from_str(&super::accounts::setup()).expect("the setup is JSON");
        assert_eq!(setup["accounts"].as_array().map(Vec::len), Some(50));
    }
}
