//! Lists the presets of the folder `presets/`, so that the binary carries them and a new file needs no second place.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = root.join("presets");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for folder in [folder.join("services"), folder] {
        let entries = fs::read_dir(&folder).expect("there are folders of presets");
        files.extend(entries.map(|entry| entry.expect("an entry can be read").path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let items: Vec<String> =
        files.iter().map(|path| format!("include_str!({:?})", path.display().to_string())).collect();
    let list = format!("&[\n{}\n]\n", items.join(",\n"));
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("presets.rs"), list).expect("the build folder can be written");
}
