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
relay register carol --id 33333333-3333-4333-8333-3333333ccccc >/dev/null
relay send bob,carol -- early >/dev/null
token=$(relay inbox --hold 900 bob | sed 's/.*"token":"\([^"]*\)".*/\1/')
head -c 100000 /dev/zero >"$PLACE/filler"
accepted=1
body=$(head -c 20000 /dev/zero | tr '\0' x)
while relay send bob -- "$body" >/dev/null 2>"$PLACE.error"; do accepted=$((accepted + 1)); done
grep -q 'No space left on device; nothing was stored: free some space' "$PLACE.error" || { cat "$PLACE.error"; exit 10; }
grep -q "$PLACE/store" "$PLACE.error" || exit 11
dd if=/dev/zero of="$PLACE/rest" bs=4k 2>/dev/null || true
relay doctor | grep -q 'PROBLEM .*store is full, so no mail can be stored; free some space' || exit 21
# Nothing more fits, but what is lent can be given back: a cursor is written over where it stands.
relay ack "$token" >/dev/null || exit 12
if relay send bob -- "$body" 2>/dev/null; then exit 13; fi
# A mailbox that was never read has no cursor yet: who would read it now takes nothing, and says so.
if relay inbox carol >"$PLACE.out" 2>"$PLACE.error"; then exit 14; fi
grep -q 'free some space' "$PLACE.error" || { cat "$PLACE.error"; exit 15; }
printf '{"session_id":"33333333-3333-4333-8333-3333333ccccc","cwd":"/","hook_event_name":"Stop"}' | relay hook codex >>"$PLACE.out" || exit 16
[ -s "$PLACE.out" ] && exit 16
[ "$(relay log --json bob | grep -c '"id"')" = "$accepted" ] || exit 17
rm "$PLACE/filler"
relay inbox carol | grep -q redelivered && exit 18
relay send bob -- works again >/dev/null
[ "$(relay peek bob | grep -c '"id"')" = "$accepted" ] || exit 18
relay inbox bob | grep -q 'works again' || exit 19
relay gc >/dev/null
relay doctor >/dev/null || exit 20
mount -o remount,ro "$PLACE"
relay doctor | grep -q 'PROBLEM .*store is read-only, so no mail can be stored' || exit 22
mount -o remount,rw "$PLACE"
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
