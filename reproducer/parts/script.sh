#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
@ABOUT@
#
# It builds the links in network namespaces of its own, sends through them, and
# measures what stays charged to the sending socket (SO_MEMINFO). KTAP on
# standard output; exit status 0 as expected, 1 not, 4 skipped.
#
# It needs root, or user namespaces; iproute2, util-linux, a C compiler@NEEDS@.

# shellcheck disable=SC2317,SC2329 # functions are called by name, and some only by other scripts of this kind
set -u
name=@NAME@
expected=@EXPECTED@

if [ "${SKLEAK_INSIDE:-}" != yes ]; then
	printf 'KTAP version 1\n1..1\n'
	user=()
	[ "$(id -u)" = 0 ] || user=(--user --map-root-user)
	for tool in ip tc unshare mount awk "${CC:-cc}"@TOOLS@; do
		command -v "$tool" >/dev/null || { echo "ok 1 $name # SKIP $tool is missing"; exit 4; }
	done
	SKLEAK_INSIDE=yes exec unshare "${user[@]}" --net --mount bash "$0"
fi

dir=$(mktemp -d) || exit 4
helpers=()
sender=

skip() { finish; echo "ok 1 $name # SKIP $*" | tr '\n' ' '; echo; exit 4; }
note() { echo "# $*"; }

# must runs a command of the set-up; one that fails means that something is missing.
must() {
	local said
	said=$("$@" 2>&1) || skip "$* failed: $said"
}

# within runs a command in a namespace; "" is the sender's.
within() {
	local ns=$1
	shift
	if [ -n "$ns" ]; then ip netns exec "$ns" "$@"; else "$@"; fi
}

# put writes a sysctl of a namespace, if the kernel has it.
put() {
	# shellcheck disable=SC2016 # the inner shell expands them
	within "$1" sh -c '[ ! -e "$0" ] || echo "$1" >"$0"' "/proc/sys/net/$2" "$3" 2>/dev/null
}

# helper starts a program in a namespace and waits until it says "ready".
helper() {
	local key=$1 ns=$2 out
	shift 2
	out=$dir/helper-$key
	if [ -n "$ns" ]; then ip netns exec "$ns" "$@" >"$out" 2>&1 & else "$@" >"$out" 2>&1 & fi
	helpers+=("$key=$!")
	for _ in $(seq 500); do
		grep -q "$ready" "$out" && return
		kill -0 $! 2>/dev/null || break
		sleep 0.02
	done
	grep -q "$ready" "$out" || skip "$* failed: $(cat "$out")"
}
ready='^ready'

# pid is that of a helper.
pid() {
	local h
	for h in "${helpers[@]}"; do
		[ "${h%%=*}" = "$1" ] && echo "${h#*=}"
	done
}

stop() {
	local p
	p=$(pid "$1")
	[ -n "$p" ] && kill -KILL "$p" 2>/dev/null && wait "$p" 2>/dev/null
}

used() { awk '/^sockets: used/ { print $3 }' /proc/thread-self/net/sockstat; }

# remove deletes the links and ends the helpers: what is held pins its namespace.
remove() {
	local h
@REMOVE@
	for h in "${helpers[@]}"; do stop "${h%%=*}"; done
}

finish() {
	[ -n "$sender" ] && kill "$sender" 2>/dev/null
	remove
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

cat >"$dir/probe.c" <<'END_OF_C'
@C@
END_OF_C

"${CC:-cc}" -O2 -Wall -Wextra -Werror -o "$dir/probe" "$dir/probe.c" >"$dir/cc" 2>&1 ||
	skip "the compiler failed: $(cat "$dir/cc")"
must mount -t tmpfs tmpfs /run
baseline=$(used)

# The links.
@BUILD@

# No link may be without carrier because it is still being set up.
before=
for try in $(seq 30); do
	after=$(ip -o link show up | grep -c NO-CARRIER)
	[ "$after" = 0 ] && break
	[ "$after" = "$before" ] && [ "$try" -gt 5 ] && break
	before=$after
	sleep 0.1
done

@FINISH@

# The sender.
declare -A V
coproc SENDER { exec "$dir/probe" sender 2>"$dir/sender"; }
# Bash forgets them when the sender ends.
sender=$SENDER_PID answers=${SENDER[0]} questions=${SENDER[1]}
answer() {
	local line word
	read -r line <&"$answers" || skip "the sender failed: $(cat "$dir/sender")"
	for word in $line; do V[${word%%=*}]=${word#*=}; done
}
ask() {
	echo "$*" >&"$questions"
	answer
}

answer
ask send
note "sent ${V[sent]} packets, ${V[refused]} refused, ${V[blocked]} times full; ${V[peak]} bytes charged at most"
note "truesize ${V[truesize]}, sndbuf ${V[sndbuf]}; not writable after ${V[stall]} packets (-1: never)"
note "after settling: ${V[bytes]} bytes charged, poll says writable: ${V[writable]}"
settled=${V[bytes]}
settled_writable=${V[writable]}
sent=${V[sent]}
refused=${V[refused]}
hard=${V[hard]}
held=${V[held]}
[ "$settled" -gt "$held" ] && held=$settled
released=
left=0
echo "# /proc/net/raw:$(tail -n +2 /proc/thread-self/net/raw | tr '\n' ';')"

# rung undoes one thing, and says what is charged before and after.
rung() {
	local what=$1 on=$2 wait=$3 before
	shift 3
	[ -z "$released" ] || return
	before=${V[bytes]}
	"$@" >/dev/null 2>&1
	ask "$wait"
	note "$what ($on): $before -> ${V[bytes]}"
	left=${V[bytes]}
	[ "$left" = 0 ] && released="$what ($on)"
}

# take_qdisc takes a root qdisc away; the default one, without a handle, is replaced.
take_qdisc() {
	within "$1" tc qdisc del dev "$2" root || within "$1" tc qdisc replace dev "$2" root pfifo
}

# forget drops what waits for neighbours.
forget() {
	local to dev rest
	within "$1" ip neigh show | while read -r to _ dev rest; do
		case $rest in *PERMANENT* | *NOARP*) continue ;; esac
		within "$1" ip neigh del "$to" dev "$dev"
	done
}

if [ "$settled" -gt 0 ]; then
	tc -s qdisc show 2>/dev/null | sed 's/^/# /'
	ask patience
	note "time alone: $settled -> ${V[bytes]}"
	if [ "${V[bytes]}" = 0 ]; then
		released='time'
	else
@LADDER@
	fi
	note "released by: ${released:-nothing}"
elif [ "$refused" -gt 0 ]; then
	ask probe
fi
asleep=${V[asleep]}
underflow=${V[underflow]}
silenced=${V[silenced]}
rest_refused=0
[ "$settled" -gt 0 ] || [ "$refused" = 0 ] || rest_refused=${V[refused]}

# The end of its input ends the sender; its sockets must go with the links.
exec {questions}>&-
wait "$sender" 2>/dev/null
sender=
remove
helpers=()
pinned=0
for _ in $(seq 150); do
	pinned=$(($(used) - baseline))
	[ "$pinned" -gt 0 ] || break
	sleep 0.02
done

# The verdict, by the same rules as skleak's.
if [ "$underflow" = 1 ]; then
	verdict=underflow
elif [ "$left" -gt 0 ] || [ "$pinned" -gt 0 ]; then
	verdict=leaked
	note "$left bytes left after everything was deleted, $pinned sockets pinned"
elif [ "$asleep" = 1 ]; then
	verdict=lost-wakeup
elif { [ "$settled" -gt 0 ] && [ "$settled_writable" = 0 ]; } || [ "$silenced" = 1 ]; then
	verdict=stalled
elif [ "$refused" -gt 0 ] && [ "$refused" -ge "$sent" ]; then
	verdict=refused
elif [ "$held" -gt 0 ]; then
	verdict=held
elif [ "$hard" -gt 0 ] || [ "$rest_refused" -gt 0 ]; then
	verdict=refused
elif [ "$sent" = 0 ]; then
	verdict='nothing: no packet was sent'
else
	verdict=clean
fi
note "verdict: $verdict"
for word in $expected; do
	[ "$word" = "$verdict" ] && { echo "ok 1 $name"; exit 0; }
done
echo "not ok 1 $name # found $verdict, expected ${expected// / or }"
exit 1
