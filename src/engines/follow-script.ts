/**
 * Follows a file that another program writes, over its rotation and truncation, and says where it is.
 *
 * Arguments: the file, a tag that begins the script's own lines, the byte to begin at (`end` for what comes from now on),
 * the inode that byte belongs to (empty for any), the pause in seconds. Whole lines are printed as they are; after them
 * `TAG at INODE BYTE` says up to where, and `TAG anew INODE` that another file, or the same one emptied, is read from
 * its beginning. While there is no file it is at byte 0 of `none`. The file stays open, so that what was written before a rotation is read to its end. Needs /proc.
 */
export const FOLLOW_SCRIPT = `
LC_ALL=C
file=$1 tag=$2 from=$3 known=$4 pause=$5
open= held= pos=0
newline='
'
if [ -n "\${KSH_VERSION:-}" ]; then put() { print -r -- "$1"; }
else put() { printf '%s\\n' "$1"; }; fi
begin() {
  command exec 3<"$file" || { [ ! -e "$file" ] || exit 1; return 1; }
  open=$(stat -L -c %i "/proc/$$/fd/3") held= pos=0
}
position() {
  while read -r key value; do [ "$key" != pos: ] || pos=$value; done <"/proc/$$/fdinfo/3"
}
drain() {
  batch=$held$(cat <&3; echo x)
  batch=\${batch%x}
  held=\${batch##*"$newline"}
  position
  [ "$batch" != "$held" ] || return 0
  put "\${batch%"$newline"*}"
  put "$tag at $open $((pos - \${#held}))"
}
anew() {
  [ -z "$held" ] || put "$held"
  begin || return 1
  put "$tag anew $open"
}
first() {
  begin || return 1
  [ "$from" != end ] || from=$size known=
  if [ "$from" -gt "$size" ] || { [ -n "$known" ] && [ "$known" != "$open" ]; }; then put "$tag anew $open"; return 0; fi
  dd bs=1 "skip=$from" count=0 <&3 2>/dev/null
  position
  put "$tag at $open $pos"
}
while :; do
  if now=$(stat -L -c '%i %s' -- "$file" 2>/dev/null); then
    inode=\${now% *} size=\${now#* }
    if [ -z "$open" ]; then first
    elif [ "$inode" != "$open" ]; then drain; anew
    elif [ "$size" -lt "$pos" ]; then anew
    fi
    [ -z "$open" ] || drain
  elif [ -z "$open" ] && [ "$from$known" != 0 ]; then
    from=0 known=
    put "$tag at none 0"
  fi
  sleep "$pause" || exit 1
done
`;
