//! omp's transcripts, its program, and the file that `relay install` gives it.

mod harness;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use harness::World;
use serde_json::json;

const ONE: &str = "01a1fc69-f66b-7267-9a72-a8884d17fec1";
const TWO: &str = "01a1fc69-f66b-7267-9a72-a8884d17fec2";

/// A transcript as omp writes it.
fn transcript(folder: &Path, id: &str, directory: &str) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let title = json!({"type": "title", "v": 1, "title": "t", "pad": " ".repeat(180)});
    let session = json!({"type": "session", "version": 3, "id": id, "cwd": directory, "title": "t"});
    let path = folder.join(format!("2026-11-21T04-42-45-227Z_{id}.jsonl"));
    std::fs::write(&path, format!("{title}\n{session}\n{{\"type\":\"message\"}}\n")).unwrap();
    path
}

#[test]
fn discover_finds_its_sessions_and_neither_subagents_nor_links() {
    for variable in [None, Some("elsewhere")] {
        let world = World::new();
        let agent = world.home().join(variable.unwrap_or(".omp/agent"));
        let world = match variable {
            Some(_) => world.with("PI_CODING_AGENT_DIR", agent.to_str().unwrap()),
            None => world,
        };
        let folder = agent.join("sessions/-app");
        let path = transcript(&folder, ONE, "/w/app");
        transcript(&path.with_extension(""), TWO, "/w/side");
        let outside = transcript(&world.home().join("outside"), TWO, "/w/outside");
        std::os::unix::fs::symlink(&outside, folder.join(outside.file_name().unwrap())).unwrap();
        std::os::unix::fs::symlink(world.home().join("outside"), agent.join("sessions/-linked")).unwrap();
        std::fs::write(folder.join("2026_--resume.jsonl"), "{").unwrap();
        let rows = world.json(&["discover", "--tool", "omp", "--json"]);
        assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
        assert_eq!((&rows[0]["id"], &rows[0]["cwd"]), (&json!(ONE), &json!("/w/app")), "{rows}");
    }
}

/// The world with an `omp` on its PATH: this script.
fn with_program(world: World, script: &str) -> World {
    let program = world.project("bin").join("omp");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    world.with("PATH", &path)
}

#[test]
fn a_woken_omp_is_given_the_message_as_it_is_and_nothing_of_another_session_s() {
    let world = World::new().with("OMPCODE", "1").with("RELAY_OMP_BELL", "/nowhere").with("CLAUDECODE", "1");
    let folder = world.project("app");
    let ran = world.home().join("ran");
    let world = with_program(world, &format!("printf '%s\\n' \"$@\" >{ran:?}\nenv >>{ran:?}"));
    let directory = folder.to_str().unwrap();
    world.ok(&["wake", "--id", ONE, "--tool", "omp", "--dir", directory, "--", "--yolo @x"]);
    let ran = std::fs::read_to_string(ran).unwrap();
    assert!(ran.starts_with(&format!("-p\n--resume\n{ONE}\n--mode\njson\n--\n--yolo @x\n")), "{ran}");
    assert!(
        !ran.contains("OMPCODE") && !ran.contains("RELAY_OMP_BELL") && !ran.contains("CLAUDECODE"),
        "{ran}"
    );
    let plan = world.json(&["attach", "--id", ONE, "--tool", "omp", "--dir", directory, "--dry"]);
    assert_eq!(plan["args"], json!(["--resume", ONE]));
}

#[test]
fn install_writes_the_extension_and_doctor_sees_it() {
    let world = with_program(World::new(), "exit 0");
    let line = || {
        let text = world.run(&["doctor"]).stdout;
        text.lines().find(|line| line.contains("omp")).unwrap_or_default().to_owned()
    };
    let extension = world.project(".omp/agent").join("extensions/relay.js");
    assert!(line().contains("not wired"), "{}", line());
    world.ok(&["install", "omp"]);
    let text = std::fs::read_to_string(&extension).unwrap();
    assert!(
        text.contains(&format!("? beside : {:?}", env!("CARGO_BIN_EXE_relay"))),
        "it knows where relay is"
    );
    assert!(world.ok(&["install", "omp"]).contains("omp is wired already"));
    assert!(line().contains("its plugin of relay is on"), "{}", line());
    world.ok(&["uninstall", "omp"]);
    assert!(!extension.exists());
    let imports: Vec<&str> = text.lines().filter(|line| line.starts_with("import ")).collect();
    assert!(imports.iter().all(|line| line.contains(" from \"node:")), "{imports:?}");
    assert_eq!(text.matches("\nexport ").count(), 1);
}
