#!/bin/sh
# One desktop from its display program to its end. Runs as the desktop's own user, inside the sandbox that
# agents/sandbox.py builds. Counterpart: agents/desktop.py, which reads the stages on standard output and asks for the
# end by closing standard input. Arguments: WIDTHxHEIGHT, keyboard (jp or us), seconds that programs get to end.
#
# Exit status: 0 the user logged off (or the agent asked), 70 the display went away, 71 the window manager kept failing.
set -u
umask 077
geometry=$1
keyboard=$2
grace=$3
here=/opt/kakehashi

exec 3<&0 4>&1 </dev/null
mkdir -m 700 "$XDG_RUNTIME_DIR" || exit 72

# The cookie never leaves the sandbox: the agent does not speak X.
printf 'add %s . %s\n' "$DISPLAY" "$(mcookie)" | xauth -q -f "$XAUTHORITY" source - || exit 72

mkfifo "$XDG_RUNTIME_DIR/display" "$XDG_RUNTIME_DIR/started"

# -RawKeyboard: scancodes decide, so that the layout of this desktop and not the viewer's maps the keys.
# Clipboard messages stay on: the gateway filters them by policy, in both directions, message by message.
# Not -nolisten unix: the programs of this desktop reach the display by the socket in its private /tmp.
Xtigervnc "$DISPLAY" -displayfd 9 -geometry "$geometry" -depth 24 -dpi 96 -desktop kakehashi \
    -rfbunixpath /run/kakehashi/rfb.sock -rfbunixmode 384 -rfbport -1 -SecurityTypes None \
    -auth "$XAUTHORITY" -nolisten tcp -nolisten local -RawKeyboard=1 -AcceptSetDesktopSize=1 \
    -AlwaysShared=1 -IdleTimeout=0 -noreset -s 0 -dpms \
    9<>"$XDG_RUNTIME_DIR/display" 3<&- 4>&- >"$XDG_RUNTIME_DIR/display.log" 2>&1 &
display_pid=$!

dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog 3<&- 4>&- >/dev/null 2>&1 &

# The agent closes its end of standard input to ask for the end; so does its death.
(read -r _ <&3; kill -TERM $$) 4>&- 2>/dev/null &
watcher_pid=$!
# Either the display answers with its number, or it is gone and the word comes from here.
(while kill -0 "$display_pid" 2>/dev/null; do sleep 0.2; done; echo gone >"$XDG_RUNTIME_DIR/display") 3<&- 4>&- &
guard_pid=$!

read -r answer <"$XDG_RUNTIME_DIR/display"
kill "$guard_pid" 2>/dev/null
if [ "$answer" = gone ]; then
    cat "$XDG_RUNTIME_DIR/display.log" >&2
    exit 70
fi
echo display >&4

xsetroot -solid '#3d6b83'
case $keyboard in
    jp) setxkbmap -model jp106 -layout jp ;;
    *) setxkbmap -model pc105 -layout us ;;
esac
. "$here/first-login.sh"

# Ends the programs of the desktop, but never the display, this script and its watcher. "input" takes the input method
# along. Returns when none is left, or when $grace seconds have passed since finish began.
end_programs() {
    asked=
    while :; do
        left=
        for entry in /proc/[0-9]*; do
            pid=${entry#/proc/}
            case $pid in 1 | $$ | "$display_pid" | "$watcher_pid") continue ;; esac
            # Kernel-side ends only: a finished program that nobody collected yet must not be waited for.
            grep -q '^State:[[:space:]]*Z' "$entry/status" 2>/dev/null && continue
            case $(cat "$entry/cmdline" 2>/dev/null | tr '\0' ' ') in
                '' | *' --type='*) continue ;; # a browser ends its own parts, after it has saved its state
                'fcitx5 '* | */mozc_server\ * | 'dbus-daemon '*) [ "$1" = input ] || continue ;;
            esac
            left="$left $pid"
        done
        [ -z "$left" ] && return
        [ -z "$asked" ] && kill -TERM $left 2>/dev/null
        asked=1
        [ "$waited" -ge $((grace * 10)) ] && return
        waited=$((waited + 1))
        sleep 0.1
    done
}

# The input method goes last: openbox and other X programs close their input context on the way out and wait for the
# answer, for ever when the input method went first.
finish() {
    trap '' TERM
    waited=0
    end_programs others
    end_programs input
    exit 0
}
trap finish TERM HUP INT

# The agent reads one more word, then closes its ends: nothing in here may write to them, nor can it flood the agent.
(
    read -r _ <"$XDG_RUNTIME_DIR/started"
    echo ready >&4
) 3<&- &
exec 4>&- >/dev/null 2>&1

failures=0
while :; do
    openbox --config-file "$here/xdg/openbox/rc.xml" --startup "$here/startup.sh" 3<&- &
    openbox_pid=$!
    wait "$openbox_pid"
    status=$?
    kill -0 "$display_pid" 2>/dev/null || exit 70
    [ "$status" -eq 0 ] && finish
    failures=$((failures + 1))
    [ "$failures" -ge 5 ] && exit 71
    sleep 0.2
done
