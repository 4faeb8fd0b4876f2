//! The examples print what they promise.

use std::path::PathBuf;
use std::process::Command;

/// What the example prints.
fn output_of(name: &str) -> String {
    // Examples lie beside the folder of the test binaries.
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    let mut example: PathBuf = folder.join("examples").join(name);
    example.set_extension(std::env::consts::EXE_EXTENSION);
    let output = match Command::new(&example).output() {
        Ok(output) => output,
        Err(error) => {
            panic!("{}: {error}: run `cargo build --examples`", example.display())
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn linear() {
    assert_eq!(output_of("linear"), include_str!("../../examples/linear/expected.txt"));
}

#[test]
fn design_problem() {
    let expected = include_str!("../../examples/design_problem/expected.txt");
    assert_eq!(output_of("design_problem"), expected);
}

#[test]
fn digits() {
    let output = output_of("digits");
    let last = output.lines().last().expect("a line for each few epochs");
    let accuracy: f64 = last.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(accuracy > 0.95, "{output}");
}
