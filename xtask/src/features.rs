//! What `Cargo.toml` says about the library: its features and its minimum Rust version.

use std::fs;

use crate::Result;
use crate::run::root;

/// Features that need a computer's `std`, and so are left out on chips.
const ON_A_COMPUTER: [&str; 1] = ["std"];

/// The library's manifest, as far as this program needs it.
pub struct Manifest {
    /// In the order of the file, without `default`.
    pub features: Vec<String>,
    /// As the file has it: `1.87`.
    pub rust_version: String,
}

impl Manifest {
    pub fn read() -> Result<Self> {
        let path = root().join("Cargo.toml");
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::parse(&text).ok_or_else(|| format!("{} has no rust-version", path.display()))
    }

    /// Takes the lines it is after, and leaves judging the file to cargo.
    fn parse(text: &str) -> Option<Self> {
        let keys = |section: &str| {
            let header = format!("[{section}]");
            let inside = text.lines().skip_while(move |line| line.trim() != header).skip(1);
            inside
                .take_while(|line| !line.starts_with('['))
                .filter_map(|line| line.split_once('='))
                .map(|(key, value)| (key.trim(), value.trim()))
                .filter(|(key, _)| !key.starts_with(['#', '"', ']']))
        };
        let (_, rust_version) = keys("package").find(|(key, _)| *key == "rust-version")?;
        let features = keys("features").map(|(key, _)| key.to_owned());
        Some(Self {
            features: features.filter(|name| name != "default").collect(),
            rust_version: rust_version.trim_matches('"').to_owned(),
        })
    }

    /// The features that a chip can have, as cargo wants them: `defmt,io`.
    pub fn features_for_chips(&self) -> String {
        let on_chips = |name: &&String| !ON_A_COMPUTER.contains(&name.as_str());
        self.features.iter().filter(on_chips).cloned().collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_found_in_their_order() {
        let text = "[package]\nrust-version = \"1.87\"\n\n[features]\ndefault = []\n\
                    # A comment with = in it.\nstd = []\ndefmt = [\n    \"dep:defmt\",\n]\n\n\
                    [dependencies]\nfugit = \"0.6\"\n";
        let manifest = Manifest::parse(text).expect("it has a rust-version");
        assert_eq!(manifest.features, ["std", "defmt"]);
        assert_eq!(manifest.rust_version, "1.87");
        assert_eq!(manifest.features_for_chips(), "defmt");
    }

    #[test]
    fn the_library_has_its_manifest_read() {
        let manifest = Manifest::read().expect("the file is there");
        assert!(manifest.features.contains(&"std".to_owned()), "{:?}", manifest.features);
    }
}
