#!/bin/bash
# fresh.sh - run commands on a machine that has nothing: minimal Debian, a clean copy every time.
#   fresh.sh [-s bookworm|trixie] [-u root|user] [-r SRC [-w]] [-p "apt pkgs"] [-k NAME] [-o DIR] [-i] -- 'COMMANDS'
#   -s suite (bookworm)        -u who runs COMMANDS (user: an ordinary account 'dev' with passwordless sudo if sudo is installed)
#   -r SRC: a git checkout is cloned (committed state only; -w: the work tree with uncommitted files) to ~/src, the cwd
#   -p packages put in before (cached as a layer, so the second run costs nothing)
#   -k NAME keep the machine's changes as cache/keep-NAME and go on from there next time (default: thrown away)
#   -o DIR  DIR of this machine is /out inside       -i no outside network, a loopback of its own
#   Without -i servers started inside listen on the host's 127.0.0.1 (two runs at a time clash on a port).
# Exit status is that of COMMANDS. A process left behind in it dies with it (pid namespace).
set -euo pipefail
H=$(cd "$(dirname "$0")" && pwd); CACHE=${FRESH_CACHE:-$H/cache}; S=bookworm U=root SRC= PK= KEEP= NET=host WT=0 OUT=
while getopts s:u:r:p:k:o:niw o; do case $o in s) S=$OPTARG;; u) U=$OPTARG;; r) SRC=$(realpath "$OPTARG");; p) PK=$OPTARG;; k) KEEP=$OPTARG;; n|i) NET=none;; w) WT=1;; o) OUT=$(realpath "$OPTARG");; *) exit 2;; esac; done; shift $((OPTIND-1))
[ $# -ge 1 ] || { sed -n 2,12p "$0"; exit 2; }
tarball=$("$H/mkbase.sh" "$S")
low=$CACHE/$S.root                      # unpacked once, never written to: the lower layer of every use
[ -e "$low/.ok" ] || ( flock 9; [ -e "$low/.ok" ] || { rm -rf "$low"; mkdir -p "$low"; tar -C "$low" -xpf "$tarball" --numeric-owner
  # what a person's machine has and a bare chroot lacks: the account, the sources; and the way to the registries
  R=$low
  cp -L /etc/resolv.conf "$R/etc/resolv.conf"; echo fresh >"$R/etc/hostname"; printf '127.0.0.1 localhost fresh\n' >"$R/etc/hosts"
  mkdir -p "$R/usr/local/share/ca-certificates"; cp /usr/local/share/ca-certificates/*.crt "$R/usr/local/share/ca-certificates/" 2>/dev/null || true
  # the same mirror that this machine uses
  m=$(sed -n 's/^URIs: *\(.*\/debian\) *$/\1/p;s/^deb \(\[[^]]*\] \)\?\([^ ]*\/debian\/\?\) .*/\2/p' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1) || true; m=${m%/}
  printf 'deb %s %s main\ndeb %s %s-updates main\ndeb %s-security %s-security main\n' "$m" $S "$m" $S "$m" $S >"$R/etc/apt/sources.list"
  printf 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n' >"$R/etc/apt/apt.conf.d/99clock"
  printf '#!/bin/sh\nexit 101\n' >"$R/usr/sbin/policy-rc.d"; chmod 755 "$R/usr/sbin/policy-rc.d"
  chroot "$R" update-ca-certificates >/dev/null 2>&1
  chroot "$R" useradd -m -s /bin/bash dev; mkdir -p "$R/etc/sudoers.d"; echo 'dev ALL=(ALL) NOPASSWD: ALL' >"$R/etc/sudoers.d/dev"; chmod 440 "$R/etc/sudoers.d/dev"
  for v in SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS; do echo "$v=/etc/ssl/certs/ca-certificates.crt"; done >"$R/etc/environment" # sudo drops the environment and reads this
  touch "$R/.ok"; } ) 9>"$CACHE/$S.lock"
inside() { # inside ROOT USER NET CMD
  local R=$1 who=$2 net=$3 cmd=$4 home; [ "$who" = root ] && home=/root || home=/home/dev
  local ns=(unshare --mount --pid --fork --kill-child --uts --ipc --propagation private); [ "$net" = none ] && ns+=(--net)
  env -i HOME="$home" USER="$who" TERM="${TERM:-xterm}" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt ${FRESH_ENV:-} \
    "${ns[@]}" /bin/bash -c 'R=$1 who=$2 home=$3 cmd=$4 net=$5 out=$6; set -e
      hostname fresh; [ "$net" = none ] && ip link set lo up
      mount -t proc proc "$R/proc"; mount --rbind /sys "$R/sys"; mount -t tmpfs -o mode=755 dev "$R/dev"; mkdir -p "$R/dev/pts" "$R/dev/shm"
      for d in null zero full random urandom tty; do touch "$R/dev/$d"; mount --bind "/dev/$d" "$R/dev/$d"; done
      mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$R/dev/pts"; ln -s pts/ptmx "$R/dev/ptmx"; mount -t tmpfs -o mode=1777 shm "$R/dev/shm"
      [ -z "$out" ] || { mkdir -p "$R/out"; mount --bind "$out" "$R/out"; }
      ln -s /proc/self/fd "$R/dev/fd"; ln -s fd/0 "$R/dev/stdin"; ln -s fd/1 "$R/dev/stdout"; ln -s fd/2 "$R/dev/stderr"; mount -t tmpfs -o mode=755 run "$R/run"; mkdir -m 1777 "$R/run/lock"
      [ -d "$R$home/src" ] && cd "$R$home/src" && wd=$home/src || wd=$home
      exec /usr/sbin/chroot --userspec="$who" "$R" /bin/bash -lc "cd $wd && $cmd"' fresh "$R" "$who" "$home" "$cmd" "$net" "$OUT"; }
layer() { # layer LOWERDIRS UPPER -> mounts at $M
  mkdir -p "$2/up" "$2/work" "$M"; mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work" "$M"; }
RUN=$(mktemp -d "$CACHE/run.XXXXXX"); M=$RUN/m; chmod 755 "$RUN"
trap 'umount -R "$M" 2>/dev/null || umount -l "$M" 2>/dev/null || true; rm -rf "$RUN"' EXIT
lowers=$low
if [ -n "$PK" ]; then key=$(echo "$S $PK" | md5sum | cut -c1-12); PL=$CACHE/pkg-$key
  [ -e "$PL/.ok" ] || ( flock 9; [ -e "$PL/.ok" ] || { rm -rf "$PL"; layer "$low" "$PL"; inside "$M" root host "apt-get update -qq && apt-get install -y -qq --no-install-recommends $PK >/dev/null" >&2; umount -R "$M"; touch "$PL/.ok"; } ) 9>"$CACHE/pkg-$key.lock"
  lowers=$PL/up:$lowers; fi
if [ -n "$KEEP" ]; then UP=$CACHE/keep-$KEEP; else UP=$RUN; fi
layer "$lowers" "$UP"
home=$M/root; [ "$U" = root ] || { U=dev; home=$M/home/dev; }
if [ -n "$SRC" ] && [ ! -e "$home/src" ]; then
  if [ $WT = 1 ]; then mkdir -p "$home/src"; (cd "$SRC" && git ls-files -zco --exclude-standard | tar --null -T - -cf - --ignore-failed-read) | tar -C "$home/src" -xf -
  elif [ -e "$SRC/.git" ]; then git clone -q --no-hardlinks "$SRC" "$home/src"; else cp -a "$SRC" "$home/src"; fi
  chown -R --reference="$home" "$home/src"; fi
rc=0; inside "$M" "$U" "$NET" "$*" || rc=$?
exit $rc
