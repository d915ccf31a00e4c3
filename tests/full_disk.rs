//! A disk that is really full: accepted mail stays, refused mail is refused, and
//! the store works again when there is space.

use std::process::Command;

/// Runs in a mount namespace of its own, on a small tmpfs.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs -o size=512k,mode=700 none "$PLACE"
export HOME=$PLACE
export AGENT_RELAY_HOME=$PLACE/store
relay register bob --id 22222222-2222-4222-8222-2222222bbbbb >/dev/null
relay send bob -- early >/dev/null
token=$(relay inbox --hold 900 bob | sed 's/.*"token":"\([^"]*\)".*/\1/')
head -c 100000 /dev/zero >"$PLACE/filler"
accepted=1
body=$(head -c 20000 /dev/zero | tr '\0' x)
while relay send bob -- "$body" >/dev/null 2>"$PLACE.error"; do accepted=$((accepted + 1)); done
grep -q 'No space left on device; nothing was stored: free some space' "$PLACE.error" || { cat "$PLACE.error"; exit 10; }
grep -q "$PLACE/store" "$PLACE.error" || exit 11
dd if=/dev/zero of="$PLACE/rest" bs=4k 2>/dev/null || true
# Nothing more fits, not even a cursor: what settles or lends says so and changes nothing.
if relay ack "$token" 2>"$PLACE.error"; then exit 12; fi
grep -q 'free some space' "$PLACE.error" || { cat "$PLACE.error"; exit 13; }
if relay send bob -- "$body" 2>/dev/null; then exit 14; fi
printf '{"session_id":"22222222-2222-4222-8222-2222222bbbbb","cwd":"/","hook_event_name":"Stop"}' | relay hook codex >"$PLACE.out" || exit 15
[ -s "$PLACE.out" ] && exit 16
[ "$(relay log --json bob | grep -c '"id"')" = "$accepted" ] || exit 17
rm "$PLACE/filler"
relay ack "$token" >/dev/null
relay send bob -- works again >/dev/null
[ "$(relay peek bob | grep -c '"id"')" = "$accepted" ] || exit 18
relay inbox bob | grep -q 'works again' || exit 19
relay gc >/dev/null
relay doctor >/dev/null || exit 20
echo fine "$accepted"
"#;

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let place = tempfile::TempDir::new().unwrap();
    let mount = place.path().join("disk");
    std::fs::create_dir(&mount).unwrap();
    let relay = std::path::Path::new(env!("CARGO_BIN_EXE_relay")).parent().unwrap();
    let namespace = || {
        let mut command = Command::new("unshare");
        command.args(["-r", "-m"]).env_clear().env("PLACE", &mount);
        command.env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", relay.display()));
        command
    };
    if !namespace()
        .args(["mount", "-t", "tmpfs", "none"])
        .arg(&mount)
        .status()
        .is_ok_and(|status| status.success())
    {
        println!("skipped: no mount namespace is to be had here (unshare -r -m refused)");
        return;
    }
    let output = namespace().args(["sh", "-c", SCRIPT]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.starts_with("fine "),
        "{:?}: {text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.trim()[5..].parse::<usize>().unwrap() > 5, "{text}");
}
