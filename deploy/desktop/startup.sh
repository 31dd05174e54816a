#!/bin/sh
# Run by openbox once it manages the display. Says so to session.sh, then brings up what a person sees first.
here=/opt/kakehashi
exec </dev/null >/dev/null 2>&1

if [ -p "$XDG_RUNTIME_DIR/started" ]; then
    echo >"$XDG_RUNTIME_DIR/started"
    rm -f "$XDG_RUNTIME_DIR/started"
    first=1
fi

# When memory runs out, a program of the user goes first, not the display or the window manager.
echo 300 >/proc/self/oom_score_adj

# A window manager that came back after a failure finds these still running.
[ -n "${first:-}" ] || exit 0
tint2 -c "$here/xdg/tint2/tint2rc" &
fcitx5 -D &
pcmanfm --desktop --profile kakehashi &
