# Sourced by session.sh as the desktop's user: what a home folder needs and a program cannot take from $XDG_CONFIG_DIRS.
# Existing files are the user's and stay as they are, but for the keyboard of the input method, which belongs to the
# person's present terminal.
config=$HOME/.config
mkdir -p "$config/fcitx5" "$config/lxterminal" "$HOME/デスクトップ" "$HOME/ドキュメント" "$HOME/ダウンロード"

if [ ! -e "$config/user-dirs.dirs" ]; then
    cat >"$config/user-dirs.dirs" <<'DIRS'
XDG_DESKTOP_DIR="$HOME/デスクトップ"
XDG_DOWNLOAD_DIR="$HOME/ダウンロード"
XDG_DOCUMENTS_DIR="$HOME/ドキュメント"
DIRS
fi
[ -e "$config/lxterminal/lxterminal.conf" ] || cp "$here/skel/lxterminal.conf" "$config/lxterminal/lxterminal.conf"

profile=$config/fcitx5/profile
if ! grep -qx "Default Layout=$keyboard" "$profile" 2>/dev/null; then
    sed "s/@KEYBOARD@/$keyboard/" "$here/skel/fcitx5-profile" >"$profile"
fi

# The desktop folder's look is read from the home folder only.
files=$config/pcmanfm/kakehashi
mkdir -p "$files"
[ -e "$files/desktop-items-0.conf" ] || cp "$here/skel/desktop-items-0.conf" "$files/desktop-items-0.conf"
